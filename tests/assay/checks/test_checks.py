"""What breaks a schema is what the `frictionless` package finds too; and the kinds that it has no words for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import frictionless
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.errors import Unprocessable
from assay.reading import Reading
from tests.assay.checks.checking import as_csv, checked

CELLS = ["", "1", "01", "-7", "3.5", "1e3", "1000", "abc", "Ab c", "true", "False", "0", "2024-01-31", "2024-02-30",
         "12:30:00", "9007199254740993", "1,5", "NA", "2024-01", "2024"]  # fmt: skip
TYPES = ["string", "integer", "number", "boolean", "date", "time", "year", "yearmonth", "any"]
BOUNDS: dict[str, list[Any]] = {
    "integer": [0, 1, 9007199254740992],
    "number": [0.5, 3.5],
    "date": ["2024-01-31"],
    "year": [2024],
}


@st.composite
def fields(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    constraints: dict[str, Any] = {}
    for what in ("required", "unique"):
        if draw(st.booleans()):
            constraints[what] = True
    if kind in BOUNDS:
        for what in ("minimum", "maximum"):
            if draw(st.booleans()):
                constraints[what] = draw(st.sampled_from(BOUNDS[kind]))
    if kind == "string" and draw(st.booleans()):
        constraints |= {"minLength": 2, "maxLength": 4, "pattern": "[A-Za-z0-9. ]*"}
    if kind in ("string", "integer") and draw(st.booleans()):
        constraints["enum"] = ["1", "abc"] if kind == "string" else [1, -7]
    return {"name": name, "type": kind, "constraints": constraints}


TABLES = st.tuples(fields("a"), fields("b")).flatmap(
    lambda both: st.tuples(
        st.just(both),
        st.lists(st.tuples(*[st.sampled_from(CELLS)] * 2), min_size=2, max_size=12),
        st.booleans(),
        st.sampled_from(["a", None]),
    )
)


def by_frictionless(rows: list[list[str]], schema: dict[str, Any]) -> set[tuple[int, str, str]]:
    """Row (from 1), column and check of each error that the package reports."""
    resource = frictionless.Resource(data=rows, schema=frictionless.Schema.from_descriptor(schema))
    found = set()
    for error in frictionless.validate(resource, limit_errors=10_000).tasks[0].errors:
        said = error.to_dict()
        if error.type in ("primary-key", "primary-key-error"):
            found.add((said["rowNumber"] - 1, schema["primaryKey"], "primaryKey"))
            continue
        names = {"type-error": "type", "unique-error": "unique"}
        check = names.get(error.type) or re.findall(r'constraint "(\w+)"', error.note)[0]
        found.add((said["rowNumber"] - 1, said["fieldName"], check))
    # To the package a cell that is not of its type is missing from the key as well.
    return {one for one in found if one[2] != "primaryKey" or (*one[:2], "type") not in found}


# The package takes a second to be imported, and as long for a hundred small tables.
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(TABLES)
@example((({"name": "a", "type": "integer", "constraints": {"maximum": 9007199254740992}}, {"name": "b"}),
          [("9007199254740993", "x"), ("9007199254740992", "y")], False, None))  # fmt: skip
def test_the_violations_are_those_of_frictionless(
    tmp_path: Path, table: tuple[tuple[dict[str, Any], dict[str, Any]], list[tuple[str, str]], bool, str | None]
) -> None:
    (a, b), cells, quoted, key = table
    # A row of its own, so that no row is blank, and no other column is taken for a header.
    rows = [["a", "b", "c"], *([*row, f"row {number}"] for number, row in enumerate(cells))]
    schema = {"fields": [a, b, {"name": "c"}], "missingValues": ["", "NA"] if quoted else [""]}
    schema |= {"primaryKey": key} if key else {}
    # How the file is read is no matter here.
    found = checked(tmp_path, as_csv(rows), schema, reading=Reading(delimiter=",", header_line=1))
    assert {*found.violations} == by_frictionless(rows, schema)
    broken = {row for row, _, _ in found.violations}
    assert (found.checked.valid, found.checked.refused) == (len(cells) - len(broken), len(broken))
    kept = [row for number, row in enumerate(rows[1:], 1) if number in broken]
    assert found.refused == as_csv([rows[0], *kept])


ROWS = b"id,x\n1,a\n2,b\n1,c\n,d\n2,b\n"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"primaryKey": "id"}, [(3, "id", "primaryKey"), (4, "id", "primaryKey"), (5, "id", "primaryKey")]),
        ({"uniqueKeys": [["id", "x"]]}, [(5, "id | x", "uniqueKeys")]),
        ({"primaryKey": ["id", "x"], "severity": {"primaryKey": "warning"}},
         [(4, "id | x", "primaryKey"), (5, "id | x", "primaryKey")]),
    ],
)  # fmt: skip
def test_keys(tmp_path: Path, schema: dict[str, Any], expected: list[tuple[int, str, str]]) -> None:
    found = checked(tmp_path, ROWS, {"fields": [{"name": "id", "type": "integer"}, {"name": "x"}], **schema})
    assert found.violations == expected
    is_error = "severity" not in schema
    assert (found.checked.refused, found.checked.errors > 0) == (len(expected) if is_error else 0, is_error)


@pytest.mark.parametrize(
    ("rule", "header", "expected"),
    [
        ("exact", "a,b", []),
        ("exact", "b,a", [(None, "a", "fieldsMatch"), (None, "b", "fieldsMatch")]),
        ("equal", "b,a", []),
        ("equal", "a,b,z", [(None, "z", "fieldsMatch")]),
        ("equal", "a,z", [(None, "b", "fieldsMatch"), (None, "z", "fieldsMatch")]),
        ("subset", "b,z,a", []),
        ("subset", "a,z", [(None, "b", "fieldsMatch")]),
        ("superset", "a,z", [(None, "z", "fieldsMatch")]),
        ("partial", "z,a", []),
        ("partial", "y,z", [(None, "", "fieldsMatch")]),
        ("equal", "Alpha,b", []),
    ],
)
def test_headers(tmp_path: Path, rule: str, header: str, expected: list[tuple[int | None, str, str]]) -> None:
    width = header.count(",") + 1
    content = "\n".join([header, *[",".join(["x"] * width)] * 3]).encode()
    schema = {"fields": [{"name": "a", "aliases": ["Alpha"]}, {"name": "b"}], "fieldsMatch": rule}
    found = checked(tmp_path, content, schema)
    assert (found.violations, found.checked.refused) == (expected, 0)
    assert found.checked.report["passes"] is not bool(expected)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ({"type": "number", "decimalChar": ",", "groupChar": "."}, ["1.234,5", "-3"],
         ["1,2,3", "x", "1.2", "12.34.567"]),
        ({"type": "number", "bareNumber": False}, ["5 EUR", "$-2.5", "12%", "Rs. 5"],
         ["EUR", "Rs.5", "5 - 3 EUR", "-($5)", "(5 EUR", "5.00- EUR", "<5 mg", "5-pack", "5.-",
          "-$-5", "\u20135 EUR"]),
        ({"type": "number", "groupChar": ","}, ["1,234.5", "12,34,567", "-1,234,567", "1e3"],
         ["1,5", "12,34", "1,2345", "0,123", "1.234,5", ",123", "1,,234"]),
        ({"type": "number"}, ["NaN", "-INF", " 4 "], ["1_000", "0x1", "5%"]),
        ({"type": "date", "format": "%d/%m/%Y"}, ["31/01/2024"], ["01/31/2024", "2024-01-31", "31/01/24"]),
        ({"type": "date", "format": "any"}, ["31/01/2024", "2024-01-31"], ["soon", "10/02/24"]),
        ({"type": "datetime"}, ["2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00", "0987-01-31T10:00:00Z"],
         ["2024-01-31 10:00:00"]),
        ({"type": "datetime", "constraints": {"minimum": "2024-01-31T10:00:00Z"}}, ["2024-01-31T12:00:00+02:00"],
         ["2024-01-31T11:59:59+02:00"]),
        ({"type": "duration"}, ["P1Y2M", "PT5M", "P2W"], ["P", "PT", "1 day"]),
        ({"type": "geopoint"}, ["90.5, 45.5"], ["181, 0", "north"]),
        ({"type": "geopoint", "format": "array"}, ["[1, 2]"], ["[1]", "[true, 2]"]),
        ({"type": "object"}, ['{"a": 1}'], ["[1]", "{", "[" * 2000]),
        ({"type": "array"}, ["[1]"], ["1"]),
        ({"type": "geojson"}, ['{"type": "Point", "coordinates": [1, 2]}'], ['{"type": "Spot"}']),
        ({"type": "string", "format": "email"}, ["a@b.org"], ["a@b", "a b@c.org"]),
        ({"type": "string", "format": "uri"}, ["https://a.org/b?c"], ["a.org/b"]),
        ({"type": "string", "format": "uuid"}, ["0f8fad5b-d9cb-469f-a165-70867728950e"], ["0f8fad5b"]),
        ({"type": "string", "format": "binary"}, ["YWJj"], ["YWJ"]),
        ({"constraints": {"pattern": r"\p{Lu}{2}[0-9]+|x"}}, ["ÄB12", "x"], ["aB12", "xx"]),
        ({"type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]}, ["ja", "nein"], ["Ja", "true"]),
        ({"missingValues": ["-"], "constraints": {"required": True}}, ["a", " a"], ["-", " - "]),
        ({"type": "integer", "groupChar": "'"}, ["12'345", "99999999999999999999999"], ["1.0", "one"]),
    ],
)  # fmt: skip
def test_what_a_type_takes(tmp_path: Path, field: dict[str, Any], good: list[str], bad: list[str]) -> None:
    rows = [["n", "v"], *([str(number), cell] for number, cell in enumerate((*good, *bad), 1))]
    found = checked(tmp_path, as_csv(rows), {"fields": [{"name": "n"}, {"name": "v", **field}]})
    assert [row for row, _, _ in found.violations] == [*range(len(good) + 1, len(rows))]
    kept = pl.read_parquet(found.folder / "valid.parquet")
    assert (kept.height, kept["v"].null_count()) == (len(good), 0)


@pytest.mark.parametrize(
    ("constraints", "kind", "said"),
    [
        ({"pattern": "(?=a)b"}, "string", "look-around"),
        ({"pattern": "a{"}, "string", "pattern of v"),
        ({"minimum": "soon"}, "date", "minimum of v"),
        ({"enum": [1, "one"]}, "integer", "enum of v"),
    ],
)
def test_what_a_schema_can_not_say(tmp_path: Path, constraints: dict[str, Any], kind: str, said: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        checked(tmp_path, b"v,w\n1,2\n3,4\n", {"fields": [{"name": "v", "type": kind, "constraints": constraints}]})
    assert caught.value.code == "invalid_parameters"
    assert said in caught.value.detail + caught.value.suggestion


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("-$5.00", -5), ("$-5.00", -5), ("($5.00)", -5), ("- 5 EUR", -5), ("5.00 EUR-", -5), ("5-", -5), ("+5 %", 5),
        ("\u22125 kg", -5), ("$.50", 0.5), ("-1,234.5 EUR", -1234.5), ("Rs.-5", -5), ("1e-3 m", 0.001),
    ],
)  # fmt: skip
def test_a_number_among_units_keeps_its_sign(tmp_path: Path, cell: str, expected: float) -> None:
    field = {"name": "v", "type": "number", "bareNumber": False, "groupChar": ","}
    found = checked(tmp_path, as_csv([["n", "v"], ["1", cell]]), {"fields": [{"name": "n"}, field]})
    assert pl.read_parquet(found.folder / "valid.parquet")["v"].to_list() == [expected]


def test_a_warning_is_listed_and_its_row_is_valid(tmp_path: Path) -> None:
    field = {"name": "v", "type": "integer", "severity": {"maximum": "warning"}, "constraints": {"maximum": 5}}
    found = checked(tmp_path, b"v,w\n1,a\n9,b\nx,c\n", {"fields": [field, {"name": "w"}]})
    assert found.violations == [(2, "v", "maximum"), (3, "v", "type")]
    assert (found.checked.errors, found.checked.warnings, found.refused) == (1, 1, b"v,w\nx,c\n")


def test_every_violation_is_listed(tmp_path: Path) -> None:
    content = b"v,w\n" + b"".join(b"%d,same\n" % number for number in range(3_000))
    fields = [{"name": "v", "type": "date"}, {"name": "w", "constraints": {"unique": True, "maxLength": 3}}]
    found = checked(tmp_path, content, {"fields": fields})
    assert len(found.violations) == 8_999
    assert found.refused == content


@pytest.mark.parametrize(
    ("header", "row", "fields", "column"),
    [
        ("a,b,c", "x,y,z", ["a", "b", "c"], "a"),
        ("2021,2022,2023", "1,2,3", ["2021", "2022", "2023"], "2021"),
        ("a,b,c,d,e,f", "u,v,w,x,y,z", ["f"], "f"),
        ("Report\n\na,b,c", "x,y,z", ["c", "b"], "c"),
        ("k,m", "1,2", ["k", "m", "n", "o", "p"], "k"),
    ],
)
def test_a_line_of_the_schemas_names_is_the_header(
    tmp_path: Path, header: str, row: str, fields: list[str], column: str
) -> None:
    schema = {
        "fields": [{"name": name, "constraints": {"maxLength": 0}} for name in fields],
        "fieldsMatch": "partial",
    }
    found = checked(tmp_path, "\n".join([header, *[row] * 4]).encode(), schema)
    assert found.checked.rows == 4
    there = [name for name in fields if name in header.splitlines()[-1].split(",")]
    assert [one for one in found.violations if one[0] == 1] == [(1, name, "maxLength") for name in there]
    assert column in there


def test_a_cell_that_is_like_a_name_is_no_header(tmp_path: Path) -> None:
    rows = [f"{at},2024-01-{at:02},{'f' if at == 4 else 'g'}" for at in range(1, 9)]
    found = checked(tmp_path, "\n".join(rows).encode(), {"fields": [{"name": "f"}], "fieldsMatch": "partial"})
    assert found.checked.rows == 8


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2024-03-01T00:30:00+02:00", "2024-03-01T00:30:00Z", "2024-03-01T00:30:00"], "default"),
        (["01/03/2024 00:30 +0200", "01/03/2024 00:30 -0700"], "%d/%m/%Y %H:%M %z"),
    ],
)
def test_valid_rows_keep_the_zone_of_a_moment(tmp_path: Path, cells: list[str], form: str) -> None:
    rows = [["id", "at"], *([str(at), cell] for at, cell in enumerate(cells))]
    fields = [{"name": "id"}, {"name": "at", "type": "datetime", "format": form}]
    found = checked(tmp_path, as_csv(rows), {"fields": fields})
    assert found.checked.valid == len(cells)
    assert pl.read_parquet(found.folder / "valid.parquet")["at"].to_list() == cells
    assert (found.folder / "valid.csv").read_text().splitlines()[1:] == [",".join(row) for row in rows[1:]]


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"type": "string", "constraints": {"pattern": "["}}, "unclosed character class"),
        ({"type": "string", "constraints": {"pattern": "a{2,1}"}}, "invalid repetition count range"),
        ({"type": "string", "constraints": {"pattern": "(a"}}, "unclosed group"),
        ({"type": "string", "constraints": {"pattern": "(?=x)y"}}, "look-around"),
        ({"type": "date", "format": "%Q"}, "%Q"),
        ({"type": "date", "format": "%Y-%m-%d %!"}, "is none for a date"),
        ({"type": "date", "format": "yyyy-mm-dd"}, "is none for a date"),
        ({"type": "time", "format": "%Y"}, "is none for a time"),
        ({"type": "datetime", "format": "%d/%m/%Y %K"}, "is none for a datetime"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_in_its_own_words(
    tmp_path: Path, field: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unprocessable) as refused:
        checked(tmp_path, as_csv([["a"], ["2024-01-01"]]), {"fields": [{"name": "a", **field}]})
    assert why in refused.value.detail
    assert "str.contains" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "form", "cell"),
    [
        ("date", "%d %B %Y", "01 March 2024"), ("date", "%D", "03/01/24"), ("date", "%G-W%V-%u", "2024-W09-5"),
        ("date", "100%% %F", "100% 2024-03-01"), ("time", "%I:%M %p", "01:30 PM"), ("date", "%-d.%-m.%Y", "1.3.2024"),
        ("datetime", "%Y-%m-%dT%H:%M:%S%.3f", "2024-03-01T00:30:00.123"), ("datetime", "%s", "1709251200"),
    ],
)  # fmt: skip
def test_a_form_that_chrono_knows_is_taken(tmp_path: Path, kind: str, form: str, cell: str) -> None:
    fields = [{"name": "a", "type": kind, "format": form}, {"name": "b"}]
    found = checked(tmp_path, as_csv([["a", "b"], [cell, "x"]]), {"fields": fields})
    assert (found.checked.rows, found.checked.valid) == (1, 1)
