"""What to hold now: forecasts of the newest session, weighed against what trading costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.adaptive_portfolio.rebalancing.standing import check_held, holdings_at
from slices.adaptive_portfolio.views.believing import aligned_scores, belief_at, track_record
from slices.adaptive_portfolio.views.optimising import (
    Decision,
    Market,
    decided,
    market_of,
    terms_of,
    view_size,
)
from slices.domain.errors import listed
from slices.domain.learning import DEFAULT_LABEL
from slices.domain.models import LoadedModel
from slices.domain.numbers import written
from slices.domain.rebalancing import TargetWeights
from slices.domain.report import Unit
from slices.domain.view_portfolio import Belief, OptimisedViews, RiskEstimate, ViewLine
from slices.quant.contributions import portfolio_volatility, risk_contributions
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import simple_returns
from slices.quant.types import FloatArray, IntArray

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecast, Forecasts
    from slices.domain.models import ModelRefusal
    from slices.domain.parameters import Costs, RebalanceFrequency
    from slices.domain.view_portfolio import ViewRules


SMALLEST_WEIGHT = 1e-9
"""Smaller ones are what rounding leaves of nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stand:
    """What is known at the close of the session, of the K symbols with a whole window.

    Attributes:
        places: K columns of the panel.
        held: N weights over what is to be invested, of all symbols; likewise `fractions` of
            equity.
    """

    panel: Panel
    places: IntArray
    market: Market
    held: FloatArray
    fractions: FloatArray
    belief: Belief


def optimise_views(
    bars: DatasetRef,
    book: AccountBook,
    model: LoadedModel | ModelRefusal,
    forecasts: Forecasts,
    risk: RiskEstimate,
    *,
    rules: ViewRules,
    costs: Costs,
    rebalance: RebalanceFrequency,
    cash_buffer: float,
) -> OptimisedViews:
    """Find the weights of the most utility after costs, by what a model says now.

    Args:
        bars: Up to the session, with everything that is held.
        book: The account; what waits to be filled counts as filled.
        model: Its out-of-sample scores say how far it is believed.
        forecasts: What it says at the session, or why nothing.
        risk: How the symbols vary together.
        rules: How scores become weights.
        costs: Of trading.
        rebalance: When the next decision is made.
        cash_buffer: Fraction of equity that is not invested.

    Returns:
        The weights that are held, unchanged, where forecasts were refused or a symbol that is
        held has no whole window of returns.

    Raises:
        SymbolNotFoundError: Where bars of something held are missing.
        InfeasibleError: Where so few symbols cannot sum to 1.
        ConvergenceError: Where the answer could not be verified.
    """
    check_held(book, bars)
    stand = _stand(bars, book, model, risk, rules=rules, costs=costs, cash_buffer=cash_buffer)
    refusals = (*forecasts.refusals, *_unknown_holdings(stand))
    label = model.bundle.label if isinstance(model, LoadedModel) else DEFAULT_LABEL
    terms = terms_of(rules, label, rebalance, periods_per_year=stand.panel.periods_per_year)
    said = {each.symbol: each for each in forecasts.forecasts}
    scores = np.array(
        [said[each].score if each in said else math.nan for each in risk.symbols], dtype=np.float64
    )
    if refusals:
        kept = stand.held[stand.places]
        nothing = np.full(kept.size, math.nan)
        decision = Decision(standard_scores=nothing, views=nothing, alphas=nothing, weights=kept)
    else:
        decision = decided(
            stand.market, terms, scores=scores, belief=stand.belief,
            held=stand.held[stand.places],
        )  # fmt: skip
    sizes = view_size(stand.market, terms)
    lines = _lines(stand, risk, decision, said, sizes)
    moved = decision.weights - stand.held[stand.places]
    return OptimisedViews(
        session=risk.session,
        holding_sessions=terms.holding_sessions,
        belief=stand.belief,
        lines=lines,
        risk=risk,
        targets=TargetWeights(
            symbols=bars.symbols,
            weights=_of_all(stand, decision.weights, is_kept=bool(refusals)),
            basis=basis(stand.belief, terms.holding_sessions, refusals),
        ),
        expected_gain=math.nan if refusals else float(decision.alphas @ moved),
        expected_costs=0.0 if refusals else float(stand.market.costs @ np.abs(moved)),
        volatility_held=_volatility(stand, stand.held[stand.places]),
        volatility=_volatility(stand, decision.weights),
        volatility_prior=_volatility(stand, stand.market.prior),
        refusals=refusals,
    )


