"""Market regimes as parts of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.regimes import Regime, SymbolRegime
from slices.domain.report import Note, Section, Table, Tone, Unit
from slices.market_regime.charts import (
    NAMES,
    STATE_NAMES,
    probability_chart,
    regime_chart,
    transition_chart,
    volatility_chart,
)

if TYPE_CHECKING:
    from slices.domain.regimes import RegimeAnalysis, RegimeFailure

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
            f"{_worst(hidden.start_log_likelihoods)}.{_failed(hidden.failures)}"
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
        reason = found.reason.removeprefix(f"{found.symbol}: ")
        return (found.symbol, f"Unknown: {reason}", *([None] * 7))
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


def _worst(likelihoods: tuple[float, ...]) -> str:
    worst = min(likelihoods)
    return f"{worst:,.1f}" if math.isfinite(worst) else "found no such states"


def _failed(reasons: tuple[str, ...]) -> str:
    if not reasons:
        return ""
    return f" {len(reasons)} more fits have no answer, the last since {reasons[-1]}."
