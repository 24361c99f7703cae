"""Arithmetic over parameter codes, such as `Data 2 - Data 7`: read by a parser of its own, never evaluated as code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

MAX_LENGTH = 500
MAX_DEPTH = 20
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?(?![\w.])", re.ASCII)
_UNKNOWN = re.compile(r"[^-+*/()'\"]+")


@dataclass(frozen=True)
class Formula:
    """A formula as an expression over columns named by its `names`; null where one is, or a divisor is 0.

    `divides_by_zero` is true where a divisor is 0, `adds` whether names are added or subtracted.
    """

    names: tuple[str, ...]
    value: pl.Expr
    divides_by_zero: pl.Expr
    adds: bool


def parse(text: str, known: Iterable[str]) -> Formula:
    """Read a formula of + - * / and parentheses, numbers, and names.

    A name stands there as written, blanks too, or in quotes; of the `known` names the longest that fits is taken. One
    that is not known reaches to the next sign. Raises ValueError where it is no formula, or too long or too deep.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it has {len(text):,} characters; at most {MAX_LENGTH} are read")
    parser = _Parser(text, sorted({name for name in known if name}, key=lambda name: (-len(name), name)))
    value = parser.whole()
    if not parser.names:
        raise ValueError("it names no parameter")
    zero = pl.any_horizontal(divisor == 0 for divisor in parser.divisors) if parser.divisors else pl.lit(value=False)
    return Formula(tuple(dict.fromkeys(parser.names)), value, zero.fill_null(value=False), parser.adds)


class _Parser:
    """Recursive descent: a sum of products of factors."""

    def __init__(self, text: str, known: list[str]) -> None:
        self.names: list[str] = []
        self.divisors: list[pl.Expr] = []
        self.adds = False
        self._text, self._known, self._at, self._depth = text, known, 0, 0

    def whole(self) -> pl.Expr:
        value = self._sum()
        if self._next():
            raise ValueError(f"{self._text[self._at :][:20]!r} can't be read at character {self._at + 1}")
        return value

    def _sum(self) -> pl.Expr:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"its parentheses are more than {MAX_DEPTH} deep")
        value = self._product()
        while (sign := self._next()) and sign in "+-":
            self._at += 1
            self.adds = True
            other = self._product()
            value = value + other if sign == "+" else value - other
        self._depth -= 1
        return value

    def _product(self) -> pl.Expr:
        value = self._factor()
        while (sign := self._next()) and sign in "*/":
            self._at += 1
            other = self._factor()
            if sign == "/":
                self.divisors.append(other)
                other = pl.when(other != 0).then(other)
            value = value * other if sign == "*" else value / other
        return value

    def _factor(self) -> pl.Expr:
        negative = False
        while (sign := self._next()) and sign in "+-":
            self._at += 1
            negative ^= sign == "-"
        value = self._group() if self._next() == "(" else self._operand()
        return -value if negative else value

    def _group(self) -> pl.Expr:
        self._at += 1
        value = self._sum()
        if self._next() != ")":
            raise ValueError("a parenthesis is not closed")
        self._at += 1
        return value

    def _operand(self) -> pl.Expr:
        first = self._next()
        if first in {'"', "'"}:
            end = self._text.find(first, self._at + 1)
            if end < 0:
                raise ValueError("a quote is not closed")
            return self._name(self._text[self._at + 1 : end], end + 1)
        number = _NUMBER.match(self._text, self._at)
        named = next((name for name in self._known if self._stands_here(name)), None)
        if number and named and number.end() == self._at + len(named):
            raise ValueError(f"{named} is a number and a parameter: put the parameter in quotes, or write {named}.0")
        if named is not None and not (number and number.end() > self._at + len(named)):
            return self._name(named, self._at + len(named))
        if number:
            self._at = number.end()
            return pl.lit(float(number[0]))
        unknown = _UNKNOWN.match(self._text, self._at)
        if unknown is None or not unknown[0].strip():
            raise ValueError(f"something is missing at character {self._at + 1}")
        return self._name(unknown[0].strip(), unknown.end())

    def _name(self, name: str, end: int) -> pl.Expr:
        self._at = end
        self.names.append(name)
        return pl.col(name)

    def _stands_here(self, name: str) -> bool:
        """Whether the name stands here whole: Data 1 is not the beginning of Data 18."""
        end = self._at + len(name)
        after = self._text[end : end + 1]
        return self._text.startswith(name, self._at) and not (name[-1].isalnum() and (after.isalnum() or after == "_"))

    def _next(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._text[self._at : self._at + 1]
