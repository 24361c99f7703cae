"""The findings of the dashboard: one sentence for each thing that a reader should know, what needs a look first."""

from __future__ import annotations

from calendar import monthrange
from typing import cast

from assay.datasets.transactions.counting import about_amounts, about_status
from assay.datasets.transactions.figures import money
from assay.datasets.transactions.rates import Proportion
from assay.datasets.transactions.results import Results
from assay.datasets.transactions.wording import amount_of, in_currency, rows, these
from assay.detection.detect import SURE
from assay.page.markup import few
from assay.page.model import Finding

REFUSED = {
    "missing_date": "no date",
    "unparsable_date": "a date that can't be read",
    "missing_amount": "no amount",
    "amount_not_a_number": "an amount that is no number",
    "amount_out_of_range": "an amount of more than 15 digits",
    "other_currency": "another currency",
    "total_row": "a total or a balance in place of a transaction",
    "broken_quotes": "quotes that don't close",
    "too_many_fields": "more fields than the header",
    "too_few_fields": "fewer fields than the header, and in other places",
}
_FEW = 5


def findings(results: Results) -> list[Finding]:
    """Put the findings into sentences: wrong figures first, then doubts, then facts."""
    bad = [Finding(text, "bad") for text in _wrong(results)]
    doubts = (*about_status(results), *_about_rows(results), *_reading(results))
    warn = [Finding(text, "warn") for text in doubts]
    decided, facts = about_amounts(results)
    warn += [Finding(text, "warn") for text in decided]
    plain = [Finding(text) for text in (*facts, *_facts(results))]
    good = [] if results.quality.refused else [Finding("Every row could be read.", "good")]
    checked = results.reconciliation
    if checked is not None and checked.rows and not checked.breaks:
        good.append(
            Finding(f"Revenue is quantity times unit price in all {rows(checked.rows)} that have them.", "good")
        )
    return [*bad, *warn, *plain, *good]


def _wrong(results: Results) -> list[str]:
    checked = results.reconciliation
    if checked is None or not checked.breaks:
        return []
    rounding = ""
    if checked.price_rounding:
        rounding = f"; a rounded unit price would explain {checked.price_rounding:,} of them"
    text = (
        f"{checked.breaks:,} of {rows(checked.rows)} {'has' if checked.breaks == 1 else 'have'} a revenue that is not "
        f"quantity times unit price (by more than {money(checked.tolerance, 0)}){rounding}. reconciliation.csv lists "
        "them."
    )
    return [text]


def _about_rows(results: Results) -> list[str]:
    quality, texts = results.quality, []
    if quality.refused:
        ranked = sorted(quality.refused.items(), key=lambda item: (-item[1].count, item[0]))
        reasons = ", ".join(f"{refused.count:,} with {REFUSED[reason]}" for reason, refused in ranked)
        count = results.rows_refused
        texts.append(f"{rows(count)} {'was' if count == 1 else 'were'} not used: {reasons}.")
    if results.total_rows.unmatched:
        listed = few([str(row) for row in results.total_rows.unmatched], _FEW)
        texts.append(f"Left out as totals or balances, though not the sum of the rows above: row {listed}.")
    if results.total_rows.counted:
        listed = few([str(row) for row in results.total_rows.counted], _FEW)
        texts.append(f"Counted, though perhaps totals, because not the sum of the rows above: row {listed}.")
    if quality.identical.count:
        repeat = "1 row repeats" if quality.identical.count == 1 else f"{quality.identical.count:,} rows repeat"
        are = "is" if quality.identical.count == 1 else "are"
        texts.append(
            f"{repeat} an earlier row in every cell, and {are} counted again "
            f"(row {few([str(row) for row in quality.identical.rows], _FEW)})."
        )
    if quality.conflicting.count:
        orders = "1 order has" if quality.conflicting.count == 1 else f"{quality.conflicting.count:,} orders have"
        texts.append(
            f"{orders} rows with different customers, days or currencies "
            f"(first at row {few([str(row) for row in quality.conflicting.rows], _FEW)})."
        )
    if quality.orderless:
        texts.append(f"{rows(quality.orderless)} without an order number: in the amounts, in no count of orders.")
    if results.customers is not None and results.customers.rows_without:
        texts.append(
            f"{rows(results.customers.rows_without)} without a customer: in the amounts, in no count of customers."
        )
    if quality.computed and results.roles.amount_columns:
        texts.append(f"{rows(quality.computed)} with no revenue: quantity times unit price was taken instead.")
    texts += [
        f"{results.columns[results.roles.positions[role]]}: {count:,} cells could not be read and "
        + ("count as not cancelled." if role == "cancelled" else "are left out of its sums.")
        for role, count in quality.unread.items()
    ]
    texts += [
        f"{results.columns[results.roles.positions[role]]}: {'1 cell has' if count == 1 else f'{count:,} cells have'} "
        "more than 12 digits behind the mark; they were rounded to 12."
        for role, count in results.survey.finer.items()
    ]
    for currency, judged in results.anomalies.items():
        if judged.far:
            farthest = sorted(judged.far, key=lambda day: (-abs(day.z), day.day))
            listed = few([f"{day.day} ({day.z:+.1f})" for day in farthest], _FEW)
            lie = f"{len(farthest):,} of {judged.days:,} days {'lies' if len(farthest) == 1 else 'lie'}"
            texts.append(
                f"{lie} far from the usual amount{f' in {currency}' if currency else ''} (robust z): {listed}."
            )
    return texts


