"""The whole way: tables as people have them, and as nobody should."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from assay.datasets.table import pipeline
from assay.datasets.table.counts import Bounds, counted_columns
from assay.formats import Table
from assay.write.unique_names import unique_names
from tests.assay.table.profiles import Profile, Profiled

ROOT = Path(__file__).parents[3]
OUTPUTS = {"profile.json", "profile.xlsx", "cleaned.parquet", "cleaned.csv", "dashboard.html"}

_PRINT_HASHES = """
import sys
from pathlib import Path
from tests.assay.table.profiles import profile_in
print(sorted(profile_in(Path(sys.argv[2]), Path(sys.argv[1]).read_bytes()).hashes().items()))
"""


def orders(count: int) -> str:
    dice = random.Random(7)  # noqa: S311 - seeded, so that every run has the same rows
    rows = (
        f"O{at:05d},2024-{1 + at % 12:02d}-{1 + at % 28:02d},{dice.choice(['DE', 'FR', 'ES'])},"
        f"{dice.choice(['web', 'Web ', 'shop'])},{dice.lognormvariate(3, 1):.2f},{dice.randrange(1, 9)},"
        f"{'' if dice.random() < 0.2 else f'{dice.gauss(0, 1e6):.3f}'},{dice.random() < 0.1}\n"
        for at in range(count)
    )
    return "order_id,order_date,country,channel,unit_price,quantity,balance,gift\n" + "".join(rows)


def test_a_usual_table(profiled: Profile) -> None:
    found = profiled(orders(500))
    assert {path.name for path in found.folder.iterdir()} == OUTPUTS
    assert found.summary.counts["rows"].read == 500
    meanings = {one["name"]: one["meaning"]["name"] for one in found.profile["columns"]}
    assert meanings == {
        "order_id": "id", "order_date": "date", "country": "country", "channel": "category", "unit_price": "money",
        "quantity": "measure", "balance": "money", "gift": "flag",
    }  # fmt: skip
    assert "unique" in found.column("order_id")["flags"]
    channel = found.column("channel")["texts"]
    assert channel["padded"] == sum(",Web ," in row for row in orders(500).splitlines())
    assert channel["respelled"] > 0
    prices = [float(row["unit_price"]) for row in csv.DictReader(orders(500).splitlines())]
    figures = found.column("unit_price")["numbers"]
    assert (figures["min"], figures["max"]) == (min(prices), max(prices))
    assert figures["mean"] == pytest.approx(sum(prices) / 500)
    blank = sum(not row["balance"] for row in csv.DictReader(orders(500).splitlines()))
    assert (found.column("balance")["blank"], found.column("balance")["filled"]) == (blank, 500 - blank)
    assert found.profile["quality"]["completeness"] == pytest.approx(1 - blank / 4000, abs=1e-6)


def test_what_was_read_is_written_typed(profiled: Profile) -> None:
    found = profiled('id,when,share,note\n007,01.02.2024,"12,5 %",=1+1\n008,31.12.2023,"7,0 %",\n')
    frame = pl.read_parquet(found.folder / "cleaned.parquet")
    assert frame.schema == {"id": pl.String, "when": pl.Date, "share": pl.Float64, "note": pl.String}
    assert frame["share"].to_list() == [12.5, 7.0]
    assert frame["note"].to_list() == ["=1+1", None]
    rows = [*csv.reader((found.folder / "cleaned.csv").read_text().splitlines())]
    assert rows == [
        ["id", "when", "share", "note"],
        ["007", "2024-02-01", "12.5", "'=1+1"],
        ["008", "2023-12-31", "7.0", ""],
    ]
    assert found.column("share")["type"]["unit"] == "%"


def test_dates_and_times_keep_their_form(profiled: Profile) -> None:
    rows = "".join(
        f"{year:04d}-03-01,2024-01-{1 + at:02d} 10:00:0{at},0{at}:30\n" for at, year in enumerate((1, 1899, 9999))
    )
    found = profiled("day,moment,clock\n" + rows)
    ends = {name: found.column(name)["dates"] for name in ("day", "moment", "clock")}
    assert (ends["day"]["min"], ends["day"]["p50"], ends["day"]["max"]) == ("0001-03-01", "1899-03-01", "9999-03-01")
    assert (ends["moment"]["min"], ends["moment"]["max"]) == (
        "2024-01-01T10:00:00.000000",
        "2024-01-03T10:00:02.000000",
    )
    assert ends["clock"]["min"].startswith("00:30:00")


def test_rows_that_repeat_are_counted(profiled: Profile) -> None:
    found = profiled("a,b\n1,x\n2,y\n1,x\n1,z\n1,x\n2,y\n")
    assert found.profile["duplicate_rows"] == {"rows": 3, "groups": 2, "first": [3, 5, 6], "exact": True}
    assert found.profile["quality"]["uniqueness"] == 0.5


def test_refused_cells_are_listed(profiled: Profile) -> None:
    found = profiled("n,x\n" + "".join(f"{at},u\n" for at in range(60)) + "many,v\n")
    assert found.column("n")["refused"] == 1
    assert "mixed" in found.column("n")["flags"]
    assert found.profile["refused"] == [{"row": 61, "column": "n", "text": "many", "reason": "not a whole number"}]


def _every_number_is_json(found: Profiled) -> None:
    text = (found.folder / "profile.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        "a,b\n,\n,\n",
        "a,a,a\n1,2,3\n4,5,6\n",
        "a,,^a.*$,*\n1,2,3,x\n4,5,6,y\n",
        "Größe,価格,🙂\nklein,1,ß\nGROß,2,é\n",
        "x,y\ninf,1\n-inf,2\n1e308,3\n-1e308,4\n2.5,5\n",
        "x,y\n123456789012345678901234567890,1\n223456789012345678901234567890,2\n",
        "x,y\n9223372036854775807,1\n-9223372036854775808,2\n9007199254740993,3\n",
        "x,y\n0.0,a\n-0.0,b\n0,c\n",
        "d,t\n0001-01-01,00:00:00\n9999-12-31,23:59:59\n",
        'a,b\n"=cmd()|1",<script>alert(1)</script>\n"line\nbreak","quo""te"\n',
        "a\u202e,b\n\u200b,x\n\u0000,y\n",
    ],
)
def test_odd_tables_make_every_output(content: str, profiled: Profile) -> None:
    found = profiled(content)
    assert {path.name for path in found.folder.iterdir()} == OUTPUTS
    _every_number_is_json(found)
    assert found.profile["rows"] == pl.read_parquet(found.folder / "cleaned.parquet").height
    assert len(found.profile["columns"]) == pl.read_parquet(found.folder / "cleaned.parquet").width
    with zipfile.ZipFile(found.folder / "profile.xlsx") as book:
        assert b"<f>" not in b"".join(book.read(name) for name in book.namelist())


def test_a_table_without_rows(profiled: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    # Text without a row is refused as it is read; other formats may have none.
    names = {"row": pl.Int64, "fault": pl.String, "0": pl.String, "1": pl.String}
    nothing = Table(("a", "a"), pl.LazyFrame(schema=names), {})
    monkeypatch.setattr(pipeline, "open_table", lambda *_arguments: nothing)
    found = profiled("")
    assert {path.name for path in found.folder.iterdir()} == OUTPUTS
    assert (found.profile["rows"], found.profile["quality"]["score"]) == (0, None)
    assert [one["flags"] for one in found.profile["columns"]] == [["empty"], ["empty"]]


def test_the_score_is_the_weighted_mean_of_its_parts(profiled: Profile) -> None:
    rows = [f"{at},ok" for at in range(30)] + ["many, ok", ",OK", ",", "7,ok"]
    found = profiled("n,word\n" + "".join(f"{row}\n" for row in rows))
    parts = found.profile["quality"]
    assert found.column("n")["refused"] == 1
    expected = {
        "completeness": 1 - 3 / 68,
        "uniqueness": 1 - 1 / 34,
        "validity": 1 - 1 / 65,
        "consistency": 1 - 2 / 64,
    }
    assert {name: parts[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    weighed = sum(parts["weights"][name] * part for name, part in expected.items())
    assert parts["score"] == pytest.approx(100 * weighed, abs=0.01)


def test_infinities_and_huge_numbers(profiled: Profile) -> None:
    found = profiled("x,y,z\n1,9007199254740993,12345678901234567890\n2,9007199254740995,22345678901234567890\n")
    assert found.column("y")["numbers"]["max"] == 9007199254740995
    assert found.column("z")["type"]["name"] == "text"
    sheet = openpyxl.load_workbook(found.folder / "profile.xlsx")["Numbers"]
    cells = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "9007199254740995" in cells


def test_a_thousand_columns_of_three_rows(profiled: Profile) -> None:
    wide = 1_000
    header = ",".join(f"c{at}" for at in range(wide))
    rows = "\n".join(",".join(str((at * row) % 7) for at in range(wide)) for row in range(1, 4))
    found = profiled(f"{header}\n{rows}\n")
    assert len(found.profile["columns"]) == wide
    assert len(found.profile["columns_not_compared"]) > 0
    assert (found.folder / "dashboard.html").stat().st_size < 1_500_000


@pytest.mark.faults
def test_whatever_the_threads_do(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(30_000))
    made = []
    for threads in (1, 4):
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "PYTHONHASHSEED": str(threads)}
        done = subprocess.run(
            [sys.executable, "-c", _PRINT_HASHES, str(path), str(tmp_path / str(threads))],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        made.append(done.stdout)
    assert made[0] == made[1]
    assert made[0].count(",") > 5


def test_what_does_not_fit_is_an_estimate_and_says_so(tmp_path: Path) -> None:
    rows = 50_000
    frame = pl.DataFrame(
        {
            "text": [f"t{at}" for at in range(rows)],
            "number": [float(at) for at in range(rows)],
            "few": [at % 5 for at in range(rows)],
        }
    )
    frame.write_parquet(tmp_path / "rows.parquet")
    bounds = Bounds(text_rows=1000, number_rows=1000, distinct=2000, sample_rows=10_000, block_cells=1)
    text, number, few = counted_columns(tmp_path / "rows.parquet", rows, bounds)
    assert few.extent.exact
    assert few.counts.tolist() == [10_000] * 5
    for one in (text, number):
        assert not one.extent.exact
        assert (one.extent.rows, one.extent.filled, one.counted) == (rows, rows, 10_000)
        assert one.extent.distinct == pytest.approx(rows, rel=0.1)
    assert (number.extent.least, number.extent.greatest) == (0.0, rows - 1)


def test_every_column_gets_a_name_of_its_own() -> None:
    assert unique_names(["a", "a", "", "a_2", " ", "a"]) == ["a", "a_2", "column_3", "a_2_2", "column_5", "a_3"]


def test_the_page_shows_whole_numbers_that_no_double_holds(profiled: Profile) -> None:
    rows = "".join(f"{2**53 + at % 3},{at},0\n" for at in range(9))
    found = profiled(f"ids,at,none\n{rows}")
    page = (found.folder / "dashboard.html").read_text(encoding="utf-8")
    assert "9,007,199,254,740,993" in page
    assert found.column("ids")["histogram"]["edges"] == [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3]
    assert "Infinite</th>" not in page
