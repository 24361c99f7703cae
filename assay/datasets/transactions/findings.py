"""The findings of the dashboard: one sentence for each thing that a reader should know, what needs a look first."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence

from assay.datasets.transactions.figures import money
from assay.datasets.transactions.rates import Proportion
from assay.datasets.transactions.results import Results, Total
from assay.detection.detect import SURE
from assay.page.model import Finding

REFUSED = {
    "missing_date": "no date",
    "unparsable_date": "a date that can't be read",
    "missing_amount": "no amount",
    "amount_not_a_number": "an amount that is no number",
    "amount_out_of_range": "an amount of more than 15 digits",
    "other_currency": "another currency",
    "broken_quotes": "quotes that don't close",
    "too_many_fields": "more fields than the header",
    "too_few_fields": "fewer fields than the header, and in other places",
}
_FEW = 5


def findings(results: Results) -> list[Finding]:
    """Say what was found."""
    bad = [Finding(text, "bad") for text in _bad(results)]
    warn = [Finding(text, "warn") for text in (*_about_rows(results), *_reading(results))]
    plain = [Finding(text) for text in _plain(results)]
    good = [] if results.quality.refused else [Finding("Every row could be used.", "good")]
    checked = results.reconciliation
    if checked is not None and checked.rows and not checked.breaks:
        good.append(
            Finding(f"Revenue is quantity times unit price in all {rows(checked.rows)} that have them.", "good")
        )
    return [*bad, *warn, *plain, *good]


def rows(count: int) -> str:
    """Say how many rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def amount_of(total: Total, results: Results) -> str:
    """Write a total with its currency."""
    return in_currency(money(total.sums.amount, results.places) or "", total.currency)


def in_currency(text: str, currency: str | None) -> str:
    """Group the thousands of a written amount and put its currency behind it."""
    whole, mark, rest = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.lstrip('-')):,}{mark}{rest}" + (f" {currency}" if currency else "")


