"""Content fingerprints: equal content gives an equal digest in every process.

The digest depends on values and types only: not on the hash seed, on object identity, on how a
frame was made, or on where it is stored. Sets are refused because their order is not content.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import math
import struct
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


LOCATION = {"fingerprint": False}
"""Dataclass field metadata for a field that says where content is, not what it is."""


class UnfingerprintableError(TypeError):
    """A value whose content has no stable order or representation."""

    def __init__(self, value: object) -> None:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        super().__init__(f"cannot fingerprint a value of type {kind}")


def fingerprint(*values: object) -> str:
    """Digest the content of any mix of values, frames, arrays, dataclasses and models.

    Args:
        *values: None, bool, int, float, str, bytes, decimals, dates, enums, paths, tuples, lists,
            mappings with string keys, numpy arrays, polars and pandas frames, frozen dataclasses,
            pydantic models. Values with a `__fingerprint__` method supply their own digest.

    Returns:
        32 hexadecimal digits (blake2b, 128 bit).

    Raises:
        UnfingerprintableError: For sets, functions, open files and other values without content.

    >>> fingerprint(1, "a") == fingerprint(1, "a")
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        _feed(digest.update, value)
    return digest.hexdigest()


def bytes_digest(content: bytes) -> str:
    """Digest raw bytes: 32 hexadecimal digits (blake2b, 128 bit)."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _feed(update: Callable[[bytes], None], value: object) -> None:
    own = getattr(value, "__fingerprint__", None)
    if own is not None and not isinstance(value, type):
        _token(update, "own", str(own()).encode())
    elif not (_feed_scalar(update, value) or _feed_container(update, value)):
        _feed_frame(update, value)


def _token(update: Callable[[bytes], None], kind: str, content: bytes) -> None:
    update(f"{kind}:{len(content)}:".encode())
    update(content)


def _feed_scalar(  # noqa: C901 - one flat table of types
    update: Callable[[bytes], None], value: object
) -> bool:
    match value:
        case enum.Enum():
            _token(update, "enum", f"{type(value).__qualname__}.{value.name}".encode())
        case None | bool() | int() | str():
            _token(update, type(value).__name__, str(value).encode())
        case float():
            _token(update, "float", struct.pack("<d", math.nan if math.isnan(value) else value))
        case np.generic():
            _token(update, value.dtype.str, value.tobytes())
        case bytes():
            _token(update, "bytes", value)
        case dt.date() | dt.time():
            _token(update, type(value).__name__, value.isoformat().encode())
        case dt.timedelta():
            _token(update, "timedelta", str(value.total_seconds()).encode())
        case Decimal():
            _token(update, "decimal", str(value).encode())
        case PurePath():
            _token(update, "path", value.as_posix().encode())
        case SecretStr():
            _token(update, "secret", value.get_secret_value().encode())
        case _:
            return False
    return True


def _feed_container(update: Callable[[bytes], None], value: object) -> bool:
    if isinstance(value, (tuple, list)):
        _feed_sequence(update, type(value).__name__, value)
    elif isinstance(value, dict):
        _token(update, "dict", str(len(value)).encode())
        for key in sorted(value, key=str):
            _feed(update, key)
            _feed(update, value[key])
    elif isinstance(value, BaseModel):
        items = [(name, getattr(value, name)) for name in type(value).model_fields]
        _feed_sequence(update, type(value).__qualname__, items)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = [
            (each.name, getattr(value, each.name))
            for each in dataclasses.fields(value)
            if each.metadata.get("fingerprint", True)
        ]
        _feed_sequence(update, type(value).__qualname__, named)
    else:
        return False
    return True


def _feed_sequence(update: Callable[[bytes], None], kind: str, items: Iterable[object]) -> None:
    listed = list(items)
    _token(update, kind, str(len(listed)).encode())
    for item in listed:
        _feed(update, item)


def _feed_frame(update: Callable[[bytes], None], value: object) -> None:
    if isinstance(value, np.ndarray) and value.dtype != object:
        _token(
            update, f"array{value.dtype.str}{value.shape}", np.ascontiguousarray(value).tobytes()
        )
    elif isinstance(value, pl.Series):
        _feed_column(update, value)
    elif isinstance(value, pl.DataFrame):
        _token(update, "frame", f"{value.shape}".encode())
        for column in value.get_columns():
            _feed_column(update, column)
    elif type(value).__module__.split(".")[0] == "pandas":
        _feed_pandas(update, value)
    else:
        raise UnfingerprintableError(value)


def _feed_column(update: Callable[[bytes], None], column: pl.Series) -> None:
    """Feed name, type, null mask and values; independent of chunks and of Arrow offsets."""
    _token(update, "column", f"{column.name}|{column.dtype}|{len(column)}".encode())
    _token(update, "nulls", np.packbits(column.is_null().to_numpy()).tobytes())
    if column.dtype.is_nested() or column.dtype == pl.Object:
        raise UnfingerprintableError(column)
    if column.dtype in (pl.String, pl.Categorical, pl.Enum):
        texts = column.cast(pl.String).fill_null("")
        lengths = texts.str.len_bytes().to_numpy()
        _token(update, "lengths", np.ascontiguousarray(lengths).tobytes())
        _token(update, "texts", "".join(texts.to_list()).encode())
    else:
        physical = column.to_physical().fill_null(0).to_numpy()
        _token(update, "values", np.ascontiguousarray(physical).tobytes())


def _feed_pandas(update: Callable[[bytes], None], value: object) -> None:
    import pandas as pd

    if isinstance(value, pd.Series):
        value = value.to_frame(name=str(value.name))
    if isinstance(value, pd.Index):
        value = value.to_frame(index=False, name=str(value.name))
    if not isinstance(value, pd.DataFrame):
        raise UnfingerprintableError(value)
    flat = value.reset_index()
    flat.columns = [str(name) for name in flat.columns]
    _token(update, "pandas", f"{value.index.names}|{value.columns.name}".encode())
    _feed_frame(update, pl.from_pandas(flat))
