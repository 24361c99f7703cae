"""What the page says in sentences: amber for what is in doubt, grey for facts."""

from __future__ import annotations

from typing import cast

from assay.datasets.station_measurements.names import alike
from assay.datasets.station_measurements.outliers import LEAST_VALUES
from assay.datasets.station_measurements.report import Quality
from assay.datasets.station_measurements.wide import ONLY_STATION
from assay.detection.detect import SURE
from assay.page.markup import few
from assay.page.model import Finding

REASONS = {
    "missing_station": "no station",
    "missing_date": "no date",
    "unparsable_date": "a date that can't be read",
    "missing_pcode": "no parameter code",
    "missing_result": "no result",
    "result_not_a_number": "a result that is no number",
    "sentinel": "a number that stands for a missing value",
    "broken_quotes": "quotes that don't close",
    "too_many_fields": "more fields than the header",
    "too_few_fields": "fewer fields than the header, and in other places",
}
# So few rows may well be slips of the pen, and decide how all the others are read.
_FEW_ROWS = 2
_FEW_GROUPS = 5
_CENTURY = 2000
# No clock is asked, so that a file gives the same page at any time: nothing was measured in such a year yet.
_NOT_YET = 2040
_MARK_NAMES = {",": "a comma", ".": "a point", " ": "a space", "'": "an apostrophe"}
_TAKEN_AS = {
    "half": "half of the limit",
    "limit": "the limit",
    "zero": "zero",
    "exclude": "nothing: they are left out",
    "km": "the Kaplan-Meier estimate has it",
}


def findings(quality: Quality) -> list[Finding]:
    """Say what was found; the page puts what needs a look first."""
    doubts = [
        *_reading(quality), *_rows_left_out(quality), *_doubtful_results(quality), *_units(quality),
        *_repeated(quality), *_names(quality), *quality.limit_problems, *_derived(quality),
    ]  # fmt: skip
    return [
        *(Finding(text, "warn") for text in doubts),
        *(Finding(text) for text in _facts(quality)),
        *(Finding(text, "good") for text in _good(quality)),
    ]


def _count(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many}"


def _rows(count: int, one: str, many: str) -> str:
    return _count(count, f"row {one}", f"rows {many}")


def _reading(quality: Quality) -> list[str]:
    """Say where the file could be read in another way than it was."""
    texts = [*quality.assignment.doubts, *quality.assignment.notes]
    if quality.confidence < SURE:
        names = few([quality.columns[at] for at in quality.roles.values() if quality.columns[at]])
        texts.append(
            f"Taken for station measurements with a confidence of {quality.confidence:.2f}: check that the columns "
            f"are the right ones ({names})."
        )
    texts += [*_wide(quality), *_short_years(quality)]
    if quality.times_unused is not None:
        texts.append(
            f"The dates have no times, and the column {quality.times_unused} was not used: "
            "too few of its cells are times such as 13:45. Every row was read as of midnight."
        )
    order_rows = quality.survey.order_rows
    order, deciding = quality.survey.dates.decided, max(order_rows.values())
    if order == "assumed month first":
        texts.append("Nothing in the file tells 1/2/2024 from 2/1/2024: month first was assumed.")
    elif order and min(order_rows.values()):
        texts.append(f"Dates such as 1/2/2024 were read as {order}.")
    elif order and deciding <= _FEW_ROWS and deciding < quality.used:
        texts.append(f"Dates such as 1/2/2024 were read as {order} because of {_rows(deciding, 'alone', 'alone')}.")
    if zoned := quality.survey.dates.zoned:
        texts.append(
            f"{_rows(zoned, 'names', 'name')} a time zone, which was left aside: times are those of the clock."
        )
    texts += cast("list[str]", quality.read_as.get("warnings") or [])
    if quality.read_as.get("decimal_comma"):
        texts.append("Results such as 1,5 were read with a decimal comma.")
    if mark := _MARK_NAMES.get(str(quality.read_as.get("thousands"))):
        texts.append(f"Results were read with {mark} between thousands. `reading` chooses another way.")
    if lines := cast("int", quality.read_as.get("multi_line_records") or 0):
        texts.append(f"{_rows(lines, 'has', 'have')} a cell with line breaks: check that quotes are closed.")
    return texts


