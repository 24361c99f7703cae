"""How people write currencies: signs, codes and short words."""

from __future__ import annotations

from itertools import groupby

# ISO 4217.
_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
    "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON "
    "RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
    "UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL"
)
# The signs of Unicode's category Sc, written out: Polars has a class for them, and Python has none.
_SIGNS = (
    r"[$\u00a2-\u00a5\u058f\u060b\u07fe\u07ff\u09f2\u09f3\u09fb\u0af1\u0bf9\u0e3f\u17db\u20a0-\u20cf\ua838\ufdfc"
    r"\ufe69\uff04\uffe0\uffe1\uffe5\uffe6\U00011fdd-\U00011fe0\U0001e2ff\U0001ecb0]"
)
# By their first letters, so that most texts are refused at once.
_BY_LETTER = "|".join(
    f"{letter}(?:{'|'.join(code[1:] for code in codes)})"
    for letter, codes in groupby(_CODES.split(), lambda code: code[0])
)
CURRENCY = rf"(?:[A-Z]{{1,2}}\$|{_SIGNS}|{_BY_LETTER}|kr\.?|zł|Kč|Ft|Fr\.?|lei|Rs\.?|RM|Rp)"
"""A currency's sign, its code or what people write for it, as a regular expression for Polars and for Python."""

CODE_OF = {
    "€": "EUR", "₹": "INR", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "₦": "NGN", "₱": "PHP",
    "zł": "PLN", "Kč": "CZK", "US$": "USD", "CA$": "CAD", "AU$": "AUD", "NZ$": "NZD", "R$": "BRL", "HK$": "HKD",
}  # fmt: skip
"""The code of each sign and word that stands for one currency alone. $, ¥, £, ₩ and kr stand for several."""
