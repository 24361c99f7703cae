"""Clean tables of several kinds, generated from a seed, as the base of the polluted files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

_FIRST = ["Ann", "Bob", "Cid", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jo", "Kim", "Lea"]
_LAST = ["Miller", "O'Neil", "van Dyk", "Smith", "Garcia", "Stone", "Kovacs", "Lind"]
_PLACES = ["Berlin", "New York", "Rio", "Cape Town", "Oslo", "Quebec", "San Jose"]
_ABROAD = ["Köln", "Łódź", "São Paulo", "Zürich", "Málaga", "Αθήνα", "東京", "Москва", "Çorum", "naïve café"]
_THINGS = ["Hiking Boots", "Wool Hat", "Camp Light", "Ear Warmer", "Leather Sofa", "Field Watch", "Trail Shoes"]
_SAYINGS = [
    "Made in the USA, to our exacting standards.",
    'The 10" model, as they say, is "just right".',
    "Soft, warm, stretchy; and it won't chip.",
    "Packs small and dries quickly",
    "A great travel shirt that resists odor, dries quickly and is easy to wash.",
    "You'll want to wear it beyond the trail",
]


@dataclass(frozen=True)
class Clean:
    """A table as it should be read: names of columns, and rows of as many texts."""

    kind: str
    header: list[str]
    rows: list[list[str]]


def _day(random: Random) -> tuple[int, int, int]:
    return random.randint(2015, 2025), random.randint(1, 12), random.randint(1, 28)


def _numbers(random: Random) -> Clean:
    rows = [
        [str(n), f"{random.gauss(20, 5):.2f}", f"{random.uniform(-1, 1):.4f}", str(random.randint(0, 10_000))]
        for n in range(1, 61)
    ]
    return Clean("numbers", ["id", "temperature", "offset", "count"], rows)


def _shop(random: Random) -> Clean:
    rows = []
    for _ in range(70):
        year, month, day = _day(random)
        code = f"{random.choice('ABGHYZ')}{random.choice('HIKNY')}-{random.randint(1000, 9999)}"
        rows.append([
            f"{day:02}/{month:02}/{year}", f"{random.randint(0, 23):02}:{random.choice((0, 15, 30, 45)):02}",
            str(random.randint(0, 30)), code, f"${random.uniform(1, 99):.2f}",
            random.choice(_THINGS) + random.choice(["", ", Plaid", ', 24"']), random.choice(_SAYINGS),
            f"https://shop.example/p/{code}.html", random.choice(["", "", "", "sold out"]),
        ])  # fmt: skip
    return Clean("shop", ["Date", "Time", "Qty", "Code", "Price", "Type", "Description", "Link", "Remarks"], rows)


def _text(random: Random) -> Clean:
    rows = [
        [f"{random.choice(_FIRST)} {random.choice(_LAST)}", random.choice(_PLACES), random.choice(_SAYINGS)]
        for _ in range(40)
    ]
    return Clean("text", ["name", "place", "remark"], rows)


def _lines(random: Random) -> Clean:
    rows = [
        [str(n), random.choice(_FIRST), "\n".join(random.sample(_SAYINGS, random.randint(1, 3))), str(n * 3)]
        for n in range(1, 31)
    ]
    return Clean("lines", ["no", "who", "note", "points"], rows)


def _dates(random: Random) -> Clean:
    rows = []
    for _ in range(50):
        year, month, day = _day(random)
        rows.append([
            f"{year}-{month:02}-{day:02} {random.randint(0, 23):02}:{random.randint(0, 59):02}:00",
            f"{random.randint(0, 23):02}:{random.randint(0, 59):02}", random.choice(["ok", "late", ""]),
        ])  # fmt: skip
    return Clean("dates", ["started_at", "clock", "state"], rows)


def _european(random: Random) -> Clean:
    rows = []
    for _ in range(50):
        year, month, day = _day(random)
        amount = f"{random.randint(1, 99)}.{random.randint(0, 999):03},{random.randint(0, 99):02}"
        rows.append([
            f"{day:02}.{month:02}.{year}", random.choice(["Miete", "Löhne", "Büro", "Gebühr"]), amount,
            f"{random.uniform(0, 19):.1f}".replace(".", ","),
        ])  # fmt: skip
    return Clean("european", ["Datum", "Konto", "Betrag", "Satz"], rows)


def _abroad(random: Random) -> Clean:
    rows = [
        [random.choice(_ABROAD), str(random.randint(1, 500)), random.choice(_ABROAD) + ", " + random.choice(_PLACES)]
        for _ in range(40)
    ]
    return Clean("unicode", ["Größe", "数", "où"], rows)


def _wide(random: Random) -> Clean:
    header = ["station", *(f"v{n}" for n in range(1, 40))]
    rows = [[f"S{n:03}", *(f"{random.gauss(0, 1):.3f}" for _ in range(39))] for n in range(25)]
    return Clean("wide", header, rows)


def _narrow(random: Random) -> Clean:
    rows = [[random.choice(_PLACES), str(random.randint(1, 999))] for _ in range(30)]
    return Clean("narrow", ["city", "visits"], rows)


def _few(random: Random) -> Clean:
    rows = [[random.choice(_FIRST), random.choice(_SAYINGS), f"{random.uniform(1, 9):.1f}"] for _ in range(3)]
    return Clean("few rows", ["author", "review", "stars"], rows)


def _words(random: Random) -> Clean:
    rows = [[random.choice(_FIRST), random.choice(_LAST), random.choice(_PLACES)] for _ in range(30)]
    return Clean("words", ["given_name", "family_name", "town"], rows)


_KINDS: list[Callable[[Random], Clean]] = [
    _numbers, _shop, _text, _lines, _dates, _european, _abroad, _wide, _narrow, _few, _words,
]  # fmt: skip


def clean_tables(seed: int) -> list[Clean]:
    """Make one table of each kind."""
    return [make(Random(f"{seed} {number}")) for number, make in enumerate(_KINDS)]  # noqa: S311  # no secret
