"""Which column is what: as a person says, by names and values, and never by the order of the columns."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from assay.contract import Sources
from assay.datasets import registry
from assay.detection import Detection, detect
from assay.detection.columns import header_key, resolve
from assay.detection.given import label, position_of
from assay.detection.roles import Columns
from assay.detection.unused import amounts
from assay.errors import Unprocessable
from assay.formats import Preview
from assay.run import Analysis, RememberedColumns, analyse
from tests.assay.analyses import MakeSource, Run

KNOWN = registry.rules()
RULES = KNOWN["transactions"]
DAYS = [f"2025-01-{day:02}" for day in range(1, 13)]


def head(columns: Mapping[str, list[str]]) -> Preview:
    rows = [[cell or None for cell in row] for row in zip(*columns.values(), strict=True)]
    return Preview(tuple(columns), rows)


def found(columns: Mapping[str, list[str]], given: Mapping[str, str | None] | None = None) -> Columns:
    return resolve(head(columns), RULES, "transactions", given)


def detected(columns: Mapping[str, list[str]], given: Mapping[str, str | None] | None = None) -> Detection:
    return detect(head(columns), KNOWN, None, given)


def numbers(*values: float) -> list[str]:
    return [f"{value:.2f}" for value in values]


SUBTOTALS, TAXES = numbers(10, 20, 30, 45.5), numbers(1.9, 3.8, 5.7, 8.65)
TOTALS = numbers(11.9, 23.8, 35.7, 54.15)
ORDERS = {"order_id": ["1", "2", "3", "4"], "order_date": DAYS[:4]}
# Two amounts that nothing tells apart.
TWO = {**ORDERS, "gross_sales": numbers(1, 2, 3, 4), "net_sales": numbers(3, 1, 7, 2)}


def test_each_role_says_which_column_it_is_how_and_why() -> None:
    roles = found({**ORDERS, "Sum": TOTALS, "Total Amount": [*numbers(1, 2, 3), "x"]}).roles
    assert (roles["order_date"].column, roles["order_date"].position, roles["order_date"].how) == (
        "order_date",
        2,
        "named",
    )
    assert roles["revenue"].values_fit == "3 of 4"
    assert found({**ORDERS, "Amount": TOTALS}).roles["revenue"].how == "like"


@pytest.mark.parametrize("column", ["Net", "net", " NET ", "#4"])
@pytest.mark.parametrize("role", ["revenue", "amount"])
def test_a_person_says_which_column_it_is(role: str, column: str) -> None:
    roles = found({**ORDERS, "Gross": TOTALS, "Net": SUBTOTALS}, {role: column}).roles
    assert (roles["revenue"].column, roles["revenue"].how, roles["revenue"].others) == ("Net", "given", ())


def test_a_person_says_that_there_is_none() -> None:
    columns = found({**ORDERS, "Amount": TOTALS, "currency": ["EUR"] * 4}, {"currency": None})
    assert "currency" not in columns.at
    assert columns.unused == ("currency",)
    with pytest.raises(Unprocessable) as caught:
        detect(head({**ORDERS, "Amount": TOTALS}), KNOWN, "transactions", {"amount": None})
    assert caught.value.code == "missing_columns"
    assert "--column" in caught.value.suggestion


def test_columns_without_a_name_of_their_own_go_by_their_place() -> None:
    table = Preview(("order_date", "", "Amount", "Amount"), [["2025-01-01", "a", "1", "2"]])
    columns = resolve(table, RULES, "transactions", {"amount": "#4", "order_id": "#2"})
    assert (columns.roles["revenue"].column, columns.roles["order_id"].column) == ("#4", "#2")
    assert columns.unused == ("#3",)


@pytest.mark.parametrize(
    ("given", "code", "near"),
    [({"revenu": "Gross"}, "unknown_role", "The nearest: revenue"), ({"amount": "Grss"}, "unknown_column", "Gross"),
     ({"amount": "#9"}, "unknown_column", "#1 to #4"), ({"amount": "#0"}, "unknown_column", "Gross"),
     ({"amount": "Gross", "revenue": "Net"}, "invalid_columns", "once")],
)  # fmt: skip
def test_what_is_none_is_refused_with_the_nearest(given: dict[str, str | None], code: str, near: str) -> None:
    table = {**ORDERS, "Gross": TOTALS, "Net": SUBTOTALS}
    for requested in (None, "transactions"):
        with pytest.raises(Unprocessable) as caught:
            detect(head(table), KNOWN, requested, given)
        assert caught.value.code == code
        assert near in caught.value.suggestion


def test_a_name_that_stands_there_twice_is_refused_with_the_places() -> None:
    table = Preview(("order_date", "Amount", "Amount"), [["2025-01-01", "1", "2"]])
    with pytest.raises(Unprocessable) as caught:
        resolve(table, RULES, "transactions", {"amount": "Amount"})
    assert (caught.value.code, "#2, #3" in caught.value.detail) == ("duplicate_columns", True)


@pytest.mark.parametrize("cells", [("1", "2"), ("1 apple", "2 pears"), ("", "")])
@pytest.mark.parametrize("swapped", [False, True])
def test_no_column_is_taken_of_two_with_one_name_that_fit_alike(cells: tuple[str, str], swapped: bool) -> None:
    one, two = reversed(cells) if swapped else cells
    table = Preview(("order_date", "Amount", "Amount"), [["2025-01-01", one or None, two or None]])
    with pytest.raises(Unprocessable) as caught:
        detect(table, KNOWN, "transactions")
    assert (caught.value.code, "#2, #3" in caught.value.detail) == ("duplicate_columns", True)


def test_a_table_has_no_roles_to_give(run: Run) -> None:
    with pytest.raises(Unprocessable) as caught:
        run("a,b\n1,2\n", {"columns": {"amount": "a"}}, dataset_type="table")
    assert caught.value.code == "unknown_role"
    assert run("a,b\n1,2\n", {"columns": {}}, dataset_type="table").dataset_type == "table"


def test_named_columns_choose_the_type_that_has_such_roles() -> None:
    table = {"Booked": DAYS[:4], "Who": ["a", "b", "a", "c"], "Sum": TOTALS}
    assert detected(table).dataset_type == "table"
    chosen = detected(table, {"date": "Booked", "amount": "Sum"})
    assert (chosen.dataset_type, chosen.band) == ("transactions", "chosen")


def test_all_columns_that_no_role_took_are_listed_and_the_amounts_among_them() -> None:
    table = {**ORDERS, "Amount": TOTALS, "Shoe size": ["41", "42", "43", "44"], "Tax": TAXES, "Note": ["a"] * 4}
    columns = found(table)
    assert columns.unused == ("Note", "Shoe size", "Tax")
    assert columns.unused_amounts == ("Tax",)


NUMBERS = [
    "Order ID", "OrderID", "orderid", "ORDERID", "payment_id", "PAYMENT ID", "paymentid", "Payment No.", "VAT-Nr",
    "taxid", "Total Rate", "ID", "Sales2024_ID", "Amount Date", "feecode",
]  # fmt: skip
MONEY = [
    "Sum Paid", "Paid", "PAID", "SumPaid", "sum_paid", "amountpaid", "Unpaid", "Prepaid", "Paid (EUR)", "Bid", "Grid",
    "Valid", "Total bid", "Abono", "Kosten Turno", "ID total", "Payé",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "is_amount"), [*((name, False) for name in NUMBERS), *((name, True) for name in MONEY)]
)
def test_the_last_word_of_a_name_says_whether_it_is_a_number_of_something(name: str, is_amount: bool) -> None:
    cells = ["12.50", "7.00", "9.95"]
    assert amounts(head({name: cells}), [0]) == ([0] if is_amount else [])


def test_a_fee_is_not_the_revenue_beside_what_was_paid() -> None:
    table = {
        "Date": DAYS[:4],
        "Order ID": ["1", "2", "3", "4"],
        "Transaction Fee": TAXES,
        "Sum Paid": ["5", "6", "7", "8"],
    }
    columns = found(table)
    assert columns.unused_amounts == ("Sum Paid",)
    assert len(columns.doubts) == 1


@pytest.mark.parametrize(
    ("amounts", "taken", "because"),
    [({"Subtotal": SUBTOTALS, "Tax": TAXES, "Total": TOTALS}, "Total", "Total = Subtotal + Tax in 4 of 4 rows"),
     ({"Gross": TOTALS, "Fee": numbers(-1.9, -3.8, -5.7, -8.65), "Net": SUBTOTALS}, "Gross", "Gross = Net - Fee"),
     ({"Gross": TOTALS, "Fee": TAXES, "Net": SUBTOTALS}, "Gross", "Gross = Net + Fee"),
     ({"Gross": TOTALS, "Discount": TAXES, "Net": SUBTOTALS}, "Net", "Net = Gross - Discount"),
     ({"qty": ["1", "2", "3", "5"], "price": numbers(10, 10, 10, 9.1), "Subtotal": SUBTOTALS, "Total": TOTALS},
      "Subtotal", "qty times price = Subtotal"),
     ({"Subtotal": SUBTOTALS, "Tax": TAXES, "Shipping": numbers(5, 5, 0, 5),
       "Total": numbers(16.9, 28.8, 35.7, 59.15)}, "Total", "Subtotal + Shipping + Tax")],
)  # fmt: skip
def test_sums_tell_which_of_two_amounts_it_is(amounts: dict[str, list[str]], taken: str, because: str) -> None:
    columns = found({**ORDERS, **amounts})
    assert (columns.roles["revenue"].column, columns.doubts) == (taken, ())
    assert because in columns.roles["revenue"].because
    assert because in columns.notes[0]
    assert detected({**ORDERS, **amounts}).dataset_type == "transactions"


def test_a_sum_that_does_not_hold_decides_nothing() -> None:
    wrong = found({**ORDERS, "Subtotal": SUBTOTALS, "Tax": TAXES, "Total": [*TOTALS[:3], "99.00"]})
    assert wrong.doubts
    assert wrong.roles["revenue"].others


def test_two_amounts_that_nothing_tells_apart_are_for_review() -> None:
    unsure = detected(TWO)
    assert (unsure.dataset_type, unsure.band, unsure.likeliest) == ("table", "review", "transactions")
    assert "gross_sales was taken as revenue, but net_sales" in unsure.decision
    assert "--column revenue=net_sales" in unsure.decision
    sure = detected(TWO, {"amount": "gross_sales"})
    assert (sure.dataset_type, sure.columns.doubts) == ("transactions", ())


def test_a_fee_beside_other_amounts_is_for_review() -> None:
    fee = {**ORDERS, "fee": numbers(1, 2, 3, 4)}
    assert detected(fee).dataset_type == "transactions"
    unsure = detected({**fee, "Cost of sale": numbers(9, 9, 8, 8)})
    assert (unsure.dataset_type, unsure.likeliest) == ("table", "transactions")
    assert "Cost of sale" in unsure.columns.doubts[0]


@pytest.mark.parametrize("other", [["s1", "s2", "s1", "s2"], ["A", "B", "A", "B"]])
def test_two_names_for_the_same_stations_make_no_difference(other: list[str]) -> None:
    table = {"Site ID": ["s1", "s2", "s1", "s2"], "Site Name": other, "Date_Time": DAYS[:4], "PCode": ["a"] * 4,
             "Result": ["1", "2", "3", "4"]}  # fmt: skip
    assert detect(head(table), KNOWN, None).columns.doubts == ()
    assert detect(head({**table, "Site Name": ["A", "A", "A", "B"]}), KNOWN, None).columns.doubts


def test_a_finding_names_the_choice(run: Run) -> None:
    rows = zip(*TWO.values(), strict=True)
    text = "\n".join([",".join(TWO), *(",".join(row) for row in rows)])
    analysis = run(text, dataset_type="transactions")
    assert analysis.detection.columns.roles["revenue"].column == "gross_sales"
    page = next(output for output in analysis.outputs if output.name == "dashboard.html").path.read_text()
    assert "gross_sales was taken as revenue, but net_sales could be it as well" in page


NAMES = st.sampled_from(
    ["order_id", "invoice_no", "order_date", "Date", "Created", "Amount", "Total", "Subtotal", "Net", "Gross", "Tax",
     "Fee", "qty", "Price", "customer", "Client", "Site", "Result", "Value", "x", "Country", "Land", "Amount (EUR)"]
)  # fmt: skip
CELLS = st.sampled_from(["1", "2.50", "-3", "2025-01-31", "a", "b", ""])


@settings(max_examples=60)
@given(st.lists(st.tuples(NAMES, st.lists(CELLS, min_size=4, max_size=4)), max_size=9, unique_by=lambda one: one[0]),
       st.randoms(use_true_random=False))  # fmt: skip
def test_the_order_of_columns_never_makes_a_difference(
    columns: list[tuple[str, list[str]]], chance: random.Random
) -> None:
    shuffled = chance.sample(columns, len(columns))
    one, other = detected(dict(columns)), detected(dict(shuffled))
    assert without_places(one) == without_places(other)


def without_places(detection: Detection) -> object:
    told = detection.model_dump(mode="json", exclude={"evidence"})
    for role in told["columns"]["roles"].values():
        del role["position"]
    return told


def test_confirmed_columns_are_remembered_by_the_header_in_any_order(make_source: MakeSource, tmp_path: Path) -> None:
    text = "\n".join([",".join(TWO), *(",".join(row) for row in zip(*TWO.values(), strict=True))])
    swapped = "\n".join(",".join(line.split(",")[::-1]) for line in text.splitlines())
    key = header_key(tuple(TWO))
    assert key == header_key(tuple(TWO)[::-1])
    columns: dict[str, str | None] = {"revenue": "net_sales", "no_role_of_today": "order_id", "order_id": None}
    kept = RememberedColumns(dataset_type="transactions", header_sha256=key or "", columns=columns)
    other = kept.model_copy(update={"header_sha256": "f" * 64, "columns": {"revenue": "gross_sales"}})

    def analysed(name: str, content: str, parameters: dict[str, JsonValue]) -> Analysis:
        (tmp_path / name).mkdir()
        sources = Sources((make_source(content),))
        found = analyse(sources, None, parameters, tmp_path / name, lambda *_: None, lambda _: None, [kept, other])
        assert isinstance(found, Analysis)
        return found

    for name, content in (("as it was", text), ("swapped", swapped)):
        found = analysed(name, content, {})
        role = found.detection.columns.roles["revenue"]
        assert (role.column, role.how, found.detection.header_sha256) == ("net_sales", "remembered", key)
        assert found.parameters["columns"] == {"revenue": "net_sales", "order_id": None}
    # What is given now goes before what was remembered.
    found = analysed("given", text, {"columns": {"amount": "gross_sales"}})
    assert found.detection.columns.roles["revenue"].how == "given"
    assert found.detection.columns.roles["order_id"].how == "remembered"


@pytest.mark.parametrize("word", ["Grosss", "#9", "", "gross_sales"])
def test_what_is_remembered_is_a_hint(word: str) -> None:
    """What is not in the file, or what a person gave to another role, is passed over."""
    columns = head({**TWO, "fee": numbers(1, 1, 1, 1)})
    told = resolve(columns, RULES, "transactions", {"revenue": "gross_sales"}, {"transaction_fee": word})
    assert (told.roles["transaction_fee"].column, told.roles["transaction_fee"].how) == ("fee", "like")
    assert [note for note in told.notes if "transaction_fee" in note] != [] or word == "gross_sales"
    found = detect(columns, KNOWN, "table", None, {"transactions": {"revenue": word, "amount": word}})
    assert found.dataset_type == "table"


@pytest.mark.parametrize("name", ["Gross " + "x" * 300, "Gross\namount", "Gross\u200b amount"])
def test_a_remembered_header_is_the_whole_header(name: str) -> None:
    columns = head({**ORDERS, "net": numbers(1, 2, 3, 4), name: numbers(5, 6, 7, 9)})
    told = resolve(columns, RULES, "transactions", {"revenue": name}).roles["revenue"].column
    assert told == name
    again = resolve(columns, RULES, "transactions", None, {"revenue": told}).roles["revenue"]
    assert (again.column, again.how) == (name, "remembered")


@pytest.mark.parametrize("names", [("#3", "#2", "#1"), ("#1", "", "1"), ("2", "", "a"), ("a", "a", "3", "#4 ")])
def test_a_label_names_its_own_column(names: tuple[str, ...]) -> None:
    assert [position_of(names, label(names, at), "revenue") for at in range(len(names))] == [*range(len(names))]


@pytest.mark.parametrize("names", [("a", ""), ("a", "a")])
def test_a_header_with_blank_or_repeated_names_is_not_remembered(names: tuple[str, ...]) -> None:
    assert header_key(names) is None
    assert detect(Preview(names, [["1", "2"]]), KNOWN, None).header_sha256 is None
