from __future__ import annotations

import pickle
from dataclasses import fields

import pytest

from slices.domain import errors
from slices.domain.errors import TradingError

SAMPLES = {"str": "x", "int": 1, "float": 0.5, "tuple[str, ...]": ("A",), "float | None": None}


def leaves() -> list[type[TradingError]]:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    return [each for each in kinds if issubclass(each, TradingError) and fields(each)]


@pytest.mark.parametrize("kind", leaves())
def test_every_error_reads_in_one_line_and_travels_between_processes(
    kind: type[TradingError],
) -> None:
    error = kind(**{each.name: SAMPLES[str(each.type)] for each in fields(kind)})
    assert str(error)
    assert "\n" not in str(error)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert str(copy) == str(error)


def test_only_passing_faults_are_worth_a_retry() -> None:
    retryable = {each.__name__ for each in leaves() if each.retryable}
    assert retryable == {"MalformedAnswerError", "RateLimitedError", "TransientSourceError"}


def test_the_tree_is_drawn_completely() -> None:
    drawing = errors.__doc__ or ""
    assert [each.__name__ for each in leaves() if each.__name__ not in drawing] == []
