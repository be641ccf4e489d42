"""Charts of market regimes, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from slices.domain.regimes import REGIMES, Regime
from slices.domain.report import Heatmap, LineChart, Series, Unit

if TYPE_CHECKING:
    from slices.domain.regimes import RegimeAnalysis
    from slices.quant.types import BoolArray

RECENT_SESSIONS = 756
"""Sessions a chart of probabilities shows; more would be a block of ink."""

NAMES = {
    Regime.BULL_QUIET: "Bull, quiet",
    Regime.BULL_VOLATILE: "Bull, volatile",
    Regime.SIDEWAYS_QUIET: "Sideways, quiet",
    Regime.SIDEWAYS_VOLATILE: "Sideways, volatile",
    Regime.BEAR_QUIET: "Bear, quiet",
    Regime.BEAR_VOLATILE: "Bear, volatile",
    Regime.CRISIS: "Crisis",
}
STATE_NAMES = {2: ("Quiet", "Volatile"), 3: ("Quiet", "Volatile", "Most volatile")}


def regime_chart(analysis: RegimeAnalysis) -> LineChart:
    """Draw the level through history, each regime a line of its own."""
    history = analysis.history
    series = tuple(
        Series(
            name=NAMES[regime],
            x=history.sessions,
            y=tuple(np.where(_drawn(history.rule_codes == code), history.levels, np.nan).tolist()),
        )
        for code, regime in enumerate(REGIMES)
        if (history.rule_codes == code).any()
    )
    return LineChart(
        key="regimes",
        title=f"{_start_upper(analysis.label)} by regime",
        series=series,
        y_unit=Unit.RATIO,
        y_label="level",
        caption="Regimes by rules, logarithmic scale; nothing is drawn where none is known yet.",
        log_scale=True,
    )


def probability_chart(analysis: RegimeAnalysis) -> LineChart:
    """Draw the filtered probabilities of all states but the quietest, newest sessions only."""
    history = analysis.history
    names = STATE_NAMES[history.state_probabilities.shape[1]]
    recent = slice(-RECENT_SESSIONS, None)
    return LineChart(
        key="regime-probabilities",
        title="Probability of volatile states",
        series=tuple(
            Series(
                name=names[state],
                x=history.sessions[recent],
                y=tuple(history.state_probabilities[recent, state].tolist()),
            )
            for state in range(1, len(names))
        ),
        y_unit=Unit.FRACTION,
        y_label="filtered probability",
        caption=(
            f"Each value uses returns up to its session; the newest {RECENT_SESSIONS} sessions at "
            "most."
        ),
        fill=True,
    )


def volatility_chart(analysis: RegimeAnalysis) -> LineChart:
    """Draw the forecasts of the next session's volatility, as they were made."""
    history = analysis.history
    forecasts = tuple(history.next_volatility.tolist())
    return LineChart(
        key="volatility-forecast",
        title="Volatility forecast for the next session",
        series=(Series(name="GARCH(1,1)", x=history.sessions, y=forecasts),),
        y_unit=Unit.FRACTION,
        y_label="annualized volatility",
        caption="Each forecast was made at its session's close with parameters fitted before.",
        fill=True,
    )


def transition_chart(analysis: RegimeAnalysis) -> Heatmap:
    """Draw from which regime to which, for the regimes that have occurred."""
    seen = [code for code, each in enumerate(analysis.records) if each.sessions]
    shares = analysis.transitions.probabilities
    return Heatmap(
        key="regime-transitions",
        title="From one session's regime (row) to the next one's (column)",
        labels=tuple(NAMES[REGIMES[code]] for code in seen),
        values=tuple(tuple(shares[row][column] for column in seen) for row in seen),
        low=0.0,
        high=1.0,
        caption=(
            "Counted by rules; 1/7 of a session is added to every cell, so that what never "
            "happened is not impossible. Regimes that never occurred are left out."
        ),
    )


def _drawn(inside: BoolArray) -> BoolArray:
    """Add the session after each spell, so that lines of neighbours meet."""
    reaching = inside.copy()
    reaching[1:] |= inside[:-1]
    return reaching


def _start_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
