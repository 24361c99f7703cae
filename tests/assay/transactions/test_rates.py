"""Rates and their intervals, loans, far days, and revenue against quantity times price."""

from __future__ import annotations

import csv
import math
import statistics
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets.transactions import rates
from assay.datasets.transactions.anomalies import MIN_DAYS, anomalies
from assay.datasets.transactions.reconcile import reconcile
from tests.assay.transactions.tables import read

FEW = settings(max_examples=15, deadline=None)
DAY = "2024-01-31"


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_wilson_is_where_the_score_is_z(yes: int, rows: int) -> None:
    yes = min(yes, rows)
    found = rates.wilson(yes, rows)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    # The bounds are the proportions p at which |share - p| is z standard errors of p.
    for bound in (found.low, found.high):
        if 0.001 < bound < 0.999:
            assert abs(yes / rows - bound) == pytest.approx(rates.Z * math.sqrt(bound * (1 - bound) / rows), abs=5e-6)


@pytest.mark.parametrize(
    ("yes", "rows", "low", "high"),
    # E. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (5, 5, 0.5655, 1.0),
    ],
)
def test_wilson_as_published(yes: int, rows: int, low: float, high: float) -> None:
    found = rates.wilson(yes, rows)
    assert found.low == pytest.approx(low, abs=6e-5)
    assert found.high == pytest.approx(high, abs=6e-5)


def test_fraud_by_region() -> None:
    found = read(
        {
            "order_date": [DAY] * 4,
            "revenue": ["1"] * 4,
            "fraud_flag": ["yes", "no", "", "no"],
            "region": ["N", "N", "N", "S"],
        }
    )
    assert rates.flagged(found.used, "fraud")[None] == rates.wilson(1, 3)
    assert rates.flagged(found.used, "fraud", "region") == {"N": rates.wilson(1, 2), "S": rates.wilson(0, 1)}


@FEW
@given(
    st.lists(st.decimals(0, 1, places=3), min_size=2, max_size=30).filter(lambda values: any(0 < v < 1 for v in values))
)
def test_the_mean_and_its_interval(values: list[Decimal]) -> None:
    found = read(
        {"order_date": [DAY] * len(values), "revenue": ["1"] * len(values), "success_rate": [str(v) for v in values]}
    )
    mean = rates.mean_of(found.used, "success_rate")
    assert mean is not None
    half = rates.Z * statistics.stdev(map(float, values)) / math.sqrt(len(values))
    assert mean.value == pytest.approx(float(statistics.mean(values)), abs=1e-6)
    assert mean.low == pytest.approx(mean.value - half, abs=3e-6)
    assert mean.high == pytest.approx(mean.value + half, abs=3e-6)


@FEW
@given(st.lists(st.tuples(st.decimals(1, 1000, places=2), st.decimals(0, 50, places=2)), min_size=2, max_size=20))
def test_the_fee_rate_and_its_interval(pairs: list[tuple[Decimal, Decimal]]) -> None:
    found = read(
        {
            "order_date": [DAY] * len(pairs),
            "revenue": [str(of) for of, _ in pairs],
            "transaction_fee": [str(fee) for _, fee in pairs],
        }
    )
    (rate,) = rates.fee_rates(found.used).values()
    total, fees = (float(sum(pair[at] for pair in pairs)) for at in (0, 1))
    ratio, n = fees / total, len(pairs)
    spread = math.sqrt(sum((float(fee) - ratio * float(of)) ** 2 for of, fee in pairs) / (n - 1))
    half = rates.Z * spread / math.sqrt(n) / (total / n)
    assert rate.value == pytest.approx(ratio, abs=1e-6)
    assert rate.low == pytest.approx(ratio - half, abs=3e-6)


def test_no_interval_for_a_single_row_and_no_rate_over_nothing() -> None:
    found = read({"order_date": [DAY], "revenue": ["10"], "transaction_fee": ["1"]})
    assert rates.fee_rates(found.used) == {None: rates.Mean(1, 0.1, None, None)}
    found = read({"order_date": [DAY] * 2, "revenue": ["10", "-10"], "transaction_fee": ["1", "1"]})
    assert rates.fee_rates(found.used) == {}


