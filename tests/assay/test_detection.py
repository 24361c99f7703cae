from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import registry
from assay.detection import Detection, detect
from assay.detection.columns import require_columns, resolve
from assay.detection.detect import band_of
from assay.errors import Unprocessable
from assay.formats import Preview

KNOWN = registry.rules()
STATIONS = KNOWN["station_measurements"]
CELLS = ["CT", "2024-01-01 10:00:00", "Data 1", "1.5"]
ORDER = ["A-1", "2024-01-01", "C7", "19.90"]
SALES = ["A-1", "31.01.2024", "C7", "1.019,90 €"]


def detected(columns: str, *rows: list[str | None], requested: str | None = None) -> Detection:
    return detect(Preview(tuple(columns.split(",")), list(rows) or [[*CELLS]]), KNOWN, requested)


@pytest.mark.parametrize(
    "columns",
    ["Station_ID,Date_Time,PCode,Result", "station id,DATE TIME,p code,RESULT", "StationId,date-time,P_Code,result",
     "Station_ID,Date_Time,PCode,Result,Agency,Depth_M", "Station_ID,Date_Time,PCode,Result,a,b,c,d,e,f"],
)  # fmt: skip
def test_exact_names_with_data_to_match_are_sure(columns: str) -> None:
    found = detected(columns)
    assert (found.dataset_type, found.band) == ("station_measurements", "sure")
    assert found.confidence >= 0.9
    # Keys that don't recur (every row another code) can't take that away.
    rows: list[list[str | None]] = [[f"S{n}", "2024-01-01", f"D{n}", "1"] for n in range(30)]
    assert detected(columns, *rows).band == "sure"
    assert detected(columns, ["CT", "1/31/2024", "D", None]).band == "sure"


@pytest.mark.parametrize(
    ("columns", "row"),
    [("order_id,order_date,customer_id,revenue", ORDER), ("Order ID,Order Date,Customer ID,Sales", ORDER),
     ("InvoiceNo,InvoiceDate,CustomerID,Quantity,UnitPrice", ["536365", "12/1/2010 8:26", "17850", "6", "2.55"]),
     ("transaction_id,transaction_date,loan_amount,interest_rate", ["L1", "2024-05-06", "9000", "4.5%"])],
)  # fmt: skip
def test_orders_payments_and_loans_are_transactions(columns: str, row: list[str | None]) -> None:
    found = detected(columns, row)
    assert (found.dataset_type, found.band) == ("transactions", "sure")


@pytest.mark.parametrize("amount", ["₺12,50", "₹ 1,20,000.00", "12,50 zł", "kr 12.50", "US$12.50", "1 234,50 Kč"])
def test_orders_are_orders_in_any_currency(amount: str) -> None:
    found = detected("order_id,order_date,customer_id,revenue", [*ORDER[:-1], amount])
    assert (found.dataset_type, found.band) == ("transactions", "sure")


@pytest.mark.parametrize(
    ("columns", "row", "kind"),
    [("Site,Sample Date,Parameter,Value", CELLS, "station_measurements"),
     ("Messstelle,Datum,Messgröße,Messwert", CELLS, "station_measurements"),
     ("Messstelle,Datum,Messgroesse,Messwert", CELLS, "station_measurements"),
     ("ESTACION,FECHA,PARAMETRO,VALOR", CELLS, "station_measurements"),
     ("Bestellnummer,Bestelldatum,Kundennummer,Umsatz", SALES, "transactions"),
     ("N° commande,Date de commande,ID client,Montant total", SALES, "transactions"),
     ("Número do pedido,Data do pedido,ID cliente,Valor total", SALES, "transactions")],
)  # fmt: skip
def test_likely_names_and_translations_are_likely(columns: str, row: list[str | None], kind: str) -> None:
    found = detected(columns, row)
    assert (found.dataset_type, found.band) == (kind, "likely")
    assert 0.7 <= found.confidence < 0.9
    assert found.decision.startswith(f"This is likely {kind}")


