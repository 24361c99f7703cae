"""Columns that no role took: which of them are amounts of money or quantities, as far as names and cells tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assay.detection.evidence import TYPE_SHARE, count_of, filled
from assay.detection.names import fold_all
from assay.formats import Preview

_MOST = 200
# What stands in the name of a sum of money or a quantity, in the languages of the rules.
_AMOUNT = (
    r"amount|amt|total|sum|gross|net|price|cost|revenue|sales|value|paid|payment|balance|debit|credit|charge|refund"
    r"|fee|tax|vat|gst|discount|shipping|profit|margin|quantity|qty|units"
    r"|betrag|summe|preis|umsatz|brutto|netto|saldo|soll|haben|gebuhr|steuer|menge|anzahl"
    r"|montant|prix|brut|solde|frais|quantite|importe|monto|precio|bruto|neto|cantidad|valor|preco|quantidade"
    r"|importo|prezzo|lordo|netto|quantita|bedrag|prijs|aantal"
)
_NUMBERED = r"order|product|item|customer|client|user|account|invoice|transaction|txn|receipt|article|store|shop|row"
# A number that names or dates things, whatever else its name holds. The last word decides, as `id` also ends Paid;
# where nothing parts the words, as in `orderid`, what is numbered must stand before it.
_NO_AMOUNT = re.compile(r"(number|code|date|time|rate|pct|percent|year|month)$")
_NO_AMOUNT_WORD = re.compile(rf"(.*({_AMOUNT}|{_NUMBERED}))?(id|no|nr)", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_MONEY = re.compile(r"[^\d]{0,4}\d[\d.,' \u00a0\u202f]*[.,]\d\d[^\d]{0,4}")


def amounts(head: Preview, positions: Sequence[int]) -> list[int]:
    """Return the positions of columns of numbers that are amounts by their name, or are written with two places."""
    return [at for at in positions[:_MOST] if _is_amount(head, at)]


def numbers(head: Preview, candidates: Sequence[int]) -> dict[int, list[str | None]]:
    """Return the cells of the columns of numbers, by their position; of a wide table, not those of all."""
    by_name = sorted(range(len(head.columns)), key=lambda at: head.columns[at])
    looked_at = {*candidates, *by_name[:_MOST]}
    return {at: head.column(at) for at in looked_at if _are_numbers(filled(head, at))}


def _is_amount(head: Preview, at: int) -> bool:
    cells = filled(head, at)
    if not _are_numbers(cells):
        return False
    name = fold_all(head.columns[at])
    words = _WORD.findall(head.columns[at])
    if _NO_AMOUNT.search(name) or (words and _NO_AMOUNT_WORD.fullmatch(words[-1])):
        return False
    if re.search(_AMOUNT, name):
        return True
    return sum(_MONEY.fullmatch(cell) is not None for cell in cells) >= TYPE_SHARE * len(cells)


def _are_numbers(cells: list[str]) -> bool:
    return bool(cells) and count_of("number", cells) >= TYPE_SHARE * len(cells)
