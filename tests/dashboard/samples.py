"""Pages written by hand: every kind of chart, with values as real ones are."""

from __future__ import annotations

import math
import random
from datetime import date, timedelta

from assay.page.model import Bars, Figure, Finding, Heat, Histogram, Page, Panel, Series, Table

# Parameter, usual value, swing over the year, days between two values.
_PARAMETERS = (
    ("Temp", 14.0, 8.0, 1),
    ("pH", 7.9, 0.3, 1),
    ("DO", 9.2, 2.0, 1),
    ("Cond", 720.0, 160.0, 1),
    ("Turb", 14.0, 9.0, 1),
    ("Level", 1.4, 0.5, 1),
    ("NO3", 3.1, 1.2, 7),
    ("NH4", 0.12, 0.06, 7),
    ("TP", 0.21, 0.08, 7),
    ("Cl", 88.0, 20.0, 14),
    ("SO4", 61.0, 12.0, 14),
    ("E. coli", 240.0, 180.0, 30),
)


def _series(parameter: tuple[str, float, float, int], days: int, chance: random.Random) -> Series:
    name, usual, swing, every = parameter
    values: list[float | None] = []
    drift = 0.0
    for day in range(days):
        drift = 0.92 * drift + chance.gauss(0, 0.12)
        silent = 130 <= day < 152 and name in {"Temp", "pH", "DO"}
        if day % every or silent or chance.random() < 0.03:
            values.append(None)
        else:
            year = math.sin(2 * math.pi * (day - 105) / 365)
            values.append(round(max(usual * 0.05, usual + swing * (year + drift)), 3))
    return Series(name, values)


def stations() -> Page:
    """Two stations, twelve parameters, a year of days with gaps: what the station pipeline writes."""
    chance = random.Random(7)  # noqa: S311 - a sample, not a secret
    days = [date(2024, 1, 1) + timedelta(days=day) for day in range(366)]
    panels = [
        Panel(
            f"Station {name}",
            days,
            [_series(one, 366, chance) for one in _PARAMETERS],
            "Daily mean of each parameter.",
        )
        for name in ("CT", "TUS")
    ]
    missing = [("Depth_M", 96.4), ("LEW_Pct", 91.2), ("QCode", 34.0), ("Result", 2.9), ("PCode", 0.0)]
    return Page(
        title="Station measurements",
        subtitle="CT and TUS, 2024-01-01 to 2024-12-31. Mean of each calendar date.",
        figures=[
            Figure("Rows read", "5,184"),
            Figure("Rows used", "5,161", "good"),
            Figure("Rows refused", "23", "warn"),
            Figure("Stations", "2"),
            Figure("Parameters", "12"),
            Figure("Outliers", "14", "warn"),
        ],
        findings=[
            Finding("No row appears twice.", "good"),
            Finding("Column LEW_Pct is blank in 91.2 % of the rows (alert at 20 %).", "warn"),
            Finding("Column Depth_M is blank in 96.4 % of the rows (alert at 20 %).", "warn"),
            Finding("14 results lie far from the others of the same station and parameter: Turb at CT (14).", "warn"),
            Finding("23 rows are kept in the lineage and refused from the analysis; the table below says why."),
        ],
        panels=panels,
        tables=[
            Table(
                "Refused rows",
                ["Reason", "Rows", "First row", "Example"],
                [
                    ["Result is no number", 14, 212, "<0.01"],
                    ["Date is missing", 6, 1840, None],
                    ["Parameter code is missing", 3, 77, None],
                ],
            ),
            Table("Missing values by column", ["Column", "Missing %"], [list(one) for one in missing]),
            Table(
                "Lineage",
                ["Row", "Station", "Date and time", "Parameter", "Result", "SHA-256"],
                [
                    [
                        row,
                        "CT" if row % 2 else "TUS",
                        f"2024-01-{1 + row % 28:02} 06:00:00",
                        name,
                        1.411 * row,
                        f"{row:064x}",
                    ]
                    for row, (name, *_) in enumerate(_PARAMETERS * 9, start=1)
                ],
                "The first 108 of 5,184 rows; audit_lineage.csv holds all of them.",
            ),
        ],
    )


def transactions() -> Page:
    """Orders in two currencies: money by day, by month and by category, how orders spread, cohorts, correlations."""
    chance = random.Random(3)  # noqa: S311 - a sample, not a secret
    days = [date(2022, 1, 1) + timedelta(days=day) for day in range(900)]
    months = [f"{2022 + month // 12}-{month % 12 + 1:02}" for month in range(30)]
    names = ["quantity", "unit_price", "revenue", "interest_rate"]
    euro = [round(30_123_456 + 9e6 * math.sin(day / 50) + chance.gauss(0, 2e6), 2) for day in range(900)]
    dollar = [round(8e6 + 2e6 * math.cos(day / 60) + chance.gauss(0, 5e5), 2) for day in range(900)]
    return Page(
        title="Transactions",
        subtitle="orders.csv, 48,212 orders from 2022-01-01 to 2024-06-18",
        figures=[
            Figure("Orders", "48,212"),
            Figure("Revenue", "€ 12,345,678.90"),
            Figure("Breaks", "143", "warn"),
            Figure("Fraud rate", "1.2 %", "bad"),
        ],
        findings=[Finding("143 rows have a revenue that other than quantity times unit price.", "warn")],
        panels=[
            Panel(
                "Revenue by day", days, [Series("EUR", euro), Series("USD", dollar)], "Sums of each day.", "thousands"
            ),
            Bars("Revenue by month", "€", months, [round(1e5 * (5 + math.sin(at / 3)), 2) for at in range(30)]),
            Bars(
                "Revenue by category",
                "€",
                ["Clothing", "Home and garden", "A name that goes on and on " * 4, "Toys", "Unknown", "Returns"],
                [1234567.89, 823456.1, 212345.5, 99999, None, -54321],
            ),
            Histogram("Order value", "€", [at * 25 for at in range(41)], [400 * at % 977 for at in range(40)]),
            Histogram("Quantity", "", [0, 1, 2, 5, 10, 50], [120, 800, 300, 40, 3]),
            Heat(
                "Retention",
                months[:12],
                [f"month {later}" for later in range(12)],
                [[None if at + to > 11 else round(100 * math.exp(-to / 3), 1) for to in range(12)] for at in range(12)],
                "Customers of a month who bought again.",
                "%",
            ),
            Heat(
                "Correlations",
                names,
                names,
                [
                    [1 if at == to else round(math.sin(3.3 * at * to + at + to), 3) for to in range(4)]
                    for at in range(4)
                ],
            ),
        ],
        tables=[Table("Top products", ["Product", "Revenue"], [[f"Product {at}", 1e5 / (at + 1)] for at in range(9)])],
    )
