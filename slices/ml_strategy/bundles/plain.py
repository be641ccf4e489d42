"""Values as JSON and back, by their declared types alone: nothing in a file names code to run."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import typing
from enum import Enum

import numpy as np
from pydantic import BaseModel, ValidationError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
WORDS = ("nan", "inf", "-inf")


class MisfitError(ValueError):
    """A node that is not of the declared type; says where."""

    def __init__(self, at: str, needed: str) -> None:
        super().__init__(f"{at or 'the whole'} is not {needed}")


def plain(value: object) -> Json:
    """Write a value; floats exactly, those that are not finite as words.

    Args:
        value: A frozen dataclass or pydantic model of scalars, dates, enums, tuples and arrays.

    >>> plain((1.5, math.nan, dt.date(2024, 1, 2)))
    [1.5, 'nan', '2024-01-02']
    """
    match value:
        case Enum():
            return plain(value.value)
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case bool() | int() | str():
            return value
        case dt.date():
            return value.isoformat()
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case tuple() | list():
            return [plain(each) for each in value]
    return {name: plain(getattr(value, name)) for name in _names_of(value)}


def _names_of(value: object) -> tuple[str, ...]:
    if isinstance(value, BaseModel):
        return tuple(type(value).model_fields)
    if dataclasses.is_dataclass(value):
        return tuple(each.name for each in dataclasses.fields(value))
    message = f"a {type(value).__name__} has no plain form"
    raise TypeError(message)


def built(kind: object, node: Json, at: str = "") -> object:
    """Build a value of a declared type.

    Args:
        kind: The type, as annotated.
        node: What `plain` wrote.
        at: Where in the file, for the message.

    Raises:
        MisfitError: Where the node is not of that type, or has fields more or less.

    >>> built(tuple[float, ...], [1.5, "nan"])
    (1.5, nan)
    """
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _built_tuple(typing.get_args(kind), node, at)
    if origin is np.ndarray:
        return _built_array(typing.get_args(kind)[1], node, at)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _built_fields(kind, node, at)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _built_model(kind, node, at)
    return _built_scalar(kind, node, at)


def _built_scalar(kind: object, node: Json, at: str) -> object:
    if kind is float:
        return _built_float(node, at)
    if kind in (bool, int, str) and type(node) is kind:
        return node
    if isinstance(kind, type) and issubclass(kind, dt.date | Enum) and isinstance(node, str):
        try:
            return kind.fromisoformat(node) if issubclass(kind, dt.date) else kind(node)
        except ValueError:
            raise MisfitError(at, f"a {kind.__name__}") from None
    raise MisfitError(at, f"a {getattr(kind, '__name__', kind)}")


def _built_float(node: Json, at: str) -> float:
    if type(node) in (int, float) or (isinstance(node, str) and node in WORDS):
        try:
            return float(typing.cast("float | str", node))
        except OverflowError:
            raise MisfitError(at, "a number of this size") from None
    raise MisfitError(at, "a number")


def _built_tuple(kinds: tuple[object, ...], node: Json, at: str) -> tuple[object, ...]:
    items = _listed(node, at)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(items)
    if len(kinds) != len(items):
        raise MisfitError(at, f"a list of {len(kinds)}")
    pairs = enumerate(zip(kinds, items, strict=True))
    return tuple(built(kind, item, f"{at}[{place}]") for place, (kind, item) in pairs)


def _built_array(dtype: object, node: Json, at: str) -> object:
    """Read nested lists of numbers, all of one length at each depth."""
    number = typing.get_args(dtype)[0]
    try:
        values = np.array(_listed(node, at), dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise MisfitError(at, "an array of numbers") from None
    return values.astype(number)


def _built_fields(kind: type, node: Json, at: str) -> object:
    hints = typing.get_type_hints(kind)
    names = [each.name for each in dataclasses.fields(kind)]
    items = _named(node, tuple(names), at)
    return kind(**{name: built(hints[name], items[name], f"{at}.{name}") for name in names})


def _built_model(kind: type[BaseModel], node: Json, at: str) -> BaseModel:
    items = _named(node, tuple(kind.model_fields), at)
    try:
        return kind.model_validate(items, strict=True)
    except ValidationError:
        raise MisfitError(at, f"valid {kind.__name__}") from None


def _named(node: Json, names: tuple[str, ...], at: str) -> dict[str, Json]:
    if not isinstance(node, dict) or set(node) != set(names):
        raise MisfitError(at, f"an object of {', '.join(names)}")
    return node


def _listed(node: Json, at: str) -> list[Json]:
    if not isinstance(node, list):
        raise MisfitError(at, "a list")
    return node
