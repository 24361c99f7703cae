"""Money is read exactly, however it is written, and added exactly, in whatever order."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.transactions import amounts
from assay.datasets.transactions.amounts import EXACT, Marks
from assay.datasets.transactions.figures import growth, mean, money, rate, written

AMOUNTS = st.decimals(-(10**14), 10**14, places=4)
STYLES = [Marks(".", ","), Marks(",", "."), Marks(",", " "), Marks(".", "'"), Marks(".", "")]


POINT = Marks(".", ",")


def read(text: str | None, marks: Marks = POINT, *, percent: bool = False) -> Decimal | None:
    cells = pl.LazyFrame({"cell": [text]}, schema={"cell": pl.String})
    found = cells.select(amounts.number(pl.col("cell"), marks, percent=percent)).collect(engine="streaming").item()
    assert found is None or isinstance(found, Decimal)
    return found


def write(amount: Decimal, marks: Marks, sign: str) -> str:
    text = f"{abs(amount):,f}".replace(",", "T").replace(".", marks.decimal).replace("T", marks.thousands)
    return sign.format(text)


@given(AMOUNTS, st.sampled_from(STYLES), st.sampled_from(["{}", "€{}", "{} EUR", "USD {}", "{} kr"]))
def test_what_is_written_is_read(amount: Decimal, marks: Marks, sign: str) -> None:
    minus = "-" if amount < 0 else ""
    assert read(minus + write(amount, marks, sign), marks) == amount


@given(AMOUNTS, st.sampled_from(["({})", "{}-", "-{}", "\u2212{}", "$ -{}"]))
def test_every_kind_of_minus(amount: Decimal, sign: str) -> None:
    assert read(write(amount, Marks(".", ","), sign)) == -abs(amount)


@pytest.mark.parametrize(
    "text",
    ["", None, "abc", "12 kg", "--5", "(5", "5)", "(-5)", "-5-", "1,00", "1.2.3", "1e999", "inf", "NaN", "0x10",
     "1_0", "12,5O", "9" * 40, "=1+1", "+", ".", "$", "12%", "1 2", "\u0661\u0662", "5 €€", "1\x00"],
)  # fmt: skip
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["5,-", "5,-- kr", "kr 5,-", "5,\u2013 \u20ac", "(5,-)", "-5,-"])
def test_a_dash_for_the_cents_is_no_minus(text: str) -> None:
    assert read(text, Marks(",", ".")) == (5 if text[0] in "5k" else -5)
    assert read("1.234,-", Marks(",", ".")) == 1234
    assert read("5,-", Marks(".", ",")) is None


def test_a_percent_sign_only_where_it_is_awaited() -> None:
    assert read("12.5%", percent=True) == Decimal("12.5")
    assert read("12.5%") is None


def test_more_places_than_are_kept_are_rounded_half_to_even() -> None:
    assert read("0.0000000000005") == 0
    assert read("0.0000000000015") == Decimal("0.000000000002")


@given(st.lists(AMOUNTS, max_size=30), st.randoms(use_true_random=False))
def test_sums_are_exact_in_any_order(values: list[Decimal], dice: object) -> None:
    shuffled = sorted(values, key=lambda _: dice.random())  # type: ignore[attr-defined]
    for some in (values, shuffled):
        assert pl.Series(some, dtype=EXACT).sum() == sum(some, Decimal(0))


@given(AMOUNTS, st.decimals(-1000, 1000, places=3))
def test_products_are_exact(one: Decimal, other: Decimal) -> None:
    frame = pl.DataFrame({"one": [one], "other": [other]}, schema={"one": EXACT, "other": EXACT})
    found = frame.select(amounts.product(pl.col("one"), pl.col("other"))).item()
    assert found == (one * other if abs(one * other) < 10**15 else None)


@pytest.mark.parametrize(
    ("text", "code"),
    [("€ 5", "EUR"), ("5 €", "EUR"), ("US$5", "USD"), ("$5", "$"), ("£5", "£"), ("5 usd", None), ("5", None),
     ("5 EUR", "EUR"), ("12%", None), ("(€5)", "EUR"), (None, None), ("abc", None)],
)  # fmt: skip
def test_the_currency_beside_a_number(text: str | None, code: str | None) -> None:
    cells = pl.LazyFrame({"cell": [text]}, schema={"cell": pl.String})
    assert cells.select(amounts.currency(pl.col("cell"))).collect(engine="streaming").item() == code


@pytest.mark.parametrize(
    ("text", "count"), [("1.50", 2), ("1", 0), ("$1,234.5", 1), ("(2.125)", 3), ("1e-5", None), (None, None)]
)
def test_places(text: str | None, count: int | None) -> None:
    cells = pl.DataFrame({"cell": [text]}, schema={"cell": pl.String})
    assert cells.select(amounts.places(pl.col("cell"), Marks(".", ","))).item() == count


@given(AMOUNTS, st.integers(0, 6))
def test_written_amounts_lose_nothing(amount: Decimal, places: int) -> None:
    text = money(amount, places)
    assert text is not None
    assert Decimal(text) == amount
    assert len(text.partition(".")[2]) >= places
    assert not text.startswith("-0") or amount != 0


@given(st.lists(AMOUNTS, min_size=1, max_size=9))
def test_means_and_rates(values: list[Decimal]) -> None:
    total = reduce(lambda one, other: one + other, values)
    average = mean(total, len(values), 2)
    assert average is not None
    assert abs(Decimal(average) - total / len(values)) <= Decimal("0.005")
    if total > 0:
        share = rate(values[0], total)
        assert share == pytest.approx(float(values[0] / total), abs=5.1e-7)
    else:
        assert rate(values[0], total) is None


def test_there_is_no_growth_over_nothing() -> None:
    assert growth(Decimal(5), None) is None
    assert growth(Decimal(5), Decimal(0)) is None
    assert growth(Decimal(5), Decimal(-1)) is None
    assert growth(Decimal(5), Decimal(4)) == 0.25


def test_exact_texts_have_no_zeros_at_their_end() -> None:
    frame = pl.DataFrame({"x": [Decimal("1.50"), Decimal(100), Decimal("-0.25"), None]}, schema={"x": EXACT})
    assert frame.select(written(pl.col("x")))["x"].to_list() == ["1.5", "100", "-0.25", None]
