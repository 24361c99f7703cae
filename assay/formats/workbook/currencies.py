"""Which currencies the number formats of an XLSX's cells name: the reader gives the numbers alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from assay.contract import Source
from assay.formats.archive import members
from assay.formats.problems import listed, shown
from assay.formats.workbook.check_xlsx import Parts, part_name
from assay.formats.workbook.shared_texts import local_name

_STYLES = "xl/styles.xml"
# ECMA-376, part 1, 18.8.30: what these stand for depends on the program's country, and is the dollar by the standard.
_BUILT_IN = dict.fromkeys(("5", "6", "7", "8", "42", "44"), "$")
# A currency and the country whose it is (https://learn.microsoft.com/openspecs/windows_protocols/ms-lcid).
_WITH_COUNTRY = re.compile(r"\[\$([^\]-]+)(?:-([0-9A-Fa-f]+))?\]")
_DOLLARS = {"1009": "CA$", "c09": "AU$", "1409": "NZ$", "80a": "MX$", "4809": "SG$", "c04": "HK$"}
_BRACKETS = re.compile(r"\[[^\]]*\]")
_CODE = re.compile(
    r'"\s*(AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RUB|SEK|SGD|TRY|USD|ZAR)\s*"'
)
_SAME = {"EUR": "€", "USD": "$", "GBP": "£", "INR": "₹", "KRW": "₩", "US$": "$"}
_LETTERS = re.compile("[A-Z]+")


def currency_of(number_format: str) -> str:
    """The currency that a number format names, as a sign or a code; blank for none."""
    if found := _WITH_COUNTRY.search(number_format):
        sign = found[1].strip()
        sign = _DOLLARS.get((found[2] or "").lower().lstrip("0"), sign) if sign == "$" else sign
        return _SAME.get(sign, sign)
    plain = _BRACKETS.sub("", number_format)
    sign = next((one for one in plain if unicodedata.category(one) == "Sc"), "")
    if not sign and (code := _CODE.search(plain)):
        sign = code[1]
    return _SAME.get(sign, sign)


def mixed_currencies(source: Source, sheets: list[str]) -> list[str]:
    """Say in which columns of these sheets the formats of numbers name more than one currency.

    Nothing is read but the styles where these name no two. Raises Unprocessable as `check_workbook` does.
    """
    with source.path.open("rb") as file:
        parts = Parts(file, {part_name(info): info for info in members(source.path)}, (".xml", ".rels"), "xl/")
        if _STYLES not in parts.names:
            return []
        styles = _currencies_of_styles(parts)
        if len({currency for currency in styles if currency}) < 2:
            return []
        return [
            text
            for part, sheet in parts.sheet_names().items()
            if sheet in sheets
            for text in _mixed_in(parts, part, sheet, styles)
        ]


def _currencies_of_styles(parts: Parts) -> list[str]:
    """The currency of each style that a cell may have, by its number."""
    formats, styles, within = {**_BUILT_IN}, list[str](), ""

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal within
        name = local_name(tag)
        if name in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = name
        elif name == "numFmt" and within != "dxfs":
            formats[attributes.get("numFmtId", "")] = currency_of(attributes.get("formatCode", ""))
        elif name == "xf" and within == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))

    parts.parse(_STYLES, start)
    return [formats.get(style, "") for style in styles]


def _mixed_in(parts: Parts, part: str, sheet: str, styles: list[str]) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    cell: tuple[str, str] | None = None
    place = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal cell, place
        name = local_name(tag)
        if name == "row":
            place = 0
        elif name == "c":
            place += 1
            style, letters = attributes.get("s", ""), _LETTERS.match(attributes.get("r", ""))
            number = attributes.get("t", "n") == "n" and style.isdecimal() and int(style) < len(styles)
            # A cell that does not say where it is stands beside the one before it.
            column = letters[0] if letters else f"number {place:,}"
            cell = (column, styles[int(style)]) if number else None
        elif name == "v" and cell is not None:
            counts.setdefault(cell[0], Counter())[cell[1]] += 1

    parts.parse(part, start)
    said = []
    for column, count in counts.items():
        named = [f"{sign} in {cells:,} cells" for sign, cells in count.most_common() if sign]
        if len(named) > 1:
            said.append(
                f"The number formats in column {column} of the sheet {shown(sheet)} name {len(named)} currencies: "
                f"{listed(named)}. They are not read, and all its numbers are taken to be in the same currency. "
                "Write the currency into a column of its own."
            )
    return said
