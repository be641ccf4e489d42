from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Iterable
from html.parser import HTMLParser

import numpy as np
import pytest

from slices.domain.report import (
    BarChart,
    Chart,
    Heatmap,
    KeyFigure,
    LineChart,
    Note,
    PointChart,
    Report,
    Section,
    Series,
    Table,
    Tone,
    Unit,
)

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "base", "source"}
ALLOCATORS = (
    "Equal weight",
    "Inverse volatility",
    "Minimum variance",
    "Maximum Sharpe",
    "Risk parity",
    "Hierarchical risk parity",
    "Minimum expected shortfall",
)


class Page(HTMLParser):
    """What a browser finds in a page: elements, attributes, words, and tags left open."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def parse() -> type[Page]:
    return Page


def sessions(count: int) -> tuple[dt.date, ...]:
    first = dt.date(1990, 1, 2)
    return tuple(first + dt.timedelta(days=each * 7 // 5) for each in range(count))


def walk(count: int, seed: int) -> np.ndarray:
    steps = np.random.default_rng(seed).normal(0.0004, 0.012, count)
    return 100_000 * np.cumprod(1 + steps)


def charts(count: int, symbols: int) -> dict[str, Chart]:
    names = tuple(f"SYM{each}" for each in range(symbols))
    days = sessions(count)
    equity = [walk(count, seed) for seed in range(len(ALLOCATORS))]
    falls = [curve / np.maximum.accumulate(curve) - 1 for curve in equity]
    chance = random.Random(7)  # noqa: S311 - invented weights, not secrets

    def lines(curves: Iterable[np.ndarray]) -> tuple[Series, ...]:
        pairs = zip(ALLOCATORS, curves, strict=True)
        return tuple(Series(name=n, x=days, y=tuple(map(float, c))) for n, c in pairs)

    some = tuple(chance.random() for _ in names)
    return {
        "equity": LineChart(
            key="equity",
            title="Equity",
            series=lines(equity),
            y_unit=Unit.MONEY,
            log_scale=True,
        ),
        "drawdowns": LineChart(
            key="drawdowns", title="Drawdowns", series=lines(falls), y_unit=Unit.FRACTION, fill=True
        ),
        "weights": BarChart(
            key="weights",
            title="Weights",
            categories=names,
            groups=tuple((n, tuple(chance.random() / 5 for _ in names)) for n in ALLOCATORS),
            unit=Unit.FRACTION,
        ),
        "correlations": Heatmap(
            key="correlations",
            title="Correlations",
            labels=names,
            values=tuple(tuple(chance.uniform(-1, 1) for _ in names) for _ in names),
            low=-1,
            high=1,
        ),
        "frontier": PointChart(
            key="frontier",
            title="Frontier",
            points=(Series(name="Symbols", x=some, y=some[::-1], labels=names),),
            curve=Series(name="Efficient frontier", x=(0.1, 0.2, 0.3), y=(0.05, 0.1, 0.12)),
            x_unit=Unit.FRACTION,
            y_unit=Unit.FRACTION,
            x_label="Volatility",
            y_label="Return",
        ),
    }


@pytest.fixture
def some_charts() -> Callable[[int, int], dict[str, Chart]]:
    return charts


@pytest.fixture
def build_report() -> Callable[..., Report]:
    """Build a report of any size, in which every text a person supplies can be replaced."""

    def build(*, count: int = 300, symbols: int = 5, word: str = "") -> Report:
        drawn = charts(count, symbols)
        table = Table(
            key="allocators",
            title=f"Allocators {word}",
            columns=(f"Allocator {word}", "Return", "Drawdown", "Longest", "Value"),
            units=(Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.SESSIONS, Unit.MONEY),
            rows=(
                (f"First {word}", 0.1234, 0.31, 411, 123456.7),
                ("Second", -0.0521, 0.22, 207, None),
                ("Third", math.nan, 0.42, 315, 98765.4),
            ),
            best=("", "high", "low", "", ""),
            caption=f"Caption {word}",
        )
        weights = Table(
            key="weights",
            title="Weights",
            columns=("Symbol", *ALLOCATORS),
            units=(Unit.TEXT, *(Unit.FRACTION,) * 7),
            rows=tuple((f"SYM{each}", *(each / 100,) * 7) for each in range(symbols)),
        )
        return Report(
            key="portfolio-analysis",
            title=f"Title {word}",
            headline=f"Headline {word}",
            figures=(
                KeyFigure(label=f"Volatility {word}", value=0.1893, unit=Unit.FRACTION),
                KeyFigure(label="Sharpe ratio", value=-0.75, unit=Unit.RATIO, tone=Tone.BAD),
                KeyFigure(
                    label="Capital", value=100_000, unit=Unit.MONEY, note=word, tone=Tone.GOOD
                ),
                KeyFigure(label="Undefined", value=math.nan, unit=Unit.RATIO),
            ),
            notes=(
                Note(text=f"Beware {word}", tone=Tone.WARNING),
                Note(text=f"Neutral {word}"),
            ),
            sections=(
                Section(title=f"One {word}", blocks=(table, drawn["equity"]), intro=word),
                Section(title="Two", blocks=(drawn["drawdowns"], Note(text=word, tone=Tone.BAD))),
                Section(title="Three", blocks=(drawn["weights"], weights)),
                Section(title="Four", blocks=(drawn["correlations"], drawn["frontier"])),
            ),
            chart="equity",
            provenance=(("Seed", "7"), (f"Name {word}", f"Value {word}")),
        )

    return build


@pytest.fixture
def noon() -> dt.datetime:
    return dt.datetime(2024, 5, 17, 12, 0, tzinfo=dt.UTC)
