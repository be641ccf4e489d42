"""The parts of a report on the risk of an account."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.wording import confidence_text
from slices.domain.errors import listed
from slices.domain.numbers import written
from slices.domain.report import BarChart, LineChart, Note, Section, Series, Table, Unit

if TYPE_CHECKING:
    from slices.domain.limits import LimitLine
    from slices.domain.report import Block
    from slices.domain.risk_monitoring import RiskWatch

LIMIT_CHART = "limit-use"
MEASURES = (
    ("total_return", "Return since it began", Unit.FRACTION),
    ("annualized_volatility", "Volatility a year", Unit.FRACTION),
    ("sharpe_ratio", "Sharpe ratio", Unit.RATIO),
    ("sortino_ratio", "Sortino ratio", Unit.RATIO),
    ("calmar_ratio", "Calmar ratio", Unit.RATIO),
    ("max_drawdown", "Largest drawdown", Unit.FRACTION),
    ("value_at_risk", "Value at risk of the account's past", Unit.FRACTION),
    ("expected_shortfall", "Expected shortfall of the account's past", Unit.FRACTION),
    ("beta", "Beta on the equal-weight universe", Unit.RATIO),
)


def limit_label(line: LimitLine) -> str:
    """Name a limit for a person.

    >>> from slices.domain.limits import LimitLine
    >>> limit_label(LimitLine(name="max_concentration", subject="AAPL", unit="", used=0.5,
    ...                       allowed=1.0, headroom=0.5, is_breached=False))
    'Concentration (AAPL)'
    """
    plain = line.name.removeprefix("max_").replace("_", " ").capitalize()
    return f"{plain} ({line.subject})" if line.subject else plain


def limit_section(watch: RiskWatch) -> Section:
    """Show every limit and what is left of it."""
    names = tuple(limit_label(each) for each in watch.lines)
    used = tuple(1.0 - each.headroom for each in watch.lines)
    chart = BarChart(
        key=LIMIT_CHART,
        title="Share of every limit that is used",
        categories=names,
        groups=(("Used", used),),
        unit=Unit.FRACTION,
    )
    table = Table(
        key="limits",
        title="Limits",
        columns=("Limit", "Used", "Allowed", "Of", "Left", "State"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.TEXT),
        rows=tuple(
            (name, _amount(each, each.used), _amount(each, each.allowed), each.unit,
             each.headroom, _state(each))
            for name, each in zip(names, watch.lines, strict=True)
        ),
        caption="Open orders count as filled or not, whichever uses more; a loss that reaches its "
        "limit is beyond it. Leverage is used by debt alone: without debt all of it is left.",
    )  # fmt: skip
    return Section(title="Limits", blocks=(chart, table))


def _amount(line: LimitLine, amount: float) -> str:
    unit = Unit.RATIO if line.name == "max_leverage" else Unit.FRACTION
    return written(amount, Unit.MONEY if line.name.endswith("notional") else unit)


def _state(line: LimitLine) -> str:
    if math.isnan(line.used):
        return "unknown"
    return "beyond" if line.is_breached else "kept"


def metric_section(watch: RiskWatch) -> Section:
    """List the measures of the account's returns, and of what it holds today."""
    why = dict(watch.metrics.undefined)
    level = confidence_text(watch.confidence)
    tail = watch.tail
    own = tuple(
        (label, written(getattr(watch.metrics, name), unit), why.get(name, ""))
        for name, label, unit in MEASURES
    )
    held = tuple(
        (label, written(value, Unit.FRACTION), tail.unknown)
        for label, value in (
            ("Value at risk of today's positions", tail.value_at_risk),
            ("Expected shortfall of today's positions", tail.expected_shortfall),
        )
    )
    table = Table(
        key="risk-metrics",
        title="What the account risks",
        columns=("Measure", "Value", "Why it is not there"),
        units=(Unit.TEXT, Unit.TEXT, Unit.TEXT),
        rows=(*own, *held),
        caption=f"Losses of a session at {level} confidence, as positive fractions of equity: of "
        f"{watch.metrics.returns} returns of the account, and of {tail.returns} past sessions with "
        f"today's weights. Beta over {watch.window_sessions} sessions.",
    )
    return Section(title="Measures", blocks=(table, *_lines(watch)))


def _lines(watch: RiskWatch) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if len(watch.sessions) > 1:
        blocks.append(
            LineChart(
                key="exposure",
                title="Exposure after every session",
                series=(
                    Series(name="Gross", x=watch.sessions, y=watch.gross),
                    Series(name="Net", x=watch.sessions, y=watch.net),
                ),
                y_unit=Unit.FRACTION,
            )
        )
    if len(watch.betas) > 1:
        blocks.append(
            LineChart(
                key="beta",
                title=f"Beta over {watch.window_sessions} sessions",
                series=(Series(name="Beta", x=watch.beta_sessions, y=watch.betas),),
                y_unit=Unit.RATIO,
            )
        )
    return tuple(blocks)


def stress_section(watch: RiskWatch) -> Section:
    """Show what today's weights would have lost in bad times that have a name."""
    if not watch.stresses:
        return Section(
            title="Stress",
            blocks=(Note(text="Nothing is held through a bad time that the bars cover."),),
        )
    table = Table(
        key="stress",
        title="Today's weights in bad times",
        columns=("When", "From", "To", "Return", "Largest fall", "Universe", "Its largest fall"),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION,
        ),
        rows=tuple(
            (each.name, str(each.first_session), str(each.last_session), each.total_return,
             each.max_drawdown, each.benchmark_return, each.benchmark_max_drawdown)
            for each in watch.stresses
        ),
        caption="Weights are restored every session without cost; the universe is held in equal "
        "weights.",
    )  # fmt: skip
    absent = f"The bars do not cover {listed(watch.uncovered)}."
    notes = (Note(text=absent),) if watch.uncovered else ()
    return Section(title="Stress", blocks=(table, *notes))