def basis(belief: Belief, holding_sessions: int, refusals: tuple[str, ...]) -> str:
    """Say in a sentence where target weights come from."""
    if refusals:
        return "What is held stays as it is: the forecasts were not used."
    if not belief.believed > 0:
        return (
            "The target weights are those of the prior, as far as trading there pays: the "
            "forecasts have not proven to be worth anything."
        )
    return (
        f"The target weights have the most utility over the next {holding_sessions} sessions, "
        f"after costs, with forecasts believed to {written(belief.reliability, Unit.FRACTION)}."
    )


def no_belief(panel: Panel) -> Belief:
    """Believe nothing, where there is no model."""
    unknown = math.nan
    return Belief(
        session=panel.sessions[-1],
        sessions=0,
        information_coefficient=unknown,
        standard_error=unknown,
        t_statistic=unknown,
        reliability=0.0,
        believed=0.0,
    )


def belief_now(panel: Panel, model: LoadedModel | ModelRefusal, *, fewest: int) -> Belief:
    """Say how far a model is believed at the newest session, by its out-of-sample scores alone."""
    if not isinstance(model, LoadedModel):
        return no_belief(panel)
    scores = aligned_scores(panel, model.bundle.out_of_sample)
    record = track_record(panel, scores, model.bundle.label)
    return belief_at(record, len(panel.sessions) - 1, panel.sessions[-1], fewest=fewest)


def _stand(
    bars: DatasetRef,
    book: AccountBook,
    model: LoadedModel | ModelRefusal,
    risk: RiskEstimate,
    *,
    rules: ViewRules,
    costs: Costs,
    cash_buffer: float,
) -> Stand:
    panel = read_panel(bars)
    places = np.array([panel.symbols.index(each) for each in risk.symbols], dtype=np.int64)
    holdings = holdings_at(panel, book, costs)
    values = holdings.shares * holdings.prices
    fractions = values / holdings.equity if holdings.equity > 0 else np.zeros(values.size)
    closes = panel.close[-rules.lookback_sessions - 1 :, places]
    return Stand(
        panel=panel,
        places=places,
        market=market_of(
            simple_returns(closes), closes[-1], rules, costs, covariance=risk.covariance
        ),
        held=fractions / (1.0 - cash_buffer),
        fractions=fractions,
        belief=belief_now(panel, model, fewest=rules.fewest_sessions),
    )


def _unknown_holdings(stand: Stand) -> tuple[str, ...]:
    """Name what is held and has no whole window: what it risks is not known."""
    rest = np.ones(stand.held.size, dtype=np.bool_)
    rest[stand.places] = False
    names = tuple(stand.panel.symbols[i] for i in np.flatnonzero(rest & (stand.held != 0)))
    if not names:
        return ()
    return (f"no risk is known of what is held: found holes in the bars of {listed(names)}",)


def _of_all(stand: Stand, weights: FloatArray, *, is_kept: bool) -> tuple[float, ...]:
    if is_kept:
        return tuple(np.maximum(stand.fractions, 0.0).tolist())
    every = np.zeros(stand.held.size)
    every[stand.places] = np.where(weights > SMALLEST_WEIGHT, weights, 0.0)
    return tuple(every.tolist())


def _volatility(stand: Stand, weights: FloatArray) -> float:
    """Return the annualized volatility of weights scaled to a sum of 1; NaN where nothing is."""
    total = float(weights.sum())
    if not total > 0:
        return math.nan
    yearly = stand.market.covariance * stand.panel.periods_per_year
    return portfolio_volatility(weights / total, yearly)


def _lines(
    stand: Stand,
    risk: RiskEstimate,
    decision: Decision,
    said: dict[str, Forecast],
    sizes: FloatArray,
) -> tuple[ViewLine, ...]:
    errors = stand.belief.standard_error * sizes * np.abs(decision.standard_scores)
    shares = np.full(sizes.size, math.nan)
    if decision.weights.sum() > 0:
        contributions = risk_contributions(decision.weights, stand.market.covariance)
        shares = contributions / contributions.sum()
    return tuple(
        ViewLine(
            symbol=symbol,
            score=said[symbol].score if symbol in said else math.nan,
            standard_score=float(decision.standard_scores[i]),
            view=float(decision.views[i]),
            alpha=float(decision.alphas[i]),
            error=float(errors[i]),
            lower=said[symbol].lower if symbol in said else math.nan,
            upper=said[symbol].upper if symbol in said else math.nan,
            prior_weight=float(stand.market.prior[i]),
            held_weight=float(stand.held[stand.places[i]]),
            weight=float(decision.weights[i]),
            risk_share=float(shares[i]),
        )
        for i, symbol in enumerate(risk.symbols)
    )
