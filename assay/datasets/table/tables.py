"""The profile as tables for people: the same in the workbook and on the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.datasets.table.column import Profile
from assay.datasets.table.relations import Relation
from assay.datasets.table.report import QUANTILE_NAMES, Findings, spread_json
from assay.datasets.table.score import WEIGHTS, score
from assay.page.model import Table
from assay.page.tables import Cell

_STRONG = 0.5
_WITHHELD = "Values of columns with personal data are left out."


def tables(found: Findings) -> list[Table]:
    """Shape all tables that have a row, what people look for first at the head."""
    columns = found.columns
    made = [
        _overview(columns),
        _quality(found),
        _numbers([one for one in columns if one.is_number and one.filled]),
        _dates([one for one in columns if one.is_time and one.filled]),
        _texts([one for one in columns if one.texts is not None]),
        _top(columns),
        _strongest(found),
        _personal(columns),
        Table(
            "Refused cells",
            ["Row", "Column", "Text", "Reason"],
            [list(row) for row in found.refused.iter_rows()],
            note=f"The first {found.refused.height:,} of {found.refused_cells:,} cells that are not of their column's "
            "type; they are blank in cleaned.parquet and cleaned.csv.",
        ),
    ]
    return [table for table in made if table.rows]


def percent(part: float | None) -> str | None:
    """Write a share with one decimal; what is not quite all or nothing never looks as if it were."""
    if part is None:
        return None
    if 0 < part < 0.001:
        return "< 0.1%"
    if 0.999 < part < 1:
        return "> 99.9%"
    return f"{part:.1%}"


def _overview(columns: Sequence[Profile]) -> Table:
    heads = ["Column", "#", "Type", "Unit", "Likely", "Because", "Filled", "Blank", "Blank %", "Refused", "Distinct"]
    rows: list[list[Cell]] = []
    for one in columns:
        exact = "" if one.extent.exact else "estimate"
        kind, refused = str(one.type.kind), one.type.refused
        blank = percent(one.blank / one.rows) if one.rows else None
        likely = [one.meaning.name, one.meaning.because]
        start = [one.name, one.position, kind, one.type.unit, *likely, one.filled, one.blank, blank, refused]
        own = score([one], one.rows, None).score
        rows.append([*start, one.extent.distinct, exact, ", ".join(one.flags), own])
    note = "Blank are cells with nothing in them; refused are those that are not of their column's type."
    return Table("Columns", [*heads, "Exact", "Flags", "Quality"], rows, note)


def _quality(found: Findings) -> Table:
    parts = {
        "completeness": "Cells that are not blank",
        "uniqueness": "Rows that repeat no earlier one",
        "validity": "Filled cells that are of their column's type, and finite",
        "consistency": "Cells that are neither padded with blanks nor a rarer spelling of another",
    }
    rows: list[list[Cell]] = [
        [name, said, percent(getattr(found.score, name)), WEIGHTS[name]] for name, said in parts.items()
    ]
    return Table("Quality", ["Part", "What it is", "Share", "Weight"], rows, "The score is their weighted mean.")


def _numbers(columns: Sequence[Profile]) -> Table:
    heads = ["Column", "Unit", "Mean", "Std", "Min", *QUANTILE_NAMES, "Max", "Sum", "Zeros", "Negative", "Infinite"]
    rows: list[list[Cell]] = []
    for one in columns:
        if one.spread is None:
            continue
        figures = spread_json(one, one.spread)
        keys = ["mean", "std", "min", *QUANTILE_NAMES, "max", "sum", "zeros", "negative", "infinite"]
        values = [_cell(figures[key]) for key in keys]
        far = (one.outliers.z, one.outliers.iqr) if one.outliers else (None, None)
        rows.append([one.name, one.type.unit, *values, *far])
    note = (
        "Std is that of a sample; quantiles are linear between two values (type 7). Outliers lie more than 3 standard "
        f"deviations from the mean (z), or 1.5 interquartile ranges outside the middle half (IQR). {_WITHHELD}"
    )
    return Table("Numbers", [*heads, "Outliers (z)", "Outliers (IQR)"], rows, note)


def _dates(columns: Sequence[Profile]) -> Table:
    keys = ["min", *QUANTILE_NAMES, "max", "mean"]
    rows: list[list[Cell]] = []
    for one in columns:
        if one.spread is not None:
            figures = spread_json(one, one.spread)
            rows.append([one.name, *(_cell(figures[key]) for key in keys), one.type.note])
    return Table("Dates and times", ["Column", "Min", *QUANTILE_NAMES, "Max", "Mean", "Read as"], rows, _WITHHELD)


def _texts(columns: Sequence[Profile]) -> Table:
    rows: list[list[Cell]] = []
    for one in columns:
        if one.texts is not None and one.forms is not None:
            texts = one.texts
            mean = None if texts.lengths.mean is None else round(texts.lengths.mean, 2)
            words = round(one.forms.words, 2)
            rows.append([one.name, texts.shortest, mean, texts.longest, words, texts.padded, texts.respelled])
    heads = ["Column", "Shortest", "Mean length", "Longest", "Words a cell", "Padded", "Other spellings"]
    return Table("Texts", heads, rows, "Lengths are in characters. Other spellings differ in case or blanks alone.")


def _top(columns: Sequence[Profile]) -> Table:
    rows: list[list[Cell]] = [
        [one.name, _cell(top.value), top.count, percent(top.share)]
        for one in columns
        if "unique" not in one.flags
        for top in one.top
    ]
    note = f"Columns in which no value occurs twice have none. {_WITHHELD}"
    return Table("Most frequent values", ["Column", "Value", "Cells", "Share"], rows, note)


def pairs(relation: Relation) -> Iterator[tuple[str, str, float]]:
    """List the pairs of different columns that have a figure, each once."""
    same = relation.down == relation.across
    for i, (down, row) in enumerate(zip(relation.down, relation.values, strict=True)):
        for across, value in zip(
            relation.across[i + 1 :] if same else relation.across, row[i + 1 :] if same else row, strict=True
        ):
            if value is not None:
                yield down, across, value


def _strongest(found: Findings) -> Table:
    measures = {
        "Pearson": found.relations.pearson,
        "Spearman": found.relations.spearman,
        "Cramér's V": found.relations.cramers_v,
        "Correlation ratio": found.relations.correlation_ratio,
    }
    rows: list[list[Cell]] = []
    for measure, relation in measures.items():
        exact = "" if relation.exact else f"estimate, {relation.rows:,} rows"
        strong = [pair for pair in pairs(relation) if abs(pair[2]) >= _STRONG]
        strong.sort(key=lambda pair: -abs(pair[2]))
        rows += [[measure, down, across, value, exact] for down, across, value in strong]
    note = f"Pairs with {_STRONG} or more. Columns that hang together need not be cause and effect."
    return Table("Related columns", ["Measure", "Column", "With", "Value", "Exact"], rows, note)


def _personal(columns: Sequence[Profile]) -> Table:
    rows: list[list[Cell]] = [
        [one.name, kind.kind, kind.cells, "by its name" if kind.cells is None else "" if kind.exact else "estimate"]
        for one in columns
        for kind in one.personal
    ]
    return Table("Personal data", ["Column", "Kind", "Cells", "Exact"], rows, _WITHHELD)


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else None
