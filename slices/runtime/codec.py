"""Results as text: values in, checked JSON out, and back; pickle is not involved.

The first line is the digest of the rest. Reading proves the digest before it looks at anything,
builds only this project's own value types, and follows references to stored content to prove the
files. The text is ASCII, so that Prefect keeps value and metadata in one file and treats one that
does not read back as absent: a damaged result is computed anew, never used.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import enum
import importlib
import io
import json
import math
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel

from slices.domain.dataset import StoredContent
from slices.domain.errors import IntegrityError
from slices.domain.fingerprint import bytes_digest

TAG = "$"
PACKED_LENGTH = 16
OWN_PACKAGES = ("slices.", "flows.")
EPOCH = dt.date(1970, 1, 1)


class UnencodableError(TypeError):
    """A value that has no text form here."""

    def __init__(self, value: object) -> None:
        super().__init__(f"a result cannot hold a {type(value).__module__}.{type(value).__name__}")


class RecordedError(RuntimeError):
    """An exception from outside this project, read back as its type's name and its message."""


def encode(value: object) -> bytes:
    """Write a value as ASCII text with a digest.

    Raises:
        UnencodableError: For sets, functions and foreign objects.
    """
    body = json.dumps(_packed(value), allow_nan=False, separators=(",", ":")).encode("ascii")
    return bytes_digest(body).encode("ascii") + b"\n" + body


def decode(text: bytes) -> Any:
    """Read what `encode` wrote.

    Raises:
        IntegrityError: Where the text, or a file it refers to, is not what was written.
        FileNotFoundError: Where a file it refers to is gone.
    """
    digest, _, body = text.partition(b"\n")
    if bytes_digest(body).encode("ascii") != digest:
        raise IntegrityError(path="cached result", problem="its checksum does not match")
    return _unpacked(json.loads(body))


def _tagged(kind: str, **fields: object) -> dict[str, object]:
    return {TAG: kind, **fields}


def _named(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _packed(value: object) -> object:
    match value:
        case enum.Enum():
            return _tagged("enum", type=_named(type(value)), name=value.name)
        case None | bool() | int() | str():
            return value
        case float():
            return (
                float(value) if math.isfinite(value) else _tagged("float", text=str(float(value)))
            )
        case dt.datetime() | dt.date() | dt.timedelta() | PurePath() | Decimal():
            return _packed_scalar(value)
        case tuple() | list() | dict():
            return _packed_container(value)
    return _packed_object(value)


def _packed_scalar(value: dt.date | dt.timedelta | PurePath | Decimal) -> object:
    match value:
        case dt.datetime():
            return _tagged("datetime", text=value.isoformat())
        case dt.date():
            return _tagged("date", text=value.isoformat())
        case dt.timedelta():
            return _tagged("timedelta", microseconds=value // dt.timedelta(microseconds=1))
        case Decimal():
            return _tagged("decimal", text=str(value))
    return _tagged("path", text=str(value))


def _packed_container(value: tuple[object, ...] | list[object] | dict[Any, object]) -> object:
    if isinstance(value, dict):
        return _tagged("dict", items=[[_packed(k), _packed(v)] for k, v in value.items()])
    if isinstance(value, list):
        return [_packed(item) for item in value]
    if len(value) >= PACKED_LENGTH and all(type(item) is float for item in value):
        return _tagged("floats", base64=_text(np.asarray(value, dtype="<f8").tobytes()))
    if len(value) >= PACKED_LENGTH and all(type(item) is dt.date for item in value):
        days = np.asarray(
            [(item - EPOCH).days for item in value if isinstance(item, dt.date)], "<i4"
        )
        return _tagged("dates", base64=_text(days.tobytes()))
    return _tagged("tuple", items=[_packed(item) for item in value])


def _packed_object(value: object) -> object:
    if isinstance(value, np.ndarray) and value.dtype != object:
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return _tagged("array", base64=_text(buffer.getvalue()))
    if isinstance(value, np.generic):
        return _packed(value.item())
    if isinstance(value, pl.DataFrame):
        buffer = io.BytesIO()
        value.write_ipc(buffer, compression="zstd")
        return _tagged("frame", base64=_text(buffer.getvalue()))
    if isinstance(value, BaseModel) and _is_own(type(value)):
        fields = {name: _packed(getattr(value, name)) for name in type(value).model_fields}
        return _tagged("object", type=_named(type(value)), fields=fields)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and _is_own(type(value)):
        fields = {f.name: _packed(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return _tagged("object", type=_named(type(value)), fields=fields)
    if isinstance(value, BaseException):
        return _tagged("exception", type=_named(type(value)), text=str(value))
    raise UnencodableError(value)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _is_own(kind: type) -> bool:
    return kind.__module__.startswith(OWN_PACKAGES)


def _unpacked(node: Any) -> Any:
    if isinstance(node, list):
        return [_unpacked(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind = node[TAG]
    if kind == "object":
        return _rebuilt(node)
    if kind in {"array", "frame", "floats", "dates"}:
        return _unpacked_blob(kind, base64.b64decode(node["base64"]))
    if kind == "tuple":
        return tuple(_unpacked(item) for item in node["items"])
    if kind == "dict":
        return {_unpacked(key): _unpacked(item) for key, item in node["items"]}
    return _unpacked_scalar(kind, node)


def _unpacked_scalar(  # noqa: C901 - one flat table of kinds
    kind: str, node: dict[str, Any]
) -> object:
    match kind:
        case "enum":
            return _own_type(node["type"], enum.Enum)[node["name"]]
        case "exception":
            return RecordedError(f"{node['type'].partition(':')[2]}: {node['text']}")
        case "float":
            return float(node["text"])
        case "date":
            return dt.date.fromisoformat(node["text"])
        case "datetime":
            return dt.datetime.fromisoformat(node["text"])
        case "timedelta":
            return dt.timedelta(microseconds=node["microseconds"])
        case "path":
            return Path(node["text"])
        case "decimal":
            return Decimal(node["text"])
    raise IntegrityError(path="cached result", problem=f"unknown kind of value {kind!r}")


def _unpacked_blob(kind: str, content: bytes) -> object:
    match kind:
        case "array":
            return np.load(io.BytesIO(content), allow_pickle=False)
        case "frame":
            return pl.read_ipc(io.BytesIO(content))
        case "floats":
            return tuple(np.frombuffer(content, dtype="<f8").tolist())
    days = np.frombuffer(content, dtype="<i4").tolist()
    return tuple(EPOCH + dt.timedelta(days=day) for day in days)


def _rebuilt(node: dict[str, Any]) -> object:
    kind = _own_type(node["type"], object)
    if not (dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel)):
        raise IntegrityError(path="cached result", problem=f"{node['type']} is not a value type")
    value = kind(**{name: _unpacked(item) for name, item in node["fields"].items()})
    if isinstance(value, StoredContent):
        _check_stored(value)
    return value


def _check_stored(value: StoredContent) -> None:
    """Tell a file that was cleaned away, which is no fault, from one that was changed."""
    if not Path(value.path).exists():
        raise FileNotFoundError(value.path)
    if not value.is_intact():
        raise IntegrityError(path=value.path, problem="the stored file has changed")


def _own_type(name: str, base: type) -> Any:
    """Find one of this project's own types; anything else is refused before it is imported."""
    module, _, qualname = name.partition(":")
    if not module.startswith(OWN_PACKAGES):
        raise IntegrityError(path="cached result", problem=f"{name} is not a type of this project")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise IntegrityError(path="cached result", problem=f"{name} is not a known value type")
    return found