def test_names_that_were_cut_off_are_known_unless_two_begin_so() -> None:
    assert detected("Station_I,Date_Tim,PCode,Result").band == "sure"
    found = KNOWN["transactions"].assign(("product_ca", "custome", "produ", "unit_"))
    assert found == {"product_category": 0, "customer_id": 1}


@pytest.mark.parametrize("row", [["a", "b", "c", "d"], ["CT", "2024-01-01", "D", "high"]])
def test_needed_columns_that_hold_something_else_are_for_review(row: list[str | None]) -> None:
    found = detected("Station_ID,Date_Time,PCode,Result", row)
    assert (found.dataset_type, found.band, found.likeliest) == ("table", "review", "station_measurements")
    assert found.runners_up[0].dataset_type == "station_measurements"
    assert "station_measurements" in found.decision
    assert "review" in found.decision


def test_a_name_that_nobody_knows_for_a_column_that_could_be_it_is_for_review() -> None:
    rows: list[list[str | None]] = [["CT", "2024-01-01", "NO3", str(n)] for n in range(12)]
    found = detected("Station_ID,Date_Time,Ingredient,Result", *rows)
    assert (found.dataset_type, found.band) == ("table", "review")
    assert (found.runners_up[0].dataset_type, found.runners_up[0].missing) == ("station_measurements", ("PCode",))
    assert "no column has the name of PCode" in found.decision
    # A number can't be the code.
    assert detected("Station_ID,Date_Time,Depth,Result", ["CT", "2024-01-01", "3", "4"]).band in {"likely", "sure"}


@pytest.mark.parametrize(
    ("columns", "row"),
    [("Date,Description,Amount,Balance", ["2024-01-01", "rent", "-900", "12.5"]),
     ("Date,Open,High,Low,Close,Volume", ["2024-01-01", "1", "2", "1", "2", "9"]),
     ("product_id,product_name,category,price", ["P1", "pen", "office", "1.5"]),
     ("id,sequence,length,organism", ["1", "ACGT", "4", "yeast"]), ("a,b,c,d", CELLS),
     ("sample,group,value,replicate", ["s1", "control", "2.5", "1"])],
)  # fmt: skip
def test_other_tables_are_tables_for_sure(columns: str, row: list[str | None]) -> None:
    found = detected(columns, row, row, row)
    assert (found.dataset_type, found.band) == ("table", "sure"), found


@pytest.mark.parametrize(
    "lines",
    ["Tyger Tyger, burning bright,|In the forests of the night;|What immortal hand or eye,|Could frame it?",
     "Shall I compare thee to a summer's day?|Thou art more lovely and more temperate:|Rough winds do shake", "a|b|c"],
)  # fmt: skip
def test_what_is_no_table_needs_a_person(lines: str) -> None:
    cells = [[cell.strip() or None for cell in line.split(",")] for line in lines.split("|")]
    found = detected(lines.partition("|")[0], *cells[1:])
    assert (found.dataset_type, found.band) == (None, "unsure")
    assert found.confidence < 0.5
    assert {one.dataset_type for one in found.runners_up} == set(KNOWN)


def test_the_evidence_is_kept_in_words_and_weights() -> None:
    found = detected("Station_ID,Date_Time,PCode,Result,Agency")
    assert [(one.strategy, one.weight, one.score) for one in found.evidence] == [
        ("exact_names", 1.0, 1.0), ("name_patterns", 0.8, 1.0), ("data_types", 0.6, 1.0), ("heuristics", 0.4, 1.0),
    ]  # fmt: skip
    assert "Date_Time: 1 of 1 are date" in found.evidence[2].found
    assert "Agency" in found.evidence[3].found
    missing = {one.dataset_type: one.missing for one in detected("Station_ID,Date_Time,x,Result").runners_up}
    assert missing["station_measurements"] == ("PCode",)