def _wide(quality: Quality) -> list[str]:
    """Say what a table with a column for each parameter leaves open."""
    if not quality.read_as.get("parameter_columns"):
        return []
    texts = []
    if not quality.columns[quality.roles["station"]]:
        texts.append(f"No column names the station: all rows are taken for one, called {ONLY_STATION}.")
    if passed_over := cast("list[str]", quality.read_as.get("numbers_not_used") or []):
        texts.append(f"Columns of numbers that were not taken for results, by their names: {few(passed_over)}.")
    signs = quality.assignment.roles.get("prefix")
    if signs is not None:
        named = few([signs.column or "", *signs.others])
        beside = "Results beside them were taken as measured."
        texts.append(f"Signs such as < in columns of their own were not used: {named}. {beside}")
    return texts


def _short_years(quality: Quality) -> list[str]:
    first, last = quality.short_years or (0, 0)
    if not first < _CENTURY <= last and last < _NOT_YET:
        return []
    read = (
        f"Years of two digits were read as {first} to {last}: 69 to 99 are of the last century, 00 to 68 of this one."
    )
    return [f"{read} If that is wrong, write the years with four digits."]


def _rows_left_out(quality: Quality) -> list[str]:
    needed = set(quality.roles.values())
    texts = [
        f"{column.column} is blank in {column.rate:.0%} of the rows."
        for at, column in enumerate(quality.missing)
        if column.alert and quality.columns[at] in _needed_names(quality) and at in needed
    ]
    if quality.refused:
        by_count = sorted(quality.refused, key=lambda refusal: (-refusal.count, refusal.reason))
        reasons = ", ".join(f"{refusal.count:,} with {REASONS[refusal.reason]}" for refusal in by_count)
        count = sum(refusal.count for refusal in quality.refused)
        texts.append(f"{_rows(count, 'was', 'were')} refused: {reasons}.")
    if quality.sentinels:
        named = few([f"{one.value:.15g} in {quality.label(one.pcode)} ({one.count:,})" for one in quality.sentinels])
        texts.append(
            f"Taken for missing values, and not used: {named}. If they are measurements, set `sentinels` to []."
        )
    return texts


def _needed_names(quality: Quality) -> set[str]:
    """The columns that every row needs a cell in; a blank qualifier says something."""
    roles = ("station", "date_time", "pcode", "result")
    return {quality.columns[quality.roles[role]] for role in roles if role in quality.roles}


def _doubtful_results(quality: Quality) -> list[str]:
    texts = []
    if unknown := quality.total("unknown"):
        texts.append(
            f"{_count(unknown, 'result is', 'results are')} not detected (ND) or out of range, without a limit"
            + (", so that ND counts as zero." if quality.censored == "zero" else ": a day's value leaves that out.")
        )
    if quality.flags:
        named = few([f"{flag} ({rows:,})" for flag, rows in quality.flags])
        texts.append(f"Qualifiers that are not known here, so that their results count as plain values: {named}.")
    outliers = quality.outliers
    if outliers.count:
        worst = [f"{quality.label(one.pcode)} at {one.station} ({one.count:,})" for one in outliers.series]
        texts.append(
            f"{_count(outliers.count, 'result lies', 'results lie')} far from the others of the same station and "
            f"parameter: {few(worst, _FEW_GROUPS)}. They stay in the tables."
        )
    return texts


def _units(quality: Quality) -> list[str]:
    apart = quality.arrangement.apart
    texts = [
        f"{code} has results in {' and '.join(unit or 'no unit' for unit in units)}. Nothing converts one into the "
        "other: they are kept apart."
        for code, units in list(apart.items())[:_FEW_GROUPS]
    ]
    if len(apart) > _FEW_GROUPS:
        texts.append(f"{len(apart) - _FEW_GROUPS:,} more parameters have units that are kept apart.")
    texts += [
        f"The limit of {quality.label(one.pcode)} is in {one.assumed_unit}, and its results name no unit: they were "
        "taken to be in it."
        for one in quality.held
        if one.assumed_unit
    ]
    return texts


def _repeated(quality: Quality) -> list[str]:
    twice = quality.duplicates
    texts = []
    if twice.conflicting:
        gives = _rows(twice.conflicting, "gives", "give")
        texts.append(f"{gives} another result for a station, time and parameter that came before.")
    if twice.identical:
        repeats = _rows(twice.identical, "repeats", "repeat")
        texts.append(f"{repeats} an earlier row and count{'s' * (twice.identical == 1)} again.")
    return texts


