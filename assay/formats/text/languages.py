"""How well a text's letters are those of one language that is written in letters."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter

# The letters beyond ASCII of languages in Latin script.
_LATIN = (
    "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíñóúü", "ãáàâçéêíóôúü", "àèéìíîòóùú", "åäöé", "æøåé", "áéíóúýþæöð", "éëïóöüèê",
    "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "čćđšž", "ăâîşţșț", "çğ\u0131iöşüâî", "ąčęėįšųūž",
    "āčēģīķļņšūž", "äõöüšž", "ëç",
)  # fmt: skip
_WESTERN = frozenset("".join(_LATIN[:9]))
# Names of several languages in one file are no rarity, but one language explains a text better.
_MIXED = 0.1
# The letters of other alphabets, the most frequent first.
_BY_FREQUENCY = {
    "CYRILLIC": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґђјљњћџўѓќѕ",
    "GREEK": "αοιετσνηυρπκμλωςδγχθφβξζψ",
    "HEBREW": "יוהלאתרבמשנעדחקפגטזסצכםןךףץ",
    "ARABIC": "اليمونرتبةعدسفهكقحجأصشطخضذزثإئءغىؤظآ",
    "THAI": "นารกเองมยลวดทสตะปบคหแจพชขใไโผฟถศซธฐณภฤญฎฏฉฆฌฒ",
}


def coverage(text: str) -> float:
    """How well the letters beyond ASCII are those of a language, in [0, 1]; 1 where there are none.

    In Latin script the share that the best language has; in another how near the letters are to the most frequent ones.
    """
    # Portuguese has õ before e alone, Hungarian ő, which is written alike elsewhere, before any letter.
    lower = text.lower().replace("õe", "e")
    letters = Counter(letter for letter in lower if letter > "\x7f" and letter.isalpha() and letter not in "ªºµ")
    count = letters.total()
    if not count:
        return 1.0
    script = unicodedata.name(letters.most_common(1)[0][0], "?").split()[0]
    if script == "LATIN":
        shares = [sum(letters[letter] for letter in own) / count for own in _LATIN]
        mixed = sum(letters[letter] for letter in _WESTERN) / count
        return max(*shares, mixed - _MIXED)
    order = _BY_FREQUENCY.get(script, "")
    if not order:
        return 0.0
    ranks = {letter: rank for rank, letter in enumerate(order)}
    near = sum(times * math.exp(-3 * ranks[each] / len(order)) for each, times in letters.items() if each in ranks)
    return near / count
