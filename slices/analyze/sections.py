"""Symbols as parts of a report: one table of all, and sections of those that stand out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from slices.analyze.notable import RULE, most_notable
from slices.domain.analyses import LevelRole, TrendDirection
from slices.domain.numbers import written
from slices.domain.report import LineChart, Note, Section, Series, Table, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.analyses import (
        AnalysisFailure,
        PatternSighting,
        PriceLevel,
        SymbolAnalysis,
    )

KEY_INDICATORS = (
    "rsi_14", "stochastic_k", "macd_histogram", "adx_14", "plus_di_14", "minus_di_14", "atr_14",
    "natr_14", "realised_volatility_21", "bollinger_width", "bollinger_percent_b", "zscore_63",
    "relative_volume_20", "mfi_14", "beta_63",
)  # fmt: skip
TRENDS = {TrendDirection.UP: "Up", TrendDirection.DOWN: "Down", TrendDirection.SIDEWAYS: "Sideways"}


def overview_table(analyses: Sequence[SymbolAnalysis]) -> Table:
    """Show returns and states of every symbol in one row."""
    return Table(
        key="symbols",
        title="All symbols",
        columns=(
            "Symbol", "Close", "1 session", "5 sessions", "21 sessions", "A year", "Trend",
            "Volatility", "State", "RSI", "ADX",
        ),
        units=(
            Unit.TEXT, Unit.MONEY, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.TEXT, Unit.FRACTION, Unit.TEXT, Unit.RATIO, Unit.RATIO,
        ),
        rows=tuple(
            (
                each.symbol,
                each.close,
                each.returns.session,
                each.returns.week,
                each.returns.month,
                each.returns.year,
                f"{TRENDS[each.trend.direction]}, {each.trend.strength}",
                each.volatility.annualized_volatility,
                each.volatility.level.capitalize(),
                each.momentum.rsi,
                each.trend.adx,
            )
            for each in analyses
        ),
        caption=(
            "Every symbol as of its own newest session. The state of volatility is its place in "
            "the symbol's own trailing year."
        ),
    )  # fmt: skip


def turning_table(analyses: Sequence[SymbolAnalysis]) -> Table:
    """Show the nearest levels and the newest pattern of every symbol."""
    return Table(
        key="turning-points",
        title="Levels and patterns",
        columns=("Symbol", "Session", "Support", "Close", "Resistance", "Newest pattern", "Known"),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.MONEY, Unit.MONEY, Unit.MONEY, Unit.TEXT, Unit.TEXT,
        ),
        rows=tuple(_turning_row(each) for each in analyses),
        caption=(
            "Support and resistance are the nearest prices at which confirmed swings of the last "
            "two years turned."
        ),
    )  # fmt: skip


def _turning_row(analysis: SymbolAnalysis) -> tuple[str | float | None, ...]:
    newest = analysis.patterns[0] if analysis.patterns else None
    return (
        analysis.symbol,
        analysis.session.isoformat(),
        _price(nearest(analysis, LevelRole.SUPPORT)),
        analysis.close,
        _price(nearest(analysis, LevelRole.RESISTANCE)),
        newest.title if newest else "",
        newest.known_session.isoformat() if newest else "",
    )


def nearest(analysis: SymbolAnalysis, role: LevelRole) -> PriceLevel | None:
    """Return the support or resistance nearest to the close, if there is one."""
    return next((each for each in analysis.levels if each.role is role), None)


def _price(level: PriceLevel | None) -> float | None:
    return None if level is None else level.price


def symbol_sections(analyses: Sequence[SymbolAnalysis], *, most: int = 8) -> tuple[Section, ...]:
    """Show the symbols that stand out in detail; the others are in the overview alone."""
    chosen = most_notable(analyses, most=most)
    return tuple(symbol_section(each) for each in chosen)


def overview_section(
    analyses: Sequence[SymbolAnalysis], failures: Sequence[AnalysisFailure], *, most: int = 8
) -> Section:
    """Show all symbols in a table, name those that could not be analysed, and say the rule."""
    rule = Note(text=f"{most} of {len(analyses)} symbols are shown in detail below. {RULE}")
    return Section(
        title="Symbols",
        blocks=(
            *((rule,) if len(analyses) > most else ()),
            overview_table(analyses),
            turning_table(analyses),
            *_if_rows(failure_table(failures)),
        ),
    )


def failure_table(failures: Sequence[AnalysisFailure]) -> Table:
    """Name the symbols that could not be analysed."""
    return Table(
        key="not-analysed",
        title="Not analysed",
        columns=("Symbol", "Reason"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=tuple(
            (each.symbol, each.reason.removeprefix(f"{each.symbol}: ")) for each in failures
        ),
    )


def symbol_section(analysis: SymbolAnalysis) -> Section:
    """Show one symbol: price and averages, indicators, patterns and levels."""
    return Section(
        title=analysis.symbol,
        intro=_summary(analysis),
        blocks=(
            price_chart(analysis),
            indicator_table(analysis),
            *_if_rows(pattern_table(analysis)),
            *_if_rows(level_table(analysis)),
            *_left_out(analysis),
        ),
    )


def _summary(analysis: SymbolAnalysis) -> str:
    trend, volatility = analysis.trend, analysis.volatility
    fraction = written(volatility.annualized_volatility, Unit.FRACTION)
    return (
        f"Close {written(analysis.close, Unit.MONEY)} on {analysis.session}: trend "
        f"{trend.direction} ({trend.strength}; {trend.votes:+d} of {trend.rules} votes), "
        f"volatility {volatility.level} ({fraction} a year, not below "
        f"{written(volatility.percentile, Unit.FRACTION)} of its year), momentum "
        f"{analysis.momentum.level}."
    )


def _if_rows(table: Table) -> tuple[Table, ...]:
    return (table,) if table.rows else ()


def _left_out(analysis: SymbolAnalysis) -> tuple[Note, ...]:
    reasons: dict[str, list[str]] = {}
    for each in analysis.left_out:
        reasons.setdefault(each.reason, []).append(each.name)
    return tuple(
        Note(text=f"Left out: {', '.join(names)} ({reason}).") for reason, names in reasons.items()
    )


def _key(stem: str, symbol: str) -> str:
    return f"{stem}-{re.sub('[^a-z0-9]+', '-', symbol.lower())}"


def price_chart(analysis: SymbolAnalysis) -> LineChart:
    """Draw the close, its averages and bands, and the nearest support and resistance."""
    history = analysis.history
    lines = (
        ("Close", history.close),
        ("SMA 50", history.sma_50),
        ("SMA 200", history.sma_200),
        ("Bollinger upper", history.bollinger_upper),
        ("Bollinger lower", history.bollinger_lower),
    )
    ends = (history.sessions[0], history.sessions[-1])
    beside = [(role, nearest(analysis, role)) for role in LevelRole]
    return LineChart(
        key=_key("price", analysis.symbol),
        title=f"{analysis.symbol}: close, averages and bands",
        series=(
            *(Series(name=name, x=history.sessions, y=values) for name, values in lines),
            *(
                Series(name=role.capitalize(), x=ends, y=(level.price, level.price))
                for role, level in beside
                if level is not None
            ),
        ),
        y_unit=Unit.MONEY,
        y_label="price",
        caption="Bollinger bands are two deviations around the mean of 20 closes.",
    )


def indicator_table(analysis: SymbolAnalysis) -> Table:
    """List the indicators that matter most, as far as the data has them."""
    from slices.analyze.indicators import outputs

    known = outputs(analysis.periods_per_year)
    shown = [known[name] for name in KEY_INDICATORS if name in analysis.indicator_names]
    return Table(
        key=_key("indicators", analysis.symbol),
        title=f"{analysis.symbol}: indicators",
        columns=("Indicator", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=tuple((each.title, written(analysis.value(each.name), each.unit)) for each in shown),
        caption=f"At the close of {analysis.session}.",
    )


def pattern_table(analysis: SymbolAnalysis) -> Table:
    """List recent patterns, each with what followed it in this symbol's past."""
    return Table(
        key=_key("patterns", analysis.symbol),
        title=f"{analysis.symbol}: recent patterns",
        columns=(
            "Pattern", "Points", "Session", "Known on", "What", "Times before", "Mean after",
            "Mean of all", "Went there", "t",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.FRACTION,
            Unit.FRACTION, Unit.FRACTION, Unit.RATIO,
        ),
        rows=tuple(_pattern_row(analysis, each) for each in analysis.patterns),
        caption=(
            "Mean after: the return of buying at the next session's fill price and selling five "
            "sessions later, over all completed cases. With this many patterns looked at, one in "
            "twenty has a t beyond 2 by chance alone."
        ),
    )  # fmt: skip