def test_a_requested_type_is_taken_and_the_evidence_is_that_of_the_file() -> None:
    found = detected("Site,Date,Param,Val", requested="station_measurements")
    assert (found.dataset_type, found.likeliest, found.band) == (
        "station_measurements",
        "station_measurements",
        "chosen",
    )
    assert found.confidence == detected("Site,Date,Param,Val").confidence
    assert detected("Site,Date,Param,Val", requested="table").dataset_type == "table"
    with pytest.raises(Unprocessable) as caught:
        detected("Site,Date,Val", requested="transactions")
    assert caught.value.code == "missing_columns"
    assert "quantity with unit_price" in caught.value.detail
    with pytest.raises(Unprocessable) as caught:
        detected("Site,Date,Val", requested="poem")
    assert "station_measurements, table, transactions" in caught.value.suggestion


def test_without_a_type_for_anything_a_person_reviews() -> None:
    found = detect(Preview(("Station_ID", "Date_Time", "PCode", "Result"), [["a"] * 4]), {"s": STATIONS}, None)
    assert (found.dataset_type, found.band, found.likeliest) == (None, "unsure", "s")


@pytest.mark.parametrize(
    ("confidence", "band"),
    [(0.9, "sure"), (0.8999, "likely"), (0.7, "likely"), (0.6999, "review"), (0.5, "review"), (0.4999, "unsure")],
)
def test_the_bands_begin_where_they_are_said_to(confidence: float, band: str) -> None:
    assert band_of(confidence) == band


def test_a_plain_name_goes_before_one_with_a_remark() -> None:
    columns = ("Result (flag)", "Station_ID", "Date_Time", "PCode", "Result")
    assert resolve(Preview(columns, []), STATIONS, "station_measurements").roles["result"].column == "Result"


def test_of_what_would_do_a_whole_set_is_needed() -> None:
    rules = KNOWN["transactions"]

    def require(*names: str) -> dict[str, int]:
        return require_columns(resolve(Preview(names, []), rules, "t"), names, rules, "t")

    assert require("order_date", "quantity", "unit_price")
    for half in (("order_date", "quantity"), ("order_date", "unit_price")):
        with pytest.raises(Unprocessable):
            require(*half)


def test_a_word_above_the_table_is_no_header() -> None:
    assert KNOWN["transactions"].header_score(("Currency", "EUR")) == 0
    assert KNOWN["transactions"].header_score(("order_date", "Amount", "x")) == 1.5


def test_it_goes_to_the_database_and_back() -> None:
    found = detected("Station_ID,Date_Time,PCode,Result")
    assert Detection.model_validate(found.model_dump(mode="json")) == found
    assert Detection.model_validate(json.loads(found.model_dump_json())) == found


NAMES = st.sampled_from(
    ["Station_ID", "Date_Time", "PCode", "Result", "Site", "Valeur", "order_id", "Amount", "qty", "x"]
)
CELL = st.text(max_size=12) | st.none() | st.sampled_from(["1.5", "2024-01-01", "CT"])


@given(st.lists(NAMES | st.text(max_size=12), max_size=12), st.lists(st.lists(CELL, max_size=12)))
def test_any_table_has_confidences_that_add_up_to_one_at_most(columns: list[str], rows: list[list[str | None]]) -> None:
    found = detect(Preview(tuple(columns), rows), KNOWN, None)
    named = {found.likeliest: found.confidence} if found.likeliest == found.dataset_type else {}
    all_of_them = named | {one.dataset_type: one.confidence for one in found.runners_up}
    assert all(0 <= one <= 1 for one in all_of_them.values())
    assert sum(all_of_them.values()) <= 1.001
    assert (found.dataset_type is None) == (found.band == "unsure")
    assert found.dataset_type == "table" or found.band != "review"
    assert found.confidence == max(all_of_them.values())
