"""Market regimes as parts of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.numbers import written
from slices.domain.regimes import REGIMES, Regime, SymbolRegime
from slices.domain.report import Heatmap, LineChart, Note, Section, Series, Table, Tone, Unit

if TYPE_CHECKING:
    from slices.domain.regimes import RegimeAnalysis, RegimeFailure
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
TONES = {Regime.CRISIS: Tone.BAD, Regime.BEAR_VOLATILE: Tone.WARNING}


def regime_section(analysis: RegimeAnalysis) -> Section:
    """Show the regime now, how it came about, and how long such regimes last."""
    return Section(
        title="Market regime",
        intro=(
            "A regime is told at the close of a session from bars up to that close. Rules look at "
            "trend, ranked volatility and drawdown; a hidden Markov model, refitted to the past "
            "alone, gives probabilities. Both use the same trend."
        ),
        blocks=(
            current_note(analysis),
            regime_chart(analysis),
            probability_chart(analysis),
            record_table(analysis),
            transition_chart(analysis),
            state_table(analysis),
            volatility_chart(analysis),
            volatility_table(analysis),
        ),
    )


def current_note(analysis: RegimeAnalysis) -> Note:
    """Say which regime it is by both accounts, and how far these agree in general."""
    return Note(
        text=(
            f"At the close of {analysis.last_session} the {analysis.label} is "
            f"“{NAMES[analysis.regime]}” by the model, with a probability of "
            f"{written(analysis.probability, Unit.FRACTION)}, and "
            f"“{NAMES[analysis.rule_regime]}” by rules, since {analysis.rule_since}. The two name "
            f"the same regime on {written(analysis.agreement, Unit.FRACTION)} of the sessions; on "
            f"quiet or not they agree on "
            f"{written(analysis.volatility_agreement, Unit.FRACTION)}."
        ),
        tone=TONES.get(analysis.rule_regime, Tone.NEUTRAL),
    )


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


def record_table(analysis: RegimeAnalysis) -> Table:
    """List how often regimes occurred, how long they lasted and what followed."""
    return Table(
        key="regime-records",
        title="Regimes by rules",
        columns=(
            "Regime", "Sessions", "Share", "Spells", "Mean duration", "Expected duration",
            "Next return a year", "Next volatility a year",
        ),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.FRACTION, Unit.COUNT, Unit.SESSIONS, Unit.SESSIONS,
            Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(
            (
                NAMES[each.regime],
                each.sessions,
                each.share,
                each.spells,
                each.mean_duration_sessions,
                each.expected_duration_sessions,
                each.next_annualized_return,
                each.next_annualized_volatility,
            )
            for each in analysis.records
        ),
        caption=(
            "Return and volatility are those of the sessions right after, since a regime is known "
            "only at the close; they describe the past and promise nothing. The expected duration "
            "is 1 / (1 - p) of the smoothed probability p of staying."
        ),
    )  # fmt: skip


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


def state_table(analysis: RegimeAnalysis) -> Table:
    """List the hidden states of the newest fit and the probabilities of moving among them."""
    hidden = analysis.hidden
    names = STATE_NAMES[len(hidden.states)]
    return Table(
        key="hidden-states",
        title="Hidden states",
        columns=(
            "State", "Return a year", "Volatility a year", "Now", "Next session", "Long run",
            "Expected duration", *(f"To {name.lower()}" for name in names),
        ),
        units=(
            Unit.TEXT, *([Unit.FRACTION] * 5), Unit.SESSIONS, *(Unit.FRACTION for _ in names),
        ),
        rows=tuple(
            (
                name,
                state.annualized_return,
                state.annualized_volatility,
                state.probability,
                state.next_probability,
                state.long_run_share,
                state.expected_duration_sessions,
                *moves,
            )
            for name, state, moves in zip(names, hidden.states, hidden.transitions, strict=True)
        ),
        caption=(
            f"Fitted {hidden.fits} times through history, last to the returns up to "
            f"{hidden.fitted_session}, from {len(hidden.start_log_likelihoods)} starts; the best "
            f"reached a log-likelihood of {hidden.log_likelihood:,.1f}, the worst "
            f"{_worst(hidden.start_log_likelihoods)}."
        ),
    )  # fmt: skip


def volatility_table(analysis: RegimeAnalysis) -> Table:
    """List the parameters of GARCH(1,1) and what they forecast."""
    found = analysis.volatility
    return Table(
        key="garch",
        title="Volatility by GARCH(1,1)",
        columns=(
            "Alpha", "Beta", "Half-life of a shock", "Next session", "Next 21 sessions", "Long run",
        ),
        units=(
            Unit.RATIO, Unit.RATIO, Unit.SESSIONS, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=(
            (
                found.alpha,
                found.beta,
                found.half_life_sessions,
                found.next_session,
                found.next_month,
                found.long_run,
            ),
        ),
        caption=(
            f"Annualized volatilities. Fitted to the returns up to {found.fitted_session}, "
            f"forecast at the close of {analysis.last_session}."
        ),
    )  # fmt: skip


def regime_table(symbols: tuple[SymbolRegime | RegimeFailure, ...]) -> Table:
    """List the regime of each symbol with its evidence, or why there is none."""
    return Table(
        key="symbol-regimes",
        title="Regimes by symbol",
        columns=(
            "Symbol", "Regime", "Since", "Sessions", "Trend strength", "Volatility",
            "Volatility rank", "Drawdown", "Volatile state",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.SESSIONS, Unit.RATIO, Unit.FRACTION,
            Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(_symbol_row(each) for each in symbols),
        caption=(
            "By rules, at each symbol's own last close. Trend strength is the trend window's log "
            "return over its deviation; the rank is the share of earlier volatilities that were "
            "lower; the volatile state's probability comes from a hidden Markov model where one "
            "was asked for."
        ),
    )  # fmt: skip


def _symbol_row(found: SymbolRegime | RegimeFailure) -> tuple[str | float | int | None, ...]:
    if not isinstance(found, SymbolRegime):
        return (found.symbol, f"No answer: {found.reason}", *([None] * 7))
    return (
        found.symbol,
        NAMES[found.regime],
        str(found.since),
        found.sessions_in_regime,
        found.trend_strength,
        found.annualized_volatility,
        found.volatility_rank,
        found.drawdown,
        found.volatile_probability,
    )


def _drawn(inside: BoolArray) -> BoolArray:
    """Add the session after each spell, so that lines of neighbours meet."""
    reaching = inside.copy()
    reaching[1:] |= inside[:-1]
    return reaching


def _start_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _worst(likelihoods: tuple[float, ...]) -> str:
    worst = min(likelihoods)
    return f"{worst:,.1f}" if math.isfinite(worst) else "found no such states"
