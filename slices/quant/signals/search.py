"""Parameters as people give them and as an optimizer varies them, both read from one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args, get_origin

import annotated_types
from pydantic import ValidationError

from slices.domain.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

    from slices.domain.strategies import StrategyParameters
    from slices.quant.signals.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class SearchDimension:
    """What an optimizer may vary one parameter over.

    Attributes:
        name: The parameter's.
        low: Its smallest value; 0 where it has choices.
        high: Its largest value, itself allowed; the last choice's place where it has choices.
        step: Distance of neighbouring values; None where every number between is allowed.
        integer: Whether only whole numbers are allowed.
        choices: The words it can be, where it is no number; else empty.
    """

    name: str
    low: float
    high: float
    step: float | None = None
    integer: bool = False
    choices: tuple[str, ...] = ()


def dimensions(parameters: type[StrategyParameters]) -> tuple[SearchDimension, ...]:
    """List the parameters that can be searched: numbers within bounds, and choices of words.

    Switches, such as whether to sell short, change what a strategy is and are not searched, nor is
    a parameter that means something with a switch alone.
    """
    searched = ((name, each) for name, each in parameters.model_fields.items() if _searched(each))
    return tuple(_dimension(name, each) for name, each in searched)


def checked(strategy: Strategy, given: Mapping[str, float | bool | str]) -> StrategyParameters:
    """Make a strategy's parameters of what a person gave; the rest keeps its default.

    Raises:
        ParameterError: Where a name is unknown, a value out of bounds, or values exclude each
            other; it lists the strategy's parameters and their bounds.
    """
    try:
        return strategy.parameters.model_validate(dict(given))
    except ValidationError as invalid:
        raise _refused(strategy, invalid) from None


def _refused(strategy: Strategy, invalid: ValidationError) -> ParameterError:
    first = invalid.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(each) for each in first["loc"])
    found = f"{name} = {first['input']!r}" if name else first["msg"].removeprefix("Value error, ")
    described = [_described(*each) for each in strategy.parameters.model_fields.items()]
    return ParameterError(
        parameter=f"parameters of {strategy.name}",
        found=found,
        allowed=", ".join(described) or "none, as there is nothing to set",
    )


def _described(name: str, field: FieldInfo) -> str:
    if field.annotation is bool:
        return f"{name} (true or false)"
    if _choices(field):
        return f"{name} ({' or '.join(_choices(field))})"
    low, high = _bounds(field)
    return f"{name} ({low:g} to {high:g})"


def _searched(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    unsearched = isinstance(extra, dict) and extra.get("searched") is False
    return field.annotation is not bool and not unsearched


def _dimension(name: str, field: FieldInfo) -> SearchDimension:
    choices = _choices(field)
    if choices:
        return SearchDimension(name=name, low=0, high=len(choices) - 1, step=1, choices=choices)
    low, high = _bounds(field)
    integer = field.annotation is int
    step = 1.0 if integer else None
    return SearchDimension(name=name, low=low, high=high, step=step, integer=integer)


def _choices(field: FieldInfo) -> tuple[str, ...]:
    if get_origin(field.annotation) is not Literal:
        return ()
    return tuple(str(each) for each in get_args(field.annotation))


def _bounds(field: FieldInfo) -> tuple[float, float]:
    low = [each.ge for each in field.metadata if isinstance(each, annotated_types.Ge)]
    high = [each.le for each in field.metadata if isinstance(each, annotated_types.Le)]
    return float(str(low[0])), float(str(high[0]))
