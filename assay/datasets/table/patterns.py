"""Forms that cells and names of columns have, and the check digits of those that carry some."""

from __future__ import annotations

import re

# RFC 5321 allows more; what is left out hardly occurs (quoted local parts, addresses without a dot in the domain).
EMAIL = r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}"
# ISO 13616: a country, two check digits, up to 30 letters and digits, also in groups of four.
IBAN = r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}\b"
# ISO/IEC 7812: 13 to 19 digits, in groups or not; 2 to 6 begin what banks issue.
CARD = r"\b[2-6](?:[ \-]?[0-9]){12,18}\b"
PHONE = r"(?:\+|00)?[0-9(][0-9 ()./\-]{5,20}[0-9]"
URL = r"(?i:https?://|www\.)\S+"
UUID = r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
IP = r"(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
NUMBER = r"[+\-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+\-]?[0-9]{1,3})?"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[0-9]+")
_SECRETS = (("[e-mail]", re.compile(EMAIL)), ("[IBAN]", re.compile(IBAN)), ("[card number]", re.compile(CARD)))


def words(name: str) -> list[str]:
    """Split a column's name into words in small letters: `customerID`, `Customer Id` and `customer_id` are one."""
    return [word.casefold() for word in _WORDS.findall(name)]


def luhn(text: str) -> bool:
    """Tell whether the digits of a text pass ISO/IEC 7812's check (Luhn), as those of a card do."""
    digits = [int(sign) for sign in reversed(text) if "0" <= sign <= "9"]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return len(digits) > 1 and len({*digits}) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Tell whether a text passes ISO 13616's check: letters are 10 to 35, and 97 leaves 1 (ISO 7064)."""
    plain = text.replace(" ", "")
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", plain):
        return False
    return int("".join(str(int(sign, 36)) for sign in plain[4:] + plain[:4])) % 97 == 1


def without_secrets(text: str) -> str:
    """Put the name of its kind in place of every e-mail address, IBAN and card number of a text."""
    for kind, form in _SECRETS:
        text = form.sub(kind, text)
    return text