def _names(quality: Quality) -> list[str]:
    texts = []
    for what, names in (("Stations", quality.stations), ("Parameter codes", quality.codes())):
        if groups := alike(names):
            named = "; ".join(" and ".join(group) for group in groups[:_FEW_GROUPS])
            more = f"; and {len(groups) - _FEW_GROUPS:,} more such groups" if len(groups) > _FEW_GROUPS else ""
            texts.append(f"{what} whose names look alike, kept apart: {named}{more}.")
    if left_out := quality.left_out():
        texts.append(f"Not in the template, so left out: {few(left_out)}.")
    if without := quality.without_data():
        texts.append(f"In the template, but without data: {few(without)}.")
    return texts


def _derived(quality: Quality) -> list[str]:
    texts = []
    for one in quality.derived:
        if one.missing:
            texts.append(f"{one.name} is blank: the data have no {few(one.missing)}.")
        if one.zero:
            texts.append(f"{one.name} is blank on {_count(one.zero, 'day', 'days')}, where it would divide by 0.")
        if one.bounds:
            days = _count(one.bounds, "day", "days")
            texts.append(f"{one.name} is blank on {days}, where an operand is only known by a limit.")
        if one.units:
            units = " and ".join(unit or "no unit" for unit in one.units)
            texts.append(f"{one.name} adds values in {units}: nothing was converted.")
    return texts


def _facts(quality: Quality) -> list[str]:
    texts = []
    if parameters := cast("list[str]", quality.read_as.get("parameter_columns") or []):
        unused = cast("list[str]", quality.read_as.get("columns_not_used") or [])
        others = f" Columns that were not used: {few(unused)}." if unused else ""
        texts.append(f"Each filled cell of these columns is a row: {few(parameters)}.{others}")
    if bounds := quality.bounds():
        below, above = quality.total("below"), quality.total("above")
        kinds = " and ".join(
            f"{count:,} {word}" for count, word in ((below, "below a limit (<)"), (above, "above one (>)")) if count
        )
        taken = f"in a day's {quality.aggregate} those below count as {_TAKEN_AS[quality.censored]}"
        if quality.aggregate in ("first", "last", "count"):
            taken = "they are counted" if quality.aggregate == "count" else "they stand in the tables as they are"
        texts.append(
            f"{_count(bounds, 'result is', 'results are')} not a number but a bound, {kinds}: {taken}. "
            "A day with nothing else shows the bound itself. `censored` chooses another way."
        )
    if by_limit := quality.total("by_limit"):
        columns = [
            quality.columns[quality.roles[role]]
            for role in ("detection_limit", "quantitation_limit")
            if role in quality.roles
        ]
        texts.append(f"{_count(by_limit, 'bound is', 'bounds are')} from the column {' or '.join(columns)}.")
    if estimated := quality.total("estimated"):
        texts.append(f"{_count(estimated, 'value is', 'values are')} marked as estimated (J, E), and used as they are.")
    converted = [
        f"{code}: {rows:,} from {given} to {unit}"
        for code, changes in quality.arrangement.converted.items()
        for given, unit, rows in changes
    ]
    if converted:
        texts.append(f"Units converted: {few(converted)}.")
    outliers = quality.outliers
    not_judged = outliers.too_few + outliers.no_spread
    if not_judged:
        texts.append(
            f"Outliers were not judged in {not_judged:,} of {outliers.judged + not_judged:,} pairs of station and "
            f"parameter: {outliers.too_few:,} have fewer than {LEAST_VALUES} values, {outliers.no_spread:,} have equal "
            "ones for the most part."
        )
    beyond = [one for one in quality.exceedances if one.above or one.below]
    if beyond:
        total = sum(one.above + one.below for one in beyond)
        named = few([f"{quality.label(one.pcode)} at {one.station} ({one.above + one.below:,})" for one in beyond])
        texts.append(f"{_count(total, 'result lies', 'results lie')} beyond a limit: {named}.")
    return texts


def _good(quality: Quality) -> list[str]:
    texts = [] if quality.refused else ["Every row could be used."]
    if not quality.duplicates.identical and not quality.duplicates.conflicting:
        texts.append("No measurement stands there twice.")
    if quality.exceedances and not any(one.above or one.below or one.undecided for one in quality.exceedances):
        texts.append("No result is beyond its limit.")
    return texts