def few(names: Sequence[str], most: int = 10) -> str:
    """Name the first, and say how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _bad(results: Results) -> list[str]:
    said = []
    if len(results.totals) > 1:
        each = few(
            [
                amount_of(total, results) + ("" if total.currency else " in no stated currency")
                for total in results.totals
            ],
            _FEW,
        )
        said.append(
            f"The file has {len(results.totals)} currencies, which are never added together: {each}. "
            "Every figure is of one currency."
        )
    checked = results.reconciliation
    if checked is not None and checked.breaks:
        rounding = ""
        if checked.price_rounding:
            rounding = f"; a rounded unit price would explain {checked.price_rounding:,} of them"
        said.append(
            f"{_of(checked.breaks, checked.rows)} revenue that is not quantity times unit price "
            f"(by more than {money(checked.tolerance, 0)}){rounding}. reconciliation.csv lists them."
        )
    return said


def _about_rows(results: Results) -> list[str]:
    quality, said = results.quality, []
    if quality.refused:
        ranked = sorted(quality.refused.items(), key=lambda item: (-item[1].count, item[0]))
        reasons = ", ".join(f"{found.count:,} with {REFUSED[reason]}" for reason, found in ranked)
        count = sum(found.count for _, found in ranked)
        said.append(f"{rows(count)} {'was' if count == 1 else 'were'} not used: {reasons}.")
    if quality.identical.count:
        said.append(
            f"{_repeat(quality.identical.count)} an earlier row in every cell, and counted again "
            f"(row {few([str(row) for row in quality.identical.listed], _FEW)})."
        )
    if quality.conflicting.count:
        orders = "1 order has" if quality.conflicting.count == 1 else f"{quality.conflicting.count:,} orders have"
        said.append(
            f"{orders} rows with different customers, days or currencies "
            f"(first at row {few([str(row) for row in quality.conflicting.listed], _FEW)})."
        )
    if quality.orderless:
        said.append(f"{rows(quality.orderless)} without an order number: in the amounts, in no count of orders.")
    if results.customers is not None and results.customers.rows_without:
        said.append(
            f"{rows(results.customers.rows_without)} without a customer: in the amounts, in no count of customers."
        )
    if quality.computed and results.roles.amount_column:
        said.append(f"{rows(quality.computed)} with no revenue: quantity times unit price was taken instead.")
    said += [
        f"{results.columns[results.roles.at[role]]}: {count:,} cells could not be read and are left out of its sums."
        for role, count in quality.unread.items()
    ]
    for currency, judged in results.anomalies.items():
        if judged.found:
            farthest = sorted(judged.found, key=lambda one: (-abs(one.z), one.day))
            listed = few([f"{one.day} ({one.z:+.1f})" for one in farthest], _FEW)
            lie = f"{len(farthest):,} of {judged.days:,} days {'lies' if len(farthest) == 1 else 'lie'}"
            said.append(f"{lie} far from the usual amount{f' in {currency}' if currency else ''} (robust z): {listed}.")
    return said


def _reading(results: Results) -> list[str]:
    said = [*results.found.doubts, *results.found.notes]
    if results.confidence < SURE:
        names = few([results.columns[at] for at in results.roles.at.values()])
        said.append(
            f"Taken for transactions with a confidence of {results.confidence:.2f}: check that the columns are the "
            f"right ones ({names})."
        )
    if results.survey.dates.decided == "assumed month first":
        said.append("Nothing in the file tells 1/2/2024 from 2/1/2024: month first was assumed.")
    elif results.survey.dates.decided and not results.survey.dates.sure:
        said.append(f"Dates such as 1/2/2024 were read as {results.survey.dates.decided}.")
    if results.survey.dates.zoned:
        said.append(
            f"{rows(results.survey.dates.zoned)} with a time zone, which was left aside: days are those of the clock."
        )
    last = max(total.last_day for total in results.totals)
    if last.day < monthrange(last.year, last.month)[1] and len({one.month for one in results.months}) > 1:
        said.append(f"The last month ends on {last}: its growth may be that of a month that is not over.")
    return said


def _plain(results: Results) -> list[str]:
    said = []
    roles = results.roles
    for total in results.totals[:_FEW]:
        if total.sums.refund_rows:
            back = in_currency(money(total.sums.refunds, results.places) or "", total.currency)
            said.append(
                f"{rows(total.sums.refund_rows)} with amounts below 0, together {back}, are taken off as refunds."
            )
    overall = results.fraud.get("", {}).get(None)
    if overall is not None:
        said.append(f"Fraud: {_rate(overall)}. The amounts include these rows.")
    if isinstance(results.success, Proportion):
        said.append(f"Success: {_rate(results.success)}. The amounts include the others too.")
    if not roles.has("order_id"):
        said.append("No column of order numbers: every row counts as an order.")
    if roles.measure != "revenue":
        said.append(f"No revenue in the file: the amounts are those of {results.columns[roles.at[roles.measure]]}.")
    elif roles.amount_column is None:
        said.append("No column of revenue: it is quantity times unit price.")
    if not roles.has("currency") and all(total.currency is None for total in results.totals):
        said.append("The file states no currency; all amounts are taken to be in the same one.")
    dates = [
        name for at, name in enumerate(results.columns) if at not in roles.at.values() and "date" in name.casefold()
    ]
    if dates:
        said.append(f"Days are those of {results.columns[roles.at['order_date']]}; not used: {few(dates, _FEW)}.")
    if results.left_out:
        said.append(f"Left out for want of columns: {few(list(results.left_out), 20)}.")
    return said


def _rate(found: Proportion) -> str:
    return f"{found.yes:,} of {rows(found.rows)}, {found.rate:.2%} (95 % between {found.low:.2%} and {found.high:.2%})"


def _of(count: int, whole: int) -> str:
    return f"{count:,} of {rows(whole)} {'has' if count == 1 else 'have'} a"


def _repeat(count: int) -> str:
    return "1 row repeats" if count == 1 else f"{count:,} rows repeat"
