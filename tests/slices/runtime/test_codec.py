from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.alerts import Level, RowsQuarantined
from slices.domain.errors import IntegrityError, SymbolNotFoundError
from slices.domain.fingerprint import bytes_digest, fingerprint
from slices.domain.parameters import Costs
from slices.domain.portfolio import Allocator
from slices.runtime.codec import RecordedError, UnencodableError, decode, encode

VALUES: list[Any] = [
    None,
    True,
    -3,
    0.1,
    "text with \n and é",
    (1, (2.5, "x")),
    [1, [2]],
    {"a": 1, "$": 2},
    {1: dt.date(2020, 1, 2)},
    dt.datetime(2020, 1, 2, 3, tzinfo=dt.UTC),
    dt.timedelta(days=-1, microseconds=7),
    Path("some/where"),
    Allocator.RISK_PARITY,
    Costs(commission_bps=1.25),
    RowsQuarantined(subject="AAPL", level=Level.WARNING, message="m", rows=3),
    tuple(float(x) / 3 for x in range(40)),
    tuple(dt.date(1960, 1, 1) + dt.timedelta(days=x) for x in range(40)),
    tuple(range(40)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_equal_and_of_the_same_type(value: Any) -> None:
    copy = decode(encode(value))
    assert copy == value
    assert type(copy) is type(value)
    assert fingerprint(copy) == fingerprint(value)


def test_frames_and_arrays_come_back_exactly() -> None:
    frame = pl.DataFrame({"s": ["a", None], "x": [math.nan, None], "d": [dt.date(2020, 1, 1)] * 2})
    array = np.array([[1.5, math.inf], [math.nan, -0.0]])
    assert decode(encode(frame)).equals(frame, null_equal=True)
    np.testing.assert_array_equal(decode(encode(array)), array)
    assert decode(encode(np.float64(0.5))) == 0.5


@given(st.recursive(st.floats() | st.text() | st.integers(), lambda inner: st.lists(inner)))
def test_any_nesting_survives(value: Any) -> None:
    assert fingerprint(decode(encode(value))) == fingerprint(value)


def test_the_text_is_ascii_so_that_prefect_can_keep_it_inside_json() -> None:
    assert encode(VALUES).isascii()


def test_own_errors_come_back_whole_and_foreign_ones_as_text() -> None:
    own = SymbolNotFoundError(symbols=("ZZZZ",), source="embedded", available=("AAPL",))
    assert str(decode(encode(own))) == str(own)
    assert isinstance(decode(encode(own)), SymbolNotFoundError)
    foreign = decode(encode(KeyError("x")))
    assert isinstance(foreign, RecordedError)
    assert "KeyError" in str(foreign)


@pytest.mark.parametrize("value", [{1, 2}, object(), print, np.array([object()])])
def test_values_without_a_text_form_are_refused(value: Any) -> None:
    with pytest.raises(UnencodableError):
        encode(value)


def test_r10_any_truncation_is_refused() -> None:
    text = encode(VALUES)
    for tenth in range(10):
        with pytest.raises(IntegrityError, match="checksum"):
            decode(text[: len(text) * tenth // 10])


def signed(body: object) -> bytes:
    content = json.dumps(body).encode()
    return bytes_digest(content).encode() + b"\n" + content


@pytest.mark.parametrize(
    "body",
    [
        {"$": "object", "type": "os:system", "fields": {"command": "true"}},
        {"$": "object", "type": "subprocess:Popen", "fields": {"args": ["true"]}},
        {"$": "object", "type": "slices.runtime.codec:encode", "fields": {}},
        {"$": "object", "type": "slices.runtime.codec:UnencodableError", "fields": {"value": 1}},
        {"$": "object", "type": "slices.domain.bars:nothing", "fields": {}},
        {"$": "enum", "type": "slices.domain.portfolio:TailRisk", "name": "x"},
        {"$": "pickle", "text": "x"},
    ],
)
def test_r18_a_forged_result_builds_nothing_but_value_types(body: object) -> None:
    with pytest.raises(IntegrityError):
        decode(signed(body))


def test_r18_a_pickle_bomb_is_refused_unopened(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    bomb = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
    with pytest.raises(IntegrityError):
        decode(bomb)
    with pytest.raises(IntegrityError):
        decode(bytes_digest(b"something else").encode() + b"\n" + bomb)
    assert not marker.exists()
