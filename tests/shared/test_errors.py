"""The chain of errors that led to one."""

from __future__ import annotations

import pytest

from shared.errors import chain


def _raise_from_hidden() -> None:
    try:
        int("x")
    except ValueError:
        raise KeyError from None


def test_a_chain_has_causes_and_what_from_none_hides() -> None:
    with pytest.raises(KeyError) as caught:
        _raise_from_hidden()
    last = RuntimeError()
    last.__cause__ = caught.value
    assert [type(link) for link in chain(last)] == [RuntimeError, KeyError, ValueError]


def test_a_chain_that_comes_round_to_itself_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert list(chain(first)) == [first, second]
