"""Which rows are used, what they are worth, and why the others are not."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest

from assay.datasets.transactions.roles import choose
from tests.assay.transactions.tables import RULES, read

DAY = ["2024-01-31"]


def reasons(dates: list[str], amounts: list[str], only: str | None = None) -> list[str | None]:
    found = read({"order_date": dates, "revenue": amounts, "currency": ["EUR"] * len(dates)}, only)
    return found.rows.collect()["reason"].to_list()


def test_every_reason() -> None:
    dates = ["2024-01-01"] * 40 + ["", "2024-02-30", "2024-01-01", "2024-01-01", "2024-01-01"]
    amounts = ["1"] * 40 + ["1", "1", "", "many", "9" * 16]
    found = reasons(dates, amounts)
    assert found[:40] == [None] * 40
    assert found[40:] == [
        "missing_date", "unparsable_date", "missing_amount", "amount_not_a_number", "amount_out_of_range",
    ]  # fmt: skip


def test_one_currency_alone() -> None:
    assert reasons(DAY * 2, ["1", "2"], "USD") == ["other_currency"] * 2
    assert reasons(DAY * 2, ["1", "2"], "EUR") == [None] * 2


def test_blank_revenue_is_computed_and_a_word_is_not_replaced() -> None:
    found = read(
        {
            "order_date": DAY * 3,
            "quantity": ["2", "2", "2"],
            "unit_price": ["1.25", "1.25", ""],
            "revenue": ["", "x", ""],
        }
    )
    rows = found.rows.collect()
    assert rows["amount"].to_list() == [Decimal("2.5"), None, None]
    assert rows["computed"].to_list() == [True, False, False]
    assert rows["reason"].to_list() == [None, "amount_not_a_number", "missing_amount"]


def test_revenue_from_quantity_and_price_alone() -> None:
    found = read({"order_date": DAY * 2, "quantity": ["3", ""], "unit_price": ["0.1", "0.1"]})
    assert found.rows.collect()["amount"].to_list() == [Decimal("0.3"), None]


@pytest.mark.parametrize(
    ("columns", "measure"),
    [
        (["order_date", "loan_amount"], "loan_amount"),
        (["order_date", "transaction_fee"], "transaction_fee"),
        (["order_date", "transaction_fee", "loan_amount"], "loan_amount"),
        (["order_date", "quantity", "unit_price", "loan_amount"], "revenue"),
        (["Date", "Total Amount"], "revenue"),
    ],
)
def test_what_is_added_up(columns: list[str], measure: str) -> None:
    assert choose(RULES.assign(columns)).measure == measure


def test_the_currency_beside_the_amount_where_no_column_tells_it() -> None:
    found = read({"order_date": DAY * 4, "revenue": ["€1.50", "2.50 USD", "$3", "4"]})
    rows = found.rows.collect()
    assert rows["currency"].to_list() == ["EUR", "USD", "$", None]
    assert rows["amount"].to_list() == [Decimal("1.5"), Decimal("2.5"), Decimal(3), Decimal(4)]


def test_the_column_of_currencies_goes_before_the_sign() -> None:
    found = read({"order_date": DAY * 3, "revenue": ["$1", "$2", "$3"], "currency": ["usd", "CAD", ""]})
    assert found.rows.collect()["currency"].to_list() == ["USD", "CAD", "$"]


def test_decimal_commas_and_days_first() -> None:
    found = read({"Bestelldatum": ["31.12.2023", "01.02.2024"], "Umsatz": ["1.234,50", "0,50"]})
    rows = found.rows.collect()
    assert rows["amount"].to_list() == [Decimal("1234.5"), Decimal("0.5")]
    assert [str(day) for day in rows["day"]] == ["2023-12-31", "2024-02-01"]
    assert found.survey.places == {"revenue": 2}


def test_na_is_a_region_and_no_customer() -> None:
    found = read({"order_date": DAY, "revenue": ["1"], "region": ["NA"], "country": ["NA"], "customer_id": ["NULL"]})
    row = found.rows.collect().row(0, named=True)
    assert (row["region"], row["country"], row["customer_id"]) == ("NA", "NA", None)


def test_flags_in_words() -> None:
    found = read({"order_date": DAY * 4, "revenue": ["1"] * 4, "fraud_flag": ["TRUE", "no", "0", "perhaps"]})
    assert found.rows.collect()["fraud"].to_list() == [True, False, False, None]
    found = read({"order_date": DAY * 2, "revenue": ["1"] * 2, "success_rate": ["1", "0"]})
    assert found.survey.success_words
    found = read({"order_date": DAY * 2, "revenue": ["1"] * 2, "success_rate": ["0.9", "1"]})
    assert not found.survey.success_words


def test_rates_in_percent() -> None:
    found = read({"order_date": DAY * 2, "loan_amount": ["100", "200"], "interest_rate": ["4.5%", "5 %"]})
    assert found.rows.collect()["interest_rate"].to_list() == [Decimal("4.5"), Decimal(5)]
    assert found.survey.is_percent("interest_rate")


def test_blank_rows_are_no_rows() -> None:
    found = read({"order_date": ["2024-01-01", "", " ", ""], "revenue": ["1", "", "", "2"]})
    assert (found.survey.rows_read, found.survey.rows_blank) == (2, 2)
    assert found.rows.collect()["row"].to_list() == [1, 4]


def test_the_hash_of_a_row_is_that_of_its_cells() -> None:
    found = read({"order_date": ["2024-01-01", "2024-01-01"], "revenue": ["1.50", "1.5"], "note": [" a ", ""]})
    expected = [
        hashlib.sha256(text.encode()).hexdigest() for text in ("2024-01-01\x1f1.50\x1f a ", "2024-01-01\x1f1.5\x1f")
    ]
    assert found.rows.collect()["hash"].to_list() == expected