def test_loans_by_product() -> None:
    found = read(
        {
            "order_date": [DAY] * 5,
            "loan_amount": ["100", "300", "50", "", "0"],
            "interest_rate": ["4", "8", "", "9", "9"],
            "product_name": ["car", "car", "car", "car", "car"],
            "currency": ["EUR", "EUR", "USD", "EUR", "EUR"],
        }
    )
    euro, dollar = rates.loans(found.used, found.roles)
    assert (euro.value, euro.currency, euro.loans, euro.amount) == ("car", "EUR", 2, Decimal(400))
    assert (euro.mean_rate, euro.weighted_rate, euro.lowest_rate, euro.highest_rate) == (
        6.0,
        7.0,
        Decimal(4),
        Decimal(8),
    )
    assert (dollar.loans, dollar.with_rate, dollar.mean_rate, dollar.weighted_rate) == (1, 0, None, None)


@given(st.lists(st.decimals(-(10**20), 10**20, places=12), min_size=MIN_DAYS, max_size=40))
def test_far_days_are_those_of_the_modified_z_score(amounts: list[Decimal]) -> None:
    days = [(date(2024, 1, 1) + timedelta(days=at), amount) for at, amount in enumerate(amounts)]
    found = anomalies(days)
    exact = [int(amount.scaleb(12)) for amount in amounts]
    middle = statistics.median([2 * one for one in exact])
    mad = statistics.median([abs(2 * one - middle) for one in exact])
    if not mad:
        assert found.why_none
        return
    z = [0.6745 * float(2 * one - middle) / float(mad) for one in exact]
    far = {day for (day, _), score in zip(days, z, strict=True) if abs(score) > 3.5 + 1e-9}
    maybe = {day for (day, _), score in zip(days, z, strict=True) if abs(score) > 3.5 - 1e-9}
    assert far <= {one.day for one in found.far} <= maybe


def test_a_few_days_are_not_judged() -> None:
    days = [(date(2024, 1, 1 + at), Decimal(at)) for at in range(MIN_DAYS - 1)]
    assert anomalies(days).why_none == f"fewer than {MIN_DAYS} days"


def test_one_day_stands_out() -> None:
    days = [(date(2024, 1, 1 + at), Decimal(100 + at % 5)) for at in range(20)]
    days[7] = (days[7][0], Decimal(1000))
    (far,) = anomalies(days).far
    assert far.day == date(2024, 1, 8)


PRICED = st.tuples(
    st.integers(-5, 20), st.decimals(0, 100, places=2), st.sampled_from(["0", "0.01", "-0.005", "5", "0.004"])
)


@FEW
@given(st.lists(PRICED, min_size=1, max_size=15))
def test_breaks_are_rows_off_by_more_than_half_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, priced: list[tuple[int, Decimal, str]]
) -> None:
    revenue = [quantity * price + Decimal(off) for quantity, price, off in priced]
    found = read(
        {
            "order_date": [DAY] * len(priced),
            "order_id": [f"O{at}" for at in range(len(priced))],
            "quantity": [str(quantity) for quantity, _, _ in priced],
            "unit_price": [f"{price:f}" for _, price, _ in priced],
            "revenue": [f"{one:f}" for one in revenue],
        }
    )
    path = tmp_path_factory.mktemp("breaks") / "reconciliation.csv"
    made = reconcile(found.used, found.survey.places, 3, path)
    places = max((len(f"{one:f}".partition(".")[2]) for one in revenue), default=0)
    broken = [row for row, (_, _, off) in enumerate(priced, 1) if abs(Decimal(off)) > Decimal(5).scaleb(-places - 1)]
    assert made.rows == len(priced)
    assert made.breaks == len(broken)
    assert sum(made.difference.values()) == sum(Decimal(off) for _, _, off in priced)
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["row"]) for line in lines] == broken
    for line in lines:
        assert Decimal(line["revenue"]) - Decimal(line["expected"]) == Decimal(line["difference"])
    sizes = [abs(one.difference) for one in made.largest]
    assert sizes == sorted(sizes, reverse=True)


def test_a_rounded_price_explains_a_break(tmp_path: Path) -> None:
    found = read(
        {"order_date": [DAY] * 2, "quantity": ["3", "1"], "unit_price": ["3.33", "3.33"], "revenue": ["10.00", "4.00"]}
    )
    made = reconcile(found.used, found.survey.places, 5, tmp_path / "breaks.csv")
    assert (made.breaks, made.price_rounding) == (2, 1)
