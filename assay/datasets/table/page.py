"""The profile as a page: figures, what to doubt, charts, tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from assay.datasets.table import limits
from assay.datasets.table.column import Profile
from assay.datasets.table.numbers import Bins
from assay.datasets.table.relations import Relation
from assay.datasets.table.report import Findings, as_value
from assay.datasets.table.tables import pairs, percent, tables
from assay.page.model import Bars, Figure, Finding, Heat, Histogram, Page, Table, Tone
from assay.types import Kind

_GOOD, _FAIR = 90.0, 70.0
_BLANK_ALERT = 0.3
_SAME = 0.999
_HEAT_COLUMNS = 25
_FEW = 8
_IDLE = (None, "", 0, "0.0%")


def page(found: Findings) -> Page:
    """Shape the dashboard."""
    cells = found.rows * len(found.columns)
    score = found.score.score
    tone: Tone = "plain" if score is None else "good" if score >= _GOOD else "plain" if score >= _FAIR else "warn"
    blank = percent(found.blank / cells) if cells else None
    repeated = found.duplicates.rows
    charts, without = _charts(found.columns)
    return Page(
        title="Profile of a table",
        subtitle="Every column: what is in it, what is missing, what to doubt",
        figures=[
            Figure("Rows", f"{found.rows:,}"),
            Figure("Columns", f"{len(found.columns):,}"),
            Figure("Quality", "none" if score is None else f"{score:.1f} of 100", tone),
            Figure("Blank cells", f"{found.blank:,}" + (f" ({blank})" if blank else "")),
            Figure("Repeated rows", f"{repeated:,}", "warn" if repeated else "good"),
            Figure("Refused cells", f"{found.refused_cells:,}", "warn" if found.refused_cells else "good"),
        ],
        findings=_findings(found),
        panels=[*_blanks(found.columns), *_heats(found), *charts],
        tables=[_without_idle(table) for table in tables(found)],
        without_panel=without,
    )


def _findings(found: Findings) -> list[Finding]:
    columns = found.columns
    said: list[Finding] = []
    if not found.rows:
        said.append(Finding("The table has no rows.", "warn"))
    said += [Finding(text, "warn") for text in cast("list[str]", found.read_as.get("warnings") or [])]
    for one in columns:
        if one.personal:
            kinds = ", ".join(sorted({each.kind for each in one.personal}))
            by = "" if any(each.cells is not None for each in one.personal) else ", to judge by its name"
            said.append(Finding(f"{one.name} holds personal data ({kinds}){by}."))
    said = said[: 2 * _FEW]
    if found.duplicates.rows:
        first = ", ".join(f"{row:,}" for row in found.duplicates.first[:_FEW])
        said.append(Finding(f"{found.duplicates.rows:,} rows repeat an earlier one, first: {first}.", "warn"))
    said += _named(columns, "Without any value", "empty", "plain")
    said += _named(columns, "The same value in every filled cell", "constant", "plain")
    said += _named(columns, "Of mixed types", "mixed", "warn")
    missing = [one for one in columns if one.filled and one.blank >= _BLANK_ALERT * one.rows]
    said += _list(missing, f"Blank in {_BLANK_ALERT:.0%} of the rows or more")
    grouped = [one for one in columns if one.type.maybe_thousands]
    said += _list(
        grouped,
        'Points were read as decimal marks, but may group thousands (1.100 for 1,100; reading={"decimal": ","} reads '
        "them so), in",
    )
    if found.refused_cells:
        refusing = [one for one in columns if one.type.refused]
        said += _list(refusing, f"{found.refused_cells:,} cells are not of their column's type, in")
    said += _list([one for one in columns if one.texts and one.texts.respelled], "One text in several spellings, in")
    said += _list(
        [one for one in columns if one.texts and one.texts.padded], "Blanks before or after the text, in", "plain"
    )
    said += _list([one for one in columns if one.spread and one.spread.infinite], "Infinite values, in")
    for down, across, value in pairs(found.relations.pearson):
        if abs(value) >= _SAME and len(said) < 4 * _FEW:
            said.append(Finding(f"{down} and {across} say the same: their correlation is {value:.3f}."))
    estimates = [one for one in columns if not one.extent.exact]
    said += _list(estimates, "Too many different values to count all: figures are estimates from a sample of rows, in")
    if not found.relations.spearman.exact:
        rows = max(found.relations.spearman.rows, found.relations.cramers_v.rows)
        said.append(Finding(f"Spearman's correlations and the associations are estimates, from {rows:,} rows."))
    keys = [one for one in columns if "unique" in one.flags and one.filled == one.rows and one.meaning.name == "id"]
    said += _list(keys, "Identifies every row", "good")
    if not found.duplicates.rows and found.rows:
        said.append(Finding("No row repeats another.", "good"))
    return said


def _without_idle(table: Table) -> Table:
    """Leave out the columns that say nothing: blank or 0 in every row of several. The first one stays."""
    if len(table.rows) < 2:
        return table
    kept = [at for at in range(len(table.columns)) if not at or any(row[at] not in _IDLE for row in table.rows)]
    if len(kept) == len(table.columns):
        return table
    note = f"{table.note} Columns that are blank or 0 in all rows are left out.".strip()
    rows = [[row[at] for at in kept] for row in table.rows]
    return Table(table.title, [table.columns[at] for at in kept], rows, note)


def _named(columns: Sequence[Profile], text: str, flag: str, tone: Tone) -> list[Finding]:
    return _list([one for one in columns if flag in one.flags], text, tone)


def _list(columns: Sequence[Profile], text: str, tone: Tone = "warn") -> list[Finding]:
    if not columns:
        return []
    names = ", ".join(one.name for one in columns[:_FEW])
    more = f" and {len(columns) - _FEW:,} more" if len(columns) > _FEW else ""
    return [Finding(f"{text}: {names}{more}.", tone)]


def _blanks(columns: Sequence[Profile]) -> list[Bars]:
    with_blanks = sorted((one for one in columns if one.blank), key=lambda one: -one.blank)
    if not with_blanks:
        return []
    shares = [round(100 * one.blank / one.rows, 3) for one in with_blanks]
    return [Bars("Blank cells", "% of the rows", [one.name for one in with_blanks], shares)]


def _heats(found: Findings) -> list[Heat]:
    relations = found.relations
    made = [
        ("Correlations of numbers (Pearson)", relations.pearson),
        ("Correlations of ranks (Spearman)", relations.spearman),
        ("Associations of categories (Cramér's V)", relations.cramers_v),
        ("Numbers by categories (correlation ratio)", relations.correlation_ratio),
    ]
    return [_heat(title, one) for title, one in made if any(True for _ in pairs(one))]


def _heat(title: str, relation: Relation) -> Heat:
    many = max(len(relation.down), len(relation.across)) > _HEAT_COLUMNS
    notes = [
        "" if relation.exact else f"An estimate, from {relation.rows:,} rows spread evenly.",
        f"The first {_HEAT_COLUMNS} columns; profile.json has all." if many else "",
    ]
    return Heat(
        title,
        relation.down[:_HEAT_COLUMNS],
        relation.across[:_HEAT_COLUMNS],
        [row[:_HEAT_COLUMNS] for row in relation.values[:_HEAT_COLUMNS]],
        note=" ".join(filter(None, notes)),
    )


def _charts(columns: Sequence[Profile]) -> tuple[list[Histogram | Bars], list[str]]:
    """A chart for each column that has one, the first of them; and the names of the others."""
    charts: list[Histogram | Bars] = []
    without = []
    for one in columns:
        if one.withheld or (one.meaning.name == "id" and "unique" in one.flags):
            continue
        if len(charts) == limits.SHOWN_CHARTS:
            without.append(one.name)
        elif one.is_number and one.bins is not None and one.bins.counts and not _is_apart(one.bins):
            starts = [f"{edge:,}" for edge in one.bins.edges[:-1]]
            charts.append(
                Bars(one.name, "cells", starts, one.bins.counts, f"Each bar begins where it says. {_note(one)}")
            )
        elif one.is_number and one.bins is not None and one.bins.counts:
            charts.append(Histogram(one.name, one.type.unit, one.bins.edges, one.bins.counts, _note(one)))
        elif one.is_time and one.bins is not None and len(one.bins.counts) > 1:
            starts = [str(as_value(one, edge)) for edge in one.bins.edges[:-1]]
            charts.append(
                Bars(one.name, "cells", starts, one.bins.counts, f"Each bar begins where it says. {_note(one)}")
            )
        elif one.type.kind in (Kind.TEXT, Kind.BOOLEAN) and one.top and one.top[0].count > 1:
            shares = [round(100 * top.share, 3) for top in one.top]
            more = one.extent.distinct - len(one.top)
            note = f"{more:,} other values are not shown." if more > 0 else ""
            charts.append(Bars(one.name, "% of the filled cells", [_label(top.value) for top in one.top], shares, note))
    return charts, without


def _is_apart(bins: Bins) -> bool:
    """Whether the edges are different doubles, which those of whole numbers beyond 2**53 may not be."""
    return len({float(edge) for edge in bins.edges}) == len(bins.edges)


def _label(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _note(one: Profile) -> str:
    notes = ["" if one.extent.exact else "An estimate, from a sample of rows."]
    if one.spread and one.spread.infinite:
        notes.append(f"{one.spread.infinite:,} infinite values are left out.")
    return " ".join(filter(None, notes))