def _reading(results: Results) -> list[str]:
    texts = [*results.chosen_columns.doubts]
    if results.confidence < SURE:
        names = few([results.columns[at] for at in results.roles.positions.values()])
        texts.append(
            f"Taken for transactions with a confidence of {results.confidence:.2f}: check that the columns are the "
            f"right ones ({names})."
        )
    texts += _points(results)
    if results.survey.dates.decided == "assumed month first":
        texts.append("Nothing in the file tells 1/2/2024 from 2/1/2024: month first was assumed.")
    elif results.survey.dates.decided and not results.survey.dates.sure:
        texts.append(f"Dates such as 1/2/2024 were read as {results.survey.dates.decided}.")
    if results.survey.dates.zoned:
        texts.append(
            f"{rows(results.survey.dates.zoned)} with a time zone, which was left aside: days are those of the clock."
        )
    gaps = sorted({f"{month.month:%Y-%m}" for month in results.months if month.sums is None})
    if gaps:
        texts.append(f"{len(gaps):,} {'month has' if len(gaps) == 1 else 'months have'} no rows: {few(gaps, 12)}.")
    last = max(total.last_day for total in results.totals)
    if last.day < monthrange(last.year, last.month)[1] and len({month.month for month in results.months}) > 1:
        texts.append(f"The file ends on {last}: its last month may not be over, and is marked as unfinished.")
    return texts + cast("list[str]", results.read_as.get("warnings") or [])


def _points(results: Results) -> list[str]:
    """Name the columns of amounts whose points may group thousands, and the sum that these would make."""
    roles = results.roles
    used = [role for role in roles.money_columns if results.survey.types[role].maybe_thousands]
    if not used:
        return []
    names = these([results.columns[roles.positions[role]] for role in used])
    text = f"The points of {names} were read as decimal marks, but may group thousands"
    if roles.amount_columns and {*roles.amount_columns} <= {*used} and not roles.has("refunded_amount"):
        sums = [in_currency(money(1000 * total.sums.amount, 0) or "", total.currency) for total in results.totals]
        taken = [amount_of(total, results) for total in results.totals]
        text += f": the sum would be up to {few(sums, _FEW)}, not {few(taken, _FEW)}"
    return [text + '. reading={"decimal": ","} reads them so.']


def _facts(results: Results) -> list[str]:
    texts = [*results.chosen_columns.notes]
    roles = results.roles
    if len(results.totals) > 1:
        each = few(
            [
                amount_of(total, results) + ("" if total.currency else " in no stated currency")
                for total in results.totals
            ],
            _FEW,
        )
        texts.append(f"{len(results.totals)} currencies, which are never added together: {each}.")
    for total in results.totals[:_FEW]:
        if total.sums.refund_rows:
            back = in_currency(money(-total.sums.refunds, results.places) or "", total.currency)
            kind = "Payments out" if results.negative_name == "paid_out" else "Refunds"
            texts.append(f"{kind}, which are taken off: {back} in {rows(total.sums.refund_rows)}.")
    overall = results.fraud.get("", {}).get(None)
    if overall is not None:
        texts.append(f"Fraud: {_rate(overall)}. The amounts include these rows.")
    if isinstance(results.success, Proportion):
        texts.append(f"Success: {_rate(results.success)}. The amounts include the others too.")
    if not roles.has("order_id") and roles.measure != "net_amount":
        texts.append("The file has no order numbers: every row counts as an order.")
    if not roles.has("currency") and all(total.currency is None for total in results.totals):
        texts.append("The file states no currency; all amounts are taken to be in the same one.")
    dates = [
        name
        for at, name in enumerate(results.columns)
        if at not in roles.positions.values() and "date" in name.casefold()
    ]
    if dates:
        texts.append(f"Days are those of {results.columns[roles.positions['order_date']]}; not used: {these(dates)}.")
    missing = [part.replace("_", " ") for part, why in results.left_out.items() if why.startswith("no column")]
    if missing:
        texts.append(f"The file has no columns for: {few(missing, 20)}.")
    return texts


def _rate(share: Proportion) -> str:
    return f"{share.yes:,} of {rows(share.rows)}, {share.rate:.2%} (95 % between {share.low:.2%} and {share.high:.2%})"
