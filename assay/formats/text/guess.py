"""Which encoding a text has that is not UTF-8: the one in which its words are words of one script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from assay.formats.text.east_asian import judged
from assay.formats.text.languages import coverage

_WESTERN = ("cp1252", "latin_1")
_OTHERS = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "iso8859_2", "koi8_r")
# What old programs write, and Thai, of which nearly every byte is a letter: only where no other makes words.
_OLD = ("cp850", "mac_roman", "cp866", "cp874")
# How much more like a language a text must be in another encoding than in a western one.
_CLEARLY = 0.2
# Of the words so many must be of one script, and of the characters so many be everyday ones.
_CONSISTENT = 0.9
_EVERYDAY, _MOSTLY_EVERYDAY = 0.85, 0.6
# Shares that differ by less are equal.
_ABOUT = 0.01
# So many accented letters stand side by side in a Latin word at most, and no word of so many letters has them alone.
_ACCENTS, _FEW_LETTERS = 4, 3
# The logarithm of how much likelier one encoding of East Asia must be than the next to leave no doubt.
_NO_DOUBT = 1.0
# Signs that stand within words or at their edges in honest texts.
_EDGES = "€£¥¤¢§©®™¬¶№°±²³¹ªº«»„“”…•·¡¿%‰†‡÷¼½¾µ\u00a0\u00ad\u2013\u2014\u2018\u2019\u201a\u2039\u203a\u00d7"
# Beside a letter these stand in no text.
_NOT_BEFORE = "¬¶±²³¹ª€£¥¤¢…‰†‡÷¼½¾%\u00ad"
_NOT_BEHIND = "¬¶±§€£¥¤¢¿¡÷¼½¾"
_WITHIN = "·ªº°²³µ\u00ad\u2013\u2018\u2019"
# What ASCII has of signs parts words, but the apostrophe and the hyphen.
_WORD = re.compile(r"[^\s!-&(-,./:-@\[-`{-~]+")
_MOST_WORDS = 5000


@dataclass(frozen=True)
class Guess:
    """The encoding, and others in which the text would read otherwise, but no worse."""

    encoding: str
    others: tuple[str, ...] = ()


def guess_encoding(sample: bytes) -> Guess | None:
    """Tell a sample's encoding; None where no known one makes words of it.

    East Asian encodings go before others where nearly all characters are everyday ones, western ones before those that
    are not clearly more like a language.
    """
    modern, best = _consistent(sample, (*_WESTERN, *_OTHERS))
    least = _EVERYDAY if modern else _MOSTLY_EVERYDAY
    eastern = [each for each in judged(sample) if each.everyday >= least]
    if eastern and (not modern or eastern[0].everyday > best):
        doubtful = [each.encoding for each in eastern if each.likelihood >= eastern[0].likelihood - _NO_DOUBT]
        return _different(sample, doubtful)
    texts = modern or _consistent(sample, _OLD)[0]
    return _different(sample, _by_language(sample, texts)) if texts else None


def _consistent(sample: bytes, encodings: Sequence[str]) -> tuple[dict[str, str], float]:
    """The texts of a sample in the encodings that make the most words of it, and their share; none where it is low."""
    shares: dict[str, float] = {}
    texts: dict[str, str] = {}
    for encoding in encodings:
        try:
            texts[encoding] = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        shares[encoding] = _consistency(texts[encoding])
    best = max(shares.values(), default=0.0)
    if best < _CONSISTENT:
        return {}, best
    return {name: texts[name] for name, share in shares.items() if share >= best - _ABOUT}, best


def _by_language(sample: bytes, texts: Mapping[str, str]) -> list[str]:
    """Put first the encoding in which a sample is most like a language, a western one unless another clearly is.

    Only those follow that are as good: all letters of one language, as often as it has them.
    """
    covered = {name: coverage(text) for name, text in texts.items()}
    most = max(covered.values())
    likely = [name for name in texts if covered[name] >= most - _ABOUT]
    if len(likely) == 1:
        return likely
    from charset_normalizer import from_bytes  # noqa: PLC0415  # most texts are UTF-8, and its tables take time to load

    like: dict[str, float] = {}
    for name in likely:
        matches = from_bytes(sample, cp_isolation=[name], threshold=1.0)
        like[name] = max((match.coherence for match in matches), default=0.0)
    western = next((name for name in _WESTERN if name in likely), None)
    best = max(likely, key=lambda name: like[name])
    if western is not None and like[best] < like[western] + _CLEARLY:
        best = western
    return [best, *(name for name in likely if name != best and like[name] >= like[best])]


def _different(sample: bytes, names: list[str]) -> Guess:
    """The first encoding, and those of the others in which the sample reads otherwise."""
    texts = {name: sample.decode(name, "replace") for name in names}
    others: list[str] = []
    for name in names[1:]:
        if texts[name] not in [texts[each] for each in (names[0], *others)]:
            others.append(name)
    return Guess(names[0], tuple(others))


def _consistency(text: str) -> float:
    """The share of a text's words with other characters than ASCII that are words of one script; 1 where none is."""
    words = [word for word in _WORD.findall(text) if not word.isascii()][:_MOST_WORDS]
    return sum(map(_is_word, words)) / len(words) if words else 1.0


@lru_cache(maxsize=1 << 13)
def _is_word(word: str) -> bool:
    """Whether a word's letters are of one script and its capitals stand first, and signs stand where they may."""
    inner = word.strip(_EDGES)
    before, after = word[: word.find(inner)], word[word.find(inner) + len(inner) :]
    if not inner or (inner.isascii() and not inner.isalpha()):
        return True
    if before == "°":
        return inner[0] in "CFKNSEWO"
    scripts = [_script(character) for character in inner]
    if None in scripts or len({script for script in scripts if script}) > 1:
        return False
    if len(before) > 1 or (before and before in _NOT_BEFORE) or any(sign in _NOT_BEHIND for sign in after):
        return False
    letters = [character for character in inner if character.isalpha()]
    cased = "".join(letters)
    if cased not in (cased.lower(), cased.upper(), cased.capitalize(), cased.title()) and not cased[1:].islower():
        return False
    foreign = "".join(" " if character.isascii() else "x" for character in letters)
    is_all_foreign = len(foreign) >= _FEW_LETTERS and " " not in foreign
    return "LATIN" not in scripts or not (is_all_foreign or len(max(foreign.split(), key=len, default="")) > _ACCENTS)


def _script(character: str) -> str | None:
    """The script of a letter, "" for what goes with any, None for what stands in no word."""
    if character.isascii():
        return "LATIN" if character.isalpha() else ""
    if character in _WITHIN:
        return ""
    if not character.isalpha() and unicodedata.category(character)[0] not in "MN":
        return None
    return unicodedata.name(character, "?").split()[0]
