"""Sums, counts, growth, cohorts and breakdowns are those of plain Python, whatever the order of the rows."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import astuple
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets.transactions import months as months_module
from assay.datasets.transactions.breakdown import breakdowns
from assay.datasets.transactions.customers import customers
from assay.datasets.transactions.figures import Sums
from assay.datasets.transactions.months import daily, months
from assay.datasets.transactions.quality import quality
from assay.datasets.transactions.results import totals
from assay.errors import Unprocessable
from tests.assay.transactions.tables import Line, Read, columns_of, read, sums_by

LINES = st.lists(
    st.builds(
        Line,
        order=st.sampled_from(["", "A", "B", "C", "D", "E"]),
        day=st.dates(date(2022, 11, 1), date(2024, 2, 28)),
        amount=st.decimals(-999, 9999, places=2),
        currency=st.sampled_from(["EUR", "USD", ""]),
        customer=st.sampled_from(["", "x", "y", "z"]),
        region=st.sampled_from(["North", "NA", ""]),
    ),
    min_size=1,
    max_size=25,
)
FEW = settings(max_examples=15, deadline=None)


def counted(sums: Sums) -> tuple[int, Decimal, Decimal, int, int | None]:
    return sums.rows, sums.amount, sums.refunds, sums.orders, sums.customers


def first_of(day: date) -> date:
    return day.replace(day=1)


def sums_of(table: Read) -> dict[str | None, Sums]:
    return {total.currency: total.sums for total in totals(table.used, table.roles)}


def seen(lines: list[Line]) -> Read:
    return read(columns_of(lines))


@FEW
@given(LINES)
def test_currencies_are_never_added_together(lines: list[Line]) -> None:
    found = seen(lines)
    expected = sums_by(lines, lambda line: line.currency or None)
    assert {one.currency: counted(one.sums) for one in totals(found.used, found.roles)} == expected


@FEW
@given(LINES)
def test_months_and_their_growth(lines: list[Line]) -> None:
    found = seen(lines)
    expected = sums_by(lines, lambda line: (line.currency or None, first_of(line.day)))
    made = months(found.used, found.roles, customers(found.used, found.roles))
    filled = [(one, one.sums) for one in made if one.sums is not None]
    assert {(one.currency, one.month): counted(sums) for one, sums in filled} == expected
    for one, sums in filled:
        for by, growth in ((1, one.mom), (12, one.yoy)):
            at = one.month.year * 12 + one.month.month - 1 - by
            before = expected.get((one.currency, date(at // 12, at % 12 + 1, 1)))
            if before is None or before[1] <= 0:
                assert growth is None
            else:
                assert growth == pytest.approx(float((sums.amount - before[1]) / before[1]), abs=1e-6)
        days = {line.day for line in lines if (line.currency or None, first_of(line.day)) == (one.currency, one.month)}
        assert one.days == len(days)


@FEW
@given(LINES)
def test_customers_and_cohorts(lines: list[Line]) -> None:
    table = seen(lines)
    found = customers(table.used, table.roles)
    sold = [line for line in lines if line.amount >= 0 and line.customer]
    if found is None:
        assert not sold
        return
    active: dict[str, set[date]] = defaultdict(set)
    orders: dict[str, set[str]] = defaultdict(set)
    for line in sold:
        active[line.customer].add(first_of(line.day))
        orders[line.customer] |= {line.order} - {""}
    cohorts: dict[date, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for months_of in active.values():
        for month in months_of:
            cohorts[min(months_of)][month] += 1
    assert found.customers == len(active)
    assert found.repeat == sum(len(of) >= 2 for of in orders.values())
    assert found.rows_without == sum(line.amount >= 0 and not line.customer for line in lines)
    assert found.cohorts == cohorts
    new = defaultdict(set)
    for line in sold:
        if first_of(line.day) == min(active[line.customer]):
            new[line.currency or None, first_of(line.day)].add(line.customer)
    assert found.new == {key: len(of) for key, of in new.items()}
    for first, size, since in found.retention():
        assert since[0] == (0, size)
        assert size == cohorts[first][first]


@FEW
@given(LINES)
def test_breakdowns(lines: list[Line]) -> None:
    found = seen(lines)
    made = breakdowns(found.used, found.roles, sums_of(found))
    assert {one.dimension for one in made} == {"region", "customer_id"}
    expected = sums_by(lines, lambda line: (line.currency or None, line.region or None))
    regions = [one for one in made if one.dimension == "region"]
    assert {(of.currency, one.value): counted(one.sums) for of in regions for one in of.parts} == expected
    for of in regions:
        ranked = [one.sums.amount for one in of.parts]
        assert ranked == sorted(ranked, reverse=True)
        assert of.values == len(of.parts)


@FEW
@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_makes_no_difference(lines: list[Line], dice: random.Random) -> None:
    shuffled = lines.copy()
    dice.shuffle(shuffled)
    one, other = seen(lines), seen(shuffled)
    assert daily(one.used).equals(daily(other.used))
    assert breakdowns(one.used, one.roles, sums_of(one)) == breakdowns(other.used, other.roles, sums_of(other))
    assert totals(one.used, one.roles) == totals(other.used, other.roles)


@FEW
@given(LINES)
def test_what_is_said_of_the_rows(lines: list[Line]) -> None:
    found = seen(lines)
    said = quality(found.rows, found.rows, found.used, found.roles, found.survey)
    assert not said.refused
    earlier: set[tuple[object, ...]] = set()
    again = []
    for row, line in enumerate(lines, start=1):
        if astuple(line) in earlier:
            again.append(row)
        earlier.add(astuple(line))
    assert said.identical.rows == again
    assert said.orderless == sum(not line.order for line in lines)
    by_order: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for row, line in enumerate(lines, start=1):
        if line.order and line.amount >= 0:
            by_order[line.order].append((row, line))
    conflicting = [
        rows[0][0]
        for rows in by_order.values()
        if any(len({getattr(line, name) for _, line in rows} - {""}) > 1 for name in ("day", "customer", "currency"))
    ]
    assert said.conflicting.rows == sorted(conflicting)


def test_the_same_order_on_several_lines_is_one_order() -> None:
    day = date(2024, 1, 1)
    lines = [Line("A", day, Decimal(amount), "EUR", "x", "North") for amount in (1, 2, 3)]
    found = seen(lines)
    (total,) = totals(found.used, found.roles)
    assert total.sums.orders == 1
    assert not quality(found.rows, found.rows, found.used, found.roles, found.survey).identical.count


def test_without_order_numbers_every_row_that_sells_is_an_order() -> None:
    found = read({"order_date": ["2024-01-01"] * 3, "revenue": ["1", "2", "-1"]})
    (total,) = totals(found.used, found.roles)
    assert (total.sums.orders, total.sums.customers) == (2, None)
    assert customers(found.used, found.roles) is None


def test_more_months_than_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months_module, "MAX_MONTHS", 3)
    days = [(date(2024, 1, 1) + timedelta(days=31 * at)).isoformat() for at in range(4)]
    found = read({"order_date": days, "revenue": ["1"] * 4})
    with pytest.raises(Unprocessable) as raised:
        months(found.used, found.roles, None)
    assert raised.value.code == "too_many_months"


def test_a_column_that_holds_no_currencies() -> None:
    found = read(
        {"order_date": ["2024-01-01"] * 201, "revenue": ["1"] * 201, "currency": [f"c{n}" for n in range(201)]}
    )
    with pytest.raises(Unprocessable) as raised:
        totals(found.used, found.roles)
    assert raised.value.code == "too_many_currencies"
