"""Generate examples/station_measurements.csv: a year of synthetic measurements at two stations, the same on every run.

python examples/make_station_measurements.py
"""

from __future__ import annotations

import csv
import math
import random
from datetime import date, datetime, time, timedelta
from pathlib import Path

COLUMNS = ["Station_ID", "Date_Time", "PCode", "Result", "LEW_Pct", "Depth_M", "Agency", "CCode", "LCode", "SCode"]
COLUMNS += ["QCode", "RCode", "Validated", "Create_Update", "Owner", "Track_ID", "Selected_By"]
# Mean, seasonal swing and noise of each parameter code.
CODES = {
    "Data 1": (1.4, 0.5, 0.06),
    "Data 2": (7.9, 0.2, 0.05),
    "Data 3": (16.0, 9.0, 0.8),
    "Data 4": (9.1, -2.2, 0.3),
    "Data 5": (480.0, 90.0, 12.0),
    "Data 6": (0.031, 0.012, 0.002),
    "Data 7": (2.2, 0.7, 0.15),
    "Data 8": (38.0, 14.0, 3.0),
    "Data 9": (176.0, 30.0, 4.0),
    "Data 10": (0.8, 0.35, 0.05),
    "Data 11": (12.5, 4.0, 0.9),
    "Data 12": (55.0, -8.0, 2.0),
}
DECIMALS = {"Data 5": 0, "Data 6": 4, "Data 9": 0}


def rows(dice: random.Random) -> list[dict[str, str]]:
    """Make the rows in order of time."""
    made = []
    for day in range(366):
        when = date(2024, 1, 1) + timedelta(days=day)
        for station, shift in (("CT", 1.0), ("TUS", 1.12)):
            for number, (code, (mean, swing, noise)) in enumerate(CODES.items()):
                # The first parameters are measured every second day, the others every fourth.
                if (day + number) % (2 if number < 4 else 4) or dice.random() < 0.04:
                    continue
                season = math.sin(2 * math.pi * (day - 105) / 366)
                value = (mean + swing * season) * shift + dice.gauss(0, noise)
                at = datetime.combine(when, time(dice.randrange(7, 16), dice.choice((0, 15, 30, 45))))
                made.append(row(dice, station, at, code, f"{value:.{DECIMALS.get(code, 3)}f}"))
    return made


def row(dice: random.Random, station: str, at: datetime, code: str, result: str) -> dict[str, str]:
    """Make one row; the columns beside the four that count are mostly empty, as in the field."""
    full = dict.fromkeys(COLUMNS, "")
    full |= {"Station_ID": station, "Date_Time": f"{at:%Y-%m-%d %H:%M:%S}", "PCode": code, "Result": result}
    full |= {"Agency": "FIELD", "Validated": dice.choice(("Y", "Y", "Y", "N")), "LCode": "L1"}
    if code == "Data 1":
        full |= {"Depth_M": f"{dice.uniform(0.3, 1.2):.1f}", "LEW_Pct": str(dice.choice((25, 50, 75)))}
    if dice.random() < 0.05:
        full["QCode"] = dice.choice(("E", "<"))
    return full


def spoil(made: list[dict[str, str]], dice: random.Random) -> None:
    """Put in what a real file has: blanks, results that are words, outliers, a row twice."""
    for chosen in dice.sample(made, 40):
        chosen["Result"] = ""
    for chosen, text in zip(dice.sample(made, 5), ("ND", "<0.5", "n/a", "dry", "ice"), strict=True):
        chosen["Result"] = text
    blank, odd, nowhere, nameless = dice.sample(made, 4)
    blank["Date_Time"], odd["Date_Time"], nowhere["Station_ID"], nameless["PCode"] = "", "2024-02-30 09:00:00", "", ""
    high = [one for one in made if one["PCode"] == "Data 8" and one["Result"]]
    for chosen in dice.sample(high, 3):
        chosen["Result"] = f"{float(chosen['Result']) * 9:.3f}"
    drifting = [one for one in made if one["PCode"] == "Data 2" and one["Result"].replace(".", "").isdigit()]
    for chosen in drifting[150:162]:
        chosen["Result"] = f"{float(chosen['Result']) + 4:.3f}"
    again = dice.randrange(len(made) // 2, len(made))
    made.insert(again, dict(made[again]))


def main() -> None:
    """Write the file beside this script."""
    dice = random.Random(20240101)  # noqa: S311 - a seed makes the file the same on every run; nothing secret here
    made = rows(dice)
    spoil(made, dice)
    with Path(__file__).with_name("station_measurements.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)


if __name__ == "__main__":
    main()
