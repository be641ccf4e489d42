from __future__ import annotations

import datetime as dt
import enum
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from slices.domain.fingerprint import UnfingerprintableError, bytes_digest, fingerprint
from slices.domain.parameters import Costs

FRAME = pl.DataFrame(
    {
        "symbol": ["A", None, "C"],
        "session": [dt.date(2020, 1, 2), dt.date(2020, 1, 3), None],
        "close": [1.0, None, float("nan")],
        "rows": [1, 2, None],
    }
)


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


DIFFERENT_PAIRS = [
    (1, 1.0),
    (1, True),
    (None, ""),
    ("ab", b"ab"),
    (("ab", "c"), ("a", "bc")),
    ((1, 2), [1, 2]),
    ({"a": 1}, {"a": 2}),
    (Colour.RED, Colour.BLUE),
    (dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
    (dt.timedelta(seconds=1), dt.timedelta(seconds=2)),
    (Path("a"), "a"),
    (np.zeros(3), np.zeros((3, 1))),
    (np.zeros(3), np.zeros(3, dtype="f4")),
    (Costs(), Costs(commission_bps=1)),
    (FRAME, FRAME.rename({"close": "open"})),
    (FRAME, FRAME.select(reversed(FRAME.columns))),
    (FRAME, FRAME.head(2)),
    (FRAME, FRAME.with_columns(pl.col("close").fill_null(0.0))),
    (FRAME["symbol"], pl.Series("symbol", ["A", "", "C"])),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT_PAIRS)
def test_different_content_differs(one: object, other: object) -> None:
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize("value", [pair[0] for pair in DIFFERENT_PAIRS])
def test_equal_content_agrees(value: object) -> None:
    assert fingerprint(value) == fingerprint(value)


def test_a_frame_survives_parquet_chunks_and_slicing_unchanged() -> None:
    buffer = io.BytesIO()
    FRAME.write_parquet(buffer)
    assert fingerprint(pl.read_parquet(buffer.getvalue())) == fingerprint(FRAME)
    chunked = pl.concat([FRAME.head(1), FRAME.tail(2)], rechunk=False)
    assert fingerprint(chunked) == fingerprint(FRAME)
    padded = pl.concat([FRAME.head(1), FRAME])
    assert fingerprint(padded.slice(1)) == fingerprint(FRAME)


def test_pandas_frames_count_index_and_values() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=pd.Index(["x", "y"], name="symbol"))
    assert fingerprint(frame) == fingerprint(frame.copy())
    assert fingerprint(frame) != fingerprint(frame.rename_axis("name"))
    assert fingerprint(frame) != fingerprint(frame.iloc[::-1])
    assert fingerprint(frame["a"]) != fingerprint(frame["a"] + 1)
    assert fingerprint(frame.index) != fingerprint(pd.Index(["x", "z"], name="symbol"))


def test_a_value_may_bring_its_own_digest() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def __fingerprint__(self) -> str:
            return self.name

    assert fingerprint(Named("a")) == fingerprint(Named("a")) != fingerprint(Named("b"))


@pytest.mark.parametrize(
    "value",
    [{1, 2}, print, object(), pl.Series([[1], [2]]), np.array([object()]), Colour, pd.Timestamp],
)
def test_values_without_stable_content_are_refused(value: object) -> None:
    with pytest.raises(UnfingerprintableError, match="cannot fingerprint"):
        fingerprint(value)


def test_the_digest_does_not_depend_on_the_hash_seed() -> None:
    code = (
        "from slices.domain.fingerprint import fingerprint;"
        "print(fingerprint({'b': 1, 'a': (2.5, 'x')}))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(digests) == 1
    assert digests == {fingerprint({"a": (2.5, "x"), "b": 1}) + "\n"}


def test_bytes_have_a_digest_of_their_own() -> None:
    assert bytes_digest(b"a") != bytes_digest(b"b")
