"""Reports: what a flow tells a person, as plain values that any medium can render.

A report is a headline, a few key figures and sections of notes, tables and charts. The same value
becomes the HTML page, the Markdown artifact and the table artifacts of a run.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Cell = str | float | int | None


class Unit(StrEnum):
    """How a number is written for a person."""

    TEXT = "text"
    FRACTION = "fraction"  # 0.0123 -> 1.23%
    RATIO = "ratio"  # 0.8612 -> 0.86
    MONEY = "money"  # 12345.6 -> 12,346
    COUNT = "count"
    BPS = "bps"
    SESSIONS = "sessions"
    YEARS = "years"


class Tone(StrEnum):
    """How a note or figure wants to be taken."""

    NEUTRAL = "neutral"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """One number that matters most, with its unit and a short explanation."""

    label: str
    value: float
    unit: Unit
    note: str = ""
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence the reader should not miss."""

    text: str
    tone: Tone = Tone.NEUTRAL


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under named, unit-bearing columns; `key` becomes the artifact's key."""

    key: str
    title: str
    columns: tuple[str, ...]
    units: tuple[Unit, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    best: tuple[Literal["high", "low", ""], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Series:
    """One named line or set of points; `x` are dates or numbers, equally many as `y`.

    Attributes:
        labels: Where points have names of their own, one for each.
    """

    name: str
    x: tuple[dt.date, ...] | tuple[float, ...]
    y: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LineChart:
    """Lines over dates or numbers; `log_scale` for equity over many years."""

    key: str
    title: str
    series: tuple[Series, ...]
    y_unit: Unit
    x_label: str = ""
    y_label: str = ""
    caption: str = ""
    log_scale: bool = False
    fill: bool = False


@dataclass(frozen=True, kw_only=True)
class PointChart:
    """Labelled points, with an optional curve through `curve`."""

    key: str
    title: str
    points: tuple[Series, ...]
    curve: Series | None
    x_unit: Unit
    y_unit: Unit
    x_label: str
    y_label: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Grouped bars: for every category one value per group."""

    key: str
    title: str
    categories: tuple[str, ...]
    groups: tuple[tuple[str, tuple[float, ...]], ...]
    unit: Unit
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Heatmap:
    """A matrix of values between `low` and `high`, such as correlations or a parameter map.

    Attributes:
        labels: Names of the rows, and of the columns where these have none of their own.
        column_labels: Names of the columns; empty where they are those of the rows.
        marked: Row and column of cells to outline.
        row_title: What the rows are, such as a parameter's name; likewise for columns.
    """

    key: str
    title: str
    labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    low: float
    high: float
    caption: str = ""
    column_labels: tuple[str, ...] = ()
    marked: tuple[tuple[int, int], ...] = ()
    unit: Unit = Unit.RATIO
    row_title: str = ""
    column_title: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.column_labels or self.labels


Chart = LineChart | PointChart | BarChart | Heatmap
Block = Note | Table | LineChart | PointChart | BarChart | Heatmap


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]
    intro: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a flow tells a person.

    Attributes:
        key: Stem of artifact keys and file names: lower case letters, digits and dashes.
        headline: The answer in one sentence.
        chart: Key of the chart that matters most.
        provenance: Name and value of everything needed to repeat the run.
    """

    key: str
    title: str
    headline: str
    figures: tuple[KeyFigure, ...]
    notes: tuple[Note, ...]
    sections: tuple[Section, ...]
    chart: str
    provenance: tuple[tuple[str, str], ...]

    def blocks(self) -> tuple[Block, ...]:
        """List the blocks of all sections in reading order."""
        return tuple(block for section in self.sections for block in section.blocks)