def _pattern_row(
    analysis: SymbolAnalysis, sighting: PatternSighting
) -> tuple[str | float | None, ...]:
    evidence = next((each for each in analysis.evidence if each.name == sighting.name), None)
    measured = (
        (0, None, None, None, None)
        if evidence is None
        else (
            evidence.count,
            evidence.mean_forward_return,
            evidence.unconditional_mean,
            evidence.hit_rate,
            evidence.t_statistic,
        )
    )
    return (
        sighting.title,
        sighting.direction.capitalize(),
        sighting.session.isoformat(),
        sighting.known_session.isoformat(),
        sighting.detail,
        *measured,
    )


def level_table(analysis: SymbolAnalysis) -> Table:
    """List support and resistance, nearest first."""
    return Table(
        key=_key("levels", analysis.symbol),
        title=f"{analysis.symbol}: support and resistance",
        columns=("Role", "Price", "From the close", "Touches", "Strength", "Last touch"),
        units=(Unit.TEXT, Unit.MONEY, Unit.FRACTION, Unit.COUNT, Unit.RATIO, Unit.TEXT),
        rows=tuple(
            (
                each.role.capitalize(),
                each.price,
                each.distance,
                each.touches,
                each.strength,
                each.last_touch.isoformat(),
            )
            for each in analysis.levels
        ),
        caption="Strength is the number of touches, each half as much for every half year of age.",
    )
