"""The regime of a market or of many symbols: by rules, and by models fitted to the past alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import ComputationError, DataError
from slices.domain.regimes import (
    DEFAULT_REGIME_MODEL,
    DEFAULT_REGIME_RULES,
    REGIMES,
    HiddenMarkovFit,
    HiddenState,
    RegimeAnalysis,
    RegimeFailure,
    RegimeHistory,
    RegimeModel,
    RegimeRules,
    SymbolRegime,
    VolatilityForecast,
)
from slices.market_regime.hidden import expected_durations, fitted_model, stationary_shares
from slices.market_regime.rules import deep_drawdowns, evidence, rule_codes, trends
from slices.market_regime.series import series_of, symbol_series
from slices.market_regime.statistics import (
    agreement,
    records,
    spell_start,
    transitions_of,
    volatility_agreement,
)
from slices.market_regime.walk_forward import (
    most_probable,
    regime_probabilities,
    walk_forward,
)
from slices.quant.panel import read_panel

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.market_regime.rules import Evidence
    from slices.market_regime.series import ReturnSeries
    from slices.market_regime.walk_forward import WalkForward
    from slices.quant.panel import Panel
    from slices.quant.types import IntArray

MONTH_SESSIONS = 21


def market_regime(
    bars: DatasetRef,
    *,
    symbol: str | None = None,
    rules: RegimeRules = DEFAULT_REGIME_RULES,
    model: RegimeModel = DEFAULT_REGIME_MODEL,
) -> RegimeAnalysis:
    """Tell the regime of a symbol, or of the equal-weight index of all, at every close.

    Rules and models see bars up to the close they judge. The hidden Markov model and GARCH are
    fitted at the first close with `model.training_sessions` returns and then at regular intervals,
    each time to everything before; in between their parameters stay and only probabilities move.
    Where a fit has no answer the one before stays, with its reason; before the first is nothing.

    Args:
        bars: Prices adjusted for splits at least; others would show splits as crashes.
        symbol: One of the dataset's; None for the index of all its symbols.
        rules: How regimes are told by rules.
        model: How the models are fitted.

    Raises:
        ParameterError: Where the dataset does not have the symbol.
        InsufficientHistoryError: With fewer sessions than rules and first fit need.
        BadDataError: Where too many sessions have no return, or the level never moves.
        ConvergenceError: Where no fit has an answer and the last one did not converge.
        InfeasibleError: Where no fit has an answer and the last one does not find so many states.
    """
    return analyzed(read_panel(bars), symbol=symbol, rules=rules, model=model)


def analyzed(
    panel: Panel, *, symbol: str | None, rules: RegimeRules, model: RegimeModel
) -> RegimeAnalysis:
    """Do what `market_regime` does, for bars that have been read."""
    series = series_of(panel, symbol)
    series.check_usable(max(rules.needed_returns, model.training_sessions))
    seen = evidence(series, rules)
    codes = rule_codes(seen, rules)
    fitted = walk_forward(series, model)
    history = _history(series, seen, codes, fitted, rules)
    return RegimeAnalysis(
        label=series.label,
        symbols=panel.symbols if symbol is None else (symbol,),
        last_session=series.sessions[-1],
        periods_per_year=series.periods_per_year,
        regime=REGIMES[history.model_codes[-1]],
        probability=float(history.probabilities[-1].max()),
        rule_regime=REGIMES[codes[-1]],
        rule_since=series.sessions[spell_start(codes)],
        agreement=agreement(codes, history.model_codes),
        volatility_agreement=volatility_agreement(codes, history.model_codes),
        history=history,
        records=records(codes, series.simple, periods_per_year=series.periods_per_year),
        transitions=transitions_of(codes),
        hidden=_hidden_fit(series, fitted),
        volatility=_volatility_forecast(series, fitted),
    )


def _history(
    series: ReturnSeries,
    seen: Evidence,
    codes: IntArray,
    fitted: WalkForward,
    rules: RegimeRules,
) -> RegimeHistory:
    probabilities = regime_probabilities(
        fitted.state_probabilities, trends(seen, rules), deep_drawdowns(seen, rules)
    )
    return RegimeHistory(
        sessions=series.sessions,
        levels=series.levels,
        rule_codes=codes,
        model_codes=most_probable(probabilities),
        probabilities=probabilities,
        state_probabilities=fitted.state_probabilities,
        next_volatility=np.sqrt(fitted.next_variances * series.periods_per_year),
    )


def _hidden_fit(series: ReturnSeries, fitted: WalkForward) -> HiddenMarkovFit:
    estimate, model = fitted.hidden, fitted.hidden.model
    now = fitted.state_probabilities[-1]
    following = now @ model.transitions
    shares, durations = stationary_shares(model.transitions), expected_durations(model.transitions)
    year = series.periods_per_year
    return HiddenMarkovFit(
        fitted_session=series.sessions[fitted.fit_rows[-1]],
        states=tuple(
            HiddenState(
                annualized_return=float(model.means[k] * year),
                annualized_volatility=math.sqrt(model.variances[k] * year),
                probability=float(now[k]),
                next_probability=float(following[k]),
                long_run_share=float(shares[k]),
                expected_duration_sessions=float(durations[k]),
            )
            for k in range(now.size)
        ),
        transitions=tuple(tuple(row) for row in model.transitions.tolist()),
        log_likelihood=estimate.log_likelihood,
        start_log_likelihoods=estimate.start_log_likelihoods,
        fits=len(fitted.fit_rows),
        failures=fitted.failures,
    )


def _volatility_forecast(series: ReturnSeries, fitted: WalkForward) -> VolatilityForecast:
    garch, year = fitted.garch, series.periods_per_year
    following = float(fitted.next_variances[-1])
    return VolatilityForecast(
        fitted_session=series.sessions[fitted.fit_rows[-1]],
        mean=garch.mean,
        omega=garch.omega,
        alpha=garch.alpha,
        beta=garch.beta,
        next_session=math.sqrt(following * year),
        next_month=math.sqrt(garch.mean_variance(following, MONTH_SESSIONS) * year),
        long_run=math.sqrt(garch.long_run_variance * year),
        half_life_sessions=garch.half_life_sessions,
    )


def symbol_regimes(
    bars: DatasetRef,
    symbols: tuple[str, ...],
    *,
    rules: RegimeRules = DEFAULT_REGIME_RULES,
    with_model: bool = False,
) -> tuple[SymbolRegime | RegimeFailure, ...]:
    """Tell the regime of each symbol at its own last close, by rules.

    Rules take about 2 ms per symbol and five years. A hidden Markov model with two states is
    fitted only where asked for, once per symbol and to its whole past: what is reported is its
    last session, for which the whole history is the past. It takes 10 to 80 ms more.

    Args:
        bars: Prices adjusted for splits at least.
        symbols: In the order of the answers.
        rules: How regimes are told by rules.
        with_model: Whether to fit the model.

    Returns:
        One answer per symbol: its regime, or why there is none.

    Raises:
        IntegrityError: Where the dataset's file is gone or changed.
    """
    panel = read_panel(bars)
    return tuple(
        symbol_regime(panel, symbol, rules=rules, with_model=with_model) for symbol in symbols
    )


def symbol_regime(
    panel: Panel, symbol: str, *, rules: RegimeRules, with_model: bool
) -> SymbolRegime | RegimeFailure:
    """Tell the regime of one symbol at its last close, or why it cannot be told."""
    try:
        series = symbol_series(panel, symbol)
        series.check_usable(rules.needed_returns)
    except DataError as error:
        return RegimeFailure(symbol=symbol, reason=str(error))
    seen = evidence(series, rules)
    codes = rule_codes(seen, rules)
    probability, reason = _volatile_probability(series) if with_model else (math.nan, "")
    since = spell_start(codes)
    return SymbolRegime(
        symbol=symbol,
        session=series.sessions[-1],
        regime=REGIMES[codes[-1]],
        since=series.sessions[since],
        sessions_in_regime=codes.size - since,
        trend_strength=float(seen.trend_strength[-1]),
        annualized_volatility=float(seen.volatility[-1] * math.sqrt(series.periods_per_year)),
        volatility_rank=float(seen.volatility_rank[-1]),
        drawdown=float(seen.drawdown[-1]),
        volatile_probability=probability,
        model_reason=reason,
    )


def _volatile_probability(series: ReturnSeries) -> tuple[float, str]:
    try:
        estimate = fitted_model(series.returns, label=series.label, states=2)
    except ComputationError as error:
        return math.nan, str(error)
    return float(estimate.model.filtered(series.returns)[-1, 1]), ""
