"""How a number of each unit is written for a person.

Negative numbers carry a true minus sign, thousands a comma, and what is undefined is an en dash.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.report import Cell, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable

UNDEFINED = "–"  # an en dash, so that an empty cell is not taken for a minus
MINUS = "−"  # as wide as a digit, so that columns align
MOST_DECIMALS = 6
UNIT_WORDS = {Unit.BPS: "bps", Unit.SESSIONS: "sessions", Unit.YEARS: "years"}
Steps = tuple[tuple[float, int], ...]
STEPS: dict[Unit, tuple[Steps, int]] = {  # from a size on so many decimals, and else so many
    Unit.RATIO: (((1000, 0), (100, 1)), 2),
    Unit.MONEY: (((1000, 0),), 2),
    Unit.BPS: (((100, 0),), 1),
    Unit.YEARS: ((), 1),
}
MAGNITUDES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def written(value: Cell, unit: Unit) -> str:
    """Write one value with its unit, as it stands in a sentence or on a card.

    >>> written(0.0123, Unit.FRACTION), written(12345.6, Unit.MONEY), written(7, Unit.SESSIONS)
    ('1.23%', '12,346', '7 sessions')
    """
    text = written_cell(value, unit, decimals=column_decimals((value,), unit))
    word = UNIT_WORDS.get(unit, "")
    return f"{text} {word}" if word and is_number(value) else text


def written_column(values: Iterable[Cell], unit: Unit) -> tuple[str, ...]:
    """Write the cells of one column with equally many decimals; the header names the unit.

    >>> written_column((0.5, 0.25), Unit.RATIO)
    ('0.50', '0.25')
    """
    cells = tuple(values)
    decimals = column_decimals(cells, unit)
    return tuple(written_cell(cell, unit, decimals=decimals) for cell in cells)


def written_cell(value: Cell, unit: Unit, *, decimals: int) -> str:
    """Write one value with a given number of decimals and without the word of its unit."""
    if isinstance(value, str):
        return value
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if unit is Unit.TEXT:
        return signed(f"{value:,.6g}")
    if unit is Unit.FRACTION:
        return signed(f"{value * 100:,.{decimals}f}") + "%"
    return signed(f"{value:,.{decimals}f}")


def signed(text: str) -> str:
    """Give a formatted number a true minus sign, and none to what rounds to zero."""
    if not text.startswith("-"):
        return text
    magnitude = text[1:]
    return magnitude if set(magnitude) <= set("0.,") else MINUS + magnitude.replace("-", MINUS)


def is_number(value: Cell) -> bool:
    """Tell whether a cell holds a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def column_decimals(values: Iterable[Cell], unit: Unit) -> int:
    """Choose the decimals a column needs from its largest value."""
    numbers = [abs(float(each)) for each in values if is_number(each) and each is not None]
    largest = max(numbers, default=0.0)
    match unit:
        case Unit.FRACTION:
            percents = [each * 100 for each in numbers]
            steps = ((1000, 0), (100, 1))
            return 0 if _all_whole(percents) else _stepped(largest * 100, steps, 2)
        case Unit.COUNT | Unit.SESSIONS | Unit.TEXT:
            return 0 if _all_whole(numbers) else 1
        case _:
            return _stepped(largest, *STEPS[unit])


def _all_whole(numbers: list[float]) -> bool:
    return all(math.isclose(each, round(each), rel_tol=0, abs_tol=1e-9) for each in numbers)


def _stepped(largest: float, steps: Steps, fewest: int) -> int:
    for at_least, decimals in steps:
        if largest >= at_least:
            return decimals
    smallest_shown = 10.0**-fewest
    if 0 < largest < smallest_shown:
        return min(MOST_DECIMALS, 1 - math.floor(math.log10(largest)))
    return fewest


def axis_label(value: float, unit: Unit, *, step: float) -> str:
    """Write a tick's value with just the decimals its step needs; money and counts abbreviated.

    >>> axis_label(0.025, Unit.FRACTION, step=0.025), axis_label(1.5e6, Unit.MONEY, step=5e5)
    ('2.5%', '1.5M')
    """
    if unit is Unit.FRACTION:
        return signed(f"{value * 100:,.{step_decimals(step * 100)}f}") + "%"
    if unit in (Unit.MONEY, Unit.COUNT, Unit.SESSIONS):
        return abbreviated(value)
    return signed(f"{value:,.{step_decimals(step)}f}")


def step_decimals(step: float) -> int:
    """Count the decimals that write a step exactly, six at most."""
    for decimals in range(MOST_DECIMALS):
        if math.isclose(step, round(step, decimals), rel_tol=1e-6):
            return decimals
    return MOST_DECIMALS


def abbreviated(value: float) -> str:
    """Shorten thousands, millions and more to a letter.

    >>> abbreviated(250_000.0), abbreviated(20.0)
    ('250k', '20')
    """
    for size, letter in MAGNITUDES:
        if abs(value) >= size:
            return signed(f"{value / size:.4g}") + letter
    return signed(f"{value:.4g}")
