"""Sentences on what counts: statuses and types, and which amount was taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from assay.datasets.transactions.figures import money
from assay.datasets.transactions.ignored import Ignored, choice
from assay.datasets.transactions.results import Results
from assay.datasets.transactions.tables import NOT_COUNTED_WORDS
from assay.datasets.transactions.wording import in_currency, rows
from assay.page.markup import few

_FEW = 5


def about_status(results: Results) -> list[str]:
    """Say which rows are not counted, and which words are unknown."""
    texts = []
    if results.rows_not_counted:
        counts: dict[str, int] = defaultdict(int)
        sums: dict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
        for part in results.by_status:
            if part.not_counted is not None:
                counts[part.not_counted] += part.rows
                sums[part.not_counted, part.currency] += part.amount
        each = []
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            amounts = few(
                [
                    in_currency(money(amount, results.places) or "", currency)
                    for (of, currency), amount in sums.items()
                    if of == reason
                ],
                2,
            )
            each.append(f"{count:,} {NOT_COUNTED_WORDS[reason]} ({amounts})")
        are = "is" if results.rows_not_counted == 1 else "are"
        texts.append(
            f"{rows(results.rows_not_counted)} {are} not counted, because of the status or type: {', '.join(each)}. "
            "The table of statuses shows them; include_status chooses others."
        )
    unknown = results.statuses.unknown
    if unknown:
        column = {name: results.columns[results.roles.positions[name]] for name, _ in unknown}
        words = few([f"{word!r} ({column[name]})" for name, word in unknown], _FEW)
        texts.append(f"Not known whether these count, so their rows are counted: {words}.")
    if results.roles.has("cancelled") and "cancelled" in {part.not_counted for part in results.by_status}:
        name = results.columns[results.roles.positions["cancelled"]]
        texts.append(f'Rows that {name} marks are not counted; columns {{"cancelled": null}} counts them.')
    texts += [
        f"{results.columns[results.roles.positions[name]]} has {why}: it does not decide which rows count."
        for name, why in results.statuses.ignored.items()
        if why.startswith("more")
    ]
    return [*texts, *(_of_ignored(one, results) for one in results.ignored)]


def _of_ignored(one: Ignored, results: Results) -> str:
    """Say what a column that no figure uses could change."""
    if one.role == "discount":
        text = f"{one.name} is not taken off quantity times unit price, and is above 0 in {rows(one.rows)}."
        return f"{text} {' '.join(_discounted(name, off, results) for name, off in one.others.items())}".strip()
    sums = [in_currency(money(amount, results.places) or "", currency) for currency, amount in one.amounts.items()]
    words = f" {few([repr(word) for word in one.words], _FEW)}" if one.words else " something"
    text = f"{one.name} is not used, and has{words} in {rows(one.rows)} that {'counts' if one.rows == 1 else 'count'} "
    text += f"({few(sums, 3)}): check whether they should."
    chosen = choice(one)
    return f"{text} columns {chosen} lets it decide." if chosen else text


def _discounted(name: str, off: Mapping[str | None, Decimal], results: Results) -> str:
    totals = {total.currency: total.sums.amount for total in results.totals}
    each = [
        in_currency(money(totals[currency] - size, max(results.places, 2)) or "", currency)
        for currency, size in off.items()
    ]
    return f"As {name}, it would leave {few(each, 3)}."


def about_amounts(results: Results) -> tuple[list[str], list[str]]:
    """Say which amount was taken: choices that may be wrong, and facts."""
    roles, orders, survey = results.roles, results.orders, results.survey
    doubts, facts = [], []
    names = [results.columns[roles.positions[role]] for role in roles.amount_columns]
    debits = results.statuses.words("type", "debit")
    if debits:
        column = results.columns[roles.positions["type"]]
        words = few([repr(word) for word in debits], _FEW)
        facts.append(
            f"{column} parts debits from credits, and the amounts have no signs: those with {words} are taken off."
        )
    if roles.measure == "net_amount":
        facts.append(f"The amount of a row is {names[0]} less {names[1]}.")
    elif roles.measure != "revenue":
        doubts.append(f"No revenue in the file: the amounts are those of {names[0]}.")
    elif not names:
        facts.append("The file has no revenue: it is quantity times unit price.")
    else:
        facts.append(f"The amounts are those of {names[0]}.")
    if orders.why:
        (doubts if not orders.sure else facts).append(_of_orders(results))
    if not orders.once:
        doubts += [
            f"{results.columns[roles.positions[role]]} is the same on all lines of an order: it is counted once for "
            "each order."
            for role in orders.once_too
        ]
    if roles.has("refunded_amount"):
        facts.append(f"{results.columns[roles.positions['refunded_amount']]} is taken off the amounts.")
    facts += [
        f"{results.columns[roles.positions[role]]} is mostly below 0 in the file: its signs were turned."
        for role in sorted(survey.turned)
    ]
    return doubts, facts


def _of_orders(results: Results) -> str:
    orders = results.orders
    counted = "once for each order" if orders.once else "on each line of an order"
    text = f"Amounts are counted {counted}: {orders.why}"
    taken = {total.currency: total.sums.amount for total in results.totals}
    others = [
        in_currency(money(amount, results.places) or "", currency)
        for currency, amount in orders.other.items()
        if amount != taken.get(currency)
    ]
    if not others:
        return f"{text}."
    other = "on each line" if orders.once else "once"
    return f"{text}. Counted {other}, the sum would be {few(others, 3)}; order_amounts chooses."
