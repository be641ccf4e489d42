"""Strategies that share one account."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.ensemble_members import (
    attribution,
    members_of,
    sleeve_correlations,
)
from slices.adaptive_portfolio.ensembles import (
    EnsembleRule,
    Sharing,
    combine,
    mixed,
    netted,
    refit_rows,
    shares,
    strategy_sleeve,
)
from slices.adaptive_portfolio.periods import period_starts
from slices.backtest.simulation import backtest_targets
from slices.domain.dataset import DatasetRef
from slices.domain.ensembles import Combination, CombinationPlan, Sleeve
from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, Costs, TradingRules
from slices.domain.strategies import StrategyName
from slices.quant.allocation.online import exponentiated_gradient
from slices.quant.panel import Panel, read_panel
from slices.quant.signals.strategy import changes
from slices.quant.simulation.targets import simulate_targets
from tests.slices.quant.market import us_dataset

NAMES = [StrategyName.SMA_CROSS, StrategyName.RSI_REVERSAL, StrategyName.CROSS_SECTIONAL_MOMENTUM]
CAPITAL = 50_000.0


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> DatasetRef:
    return us_dataset(tmp_path_factory.mktemp("bars"), symbols=6, sessions=1200)


@pytest.fixture(scope="module")
def panel(bars: DatasetRef) -> Panel:
    return read_panel(bars)


@pytest.fixture(scope="module")
def sleeves(bars: DatasetRef) -> list[Sleeve]:
    return [strategy_sleeve(bars, name, capital=CAPITAL) for name in NAMES]


RULE = EnsembleRule(
    strategies=tuple(NAMES),
    lookback_sessions=252,
    rebalance="monthly",
    costs=DEFAULT_COSTS,
    rules=DEFAULT_RULES,
    capital=CAPITAL,
)


@pytest.fixture(scope="module")
def plans(bars: DatasetRef, sleeves: list[Sleeve]) -> dict[Combination, CombinationPlan]:
    found = combine(bars, sleeves, capital=CAPITAL)
    return {each.combination: each for each in found}


def shared(returns: np.ndarray, panel: Panel, combination: Combination) -> Sharing:
    return shares(returns, refit_rows(panel, RULE), combination, lookback_sessions=252)


@pytest.mark.parametrize("combination", Combination)
def test_shares_sum_to_one_and_are_decided_when_a_period_begins(
    plans: dict[Combination, CombinationPlan], combination: Combination
) -> None:
    plan = plans[combination]
    assert plan.shares.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (plan.shares >= 0).all()
    months = [(each.year, each.month) for each in plan.refits]
    assert len(set(months)) == len(months)
    assert plan.targets.first_session == plan.refits[0]
    assert plan.targets.probe.findings == ()
    assert plan.targets.trials == len(Combination)


def test_what_was_decided_does_not_depend_on_what_came_later(panel: Panel) -> None:
    whole = mixed(panel, rule=RULE)
    for stop in (400, 777, 778, 1000):
        part = mixed(panel.until(stop), rule=RULE)
        np.testing.assert_array_equal(part, whole[:stop])


def test_the_plans_are_what_deciding_from_bars_alone_gives(
    panel: Panel, plans: dict[Combination, CombinationPlan]
) -> None:
    first = panel.sessions.index(plans[Combination.EQUAL].refits[0])
    held = [np.zeros(len(panel.symbols)) for _ in Combination]
    expected = mixed(panel, rule=RULE)
    for row in range(first, len(panel.sessions)):
        for place, combination in enumerate(Combination):
            decided = plans[combination].targets.weights[row - first]
            held[place] = np.where(np.isnan(decided), held[place], decided)
        mix = sum((place + 1) * each for place, each in enumerate(held)) / 10
        np.testing.assert_allclose(mix, expected[row], atol=1e-12)


def test_shares_of_risk_are_equal_in_the_window_they_were_fitted_to(
    panel: Panel, sleeves: list[Sleeve]
) -> None:
    returns = np.column_stack([each.returns for each in sleeves])
    sharing = shared(returns, panel, Combination.RISK_PARITY)
    checked = 0
    for row, share in zip(sharing.refits, sharing.shares, strict=True):
        window = returns[row - 251 : row + 1]
        if np.ptp(window, axis=0).all():
            parts = share * (np.cov(window, rowvar=False) @ share)
            assert parts / parts.sum() == pytest.approx(1 / len(NAMES), abs=1e-6)
            checked += 1
    assert checked > 20


def test_inverse_volatility_is_one_over_the_deviation(panel: Panel, sleeves: list[Sleeve]) -> None:
    returns = np.column_stack([each.returns for each in sleeves])
    sharing = shared(returns, panel, Combination.INVERSE_VOLATILITY)
    row = int(sharing.refits[3])
    inverse = 1 / returns[row - 251 : row + 1].std(axis=0, ddof=1)
    assert sharing.shares[3] == pytest.approx(inverse / inverse.sum(), rel=1e-12)


def test_a_strategy_that_never_moved_gets_no_share_of_risk(panel: Panel) -> None:
    random = np.random.default_rng(1)
    returns = random.normal(0, 0.01, (len(panel.sessions), 3))
    returns[:, 1] = 0.0
    sharing = shared(returns, panel, Combination.RISK_PARITY)
    assert (sharing.shares[:, 1] == 0).all()
    assert sharing.idle == len(sharing.refits)
    still = shared(np.zeros_like(returns), panel, Combination.RISK_PARITY)
    assert still.shares == pytest.approx(1 / 3)
    equal = shared(returns, panel, Combination.EQUAL)
    assert equal.shares == pytest.approx(1 / 3)


def test_opposite_wishes_are_netted(panel: Panel) -> None:
    length = len(panel.sessions)
    long, short = np.full((length, 6), 0.1), np.full((length, 6), -0.1)
    sharing = shared(np.zeros((length, 2)), panel, Combination.EQUAL)
    wanted = netted([long, short], sharing)
    first = int(sharing.refits[0])
    assert np.isnan(wanted[:first]).all()
    assert (wanted[first:] == 0).all()


def test_one_strategy_with_all_the_capital_is_that_strategy(
    panel: Panel, sleeves: list[Sleeve]
) -> None:
    returns = np.column_stack([sleeves[0].returns])
    sharing = shared(returns, panel, Combination.EQUAL)
    first = int(sharing.refits[0])
    wanted = netted([sleeves[0].weights], sharing)
    np.testing.assert_array_equal(wanted[first:], sleeves[0].weights[first:])


def test_a_sleeve_is_the_strategy_traded_alone(panel: Panel, sleeves: list[Sleeve]) -> None:
    account = simulate_targets(
        panel,
        changes(sleeves[1].weights),
        costs=DEFAULT_COSTS,
        rules=DEFAULT_RULES,
        capital=CAPITAL,
    )
    assert CAPITAL * np.prod(1 + sleeves[1].returns) == pytest.approx(account.equity[-1], rel=1e-12)


def test_profit_parts_sum_to_the_profit(
    bars: DatasetRef, sleeves: list[Sleeve], plans: dict[Combination, CombinationPlan]
) -> None:
    plan = plans[Combination.INVERSE_VOLATILITY]
    tested = backtest_targets(bars, plan.targets, capital=CAPITAL)
    members = members_of(bars, sleeves=sleeves, plan=plan, backtest=tested)
    parts = attribution(tested, members)
    assert parts.total == pytest.approx(tested.equity[-1] - CAPITAL)
    assert sum(parts.members) + parts.costs + parts.drift == pytest.approx(parts.total)
    assert parts.costs < 0
    assert abs(parts.drift) < 0.25 * sum(abs(each) for each in parts.members)
    for each, sleeve in zip(members, sleeves, strict=True):
        rows = slice(sleeve.sessions.index(tested.sessions[0]) + 1, None)
        assert each.equity[-1] == pytest.approx(CAPITAL * np.prod(1 + sleeve.returns[rows]))


def test_without_costs_and_drift_the_members_make_all_the_profit(bars: DatasetRef) -> None:
    free = Costs(commission_bps=0, slippage_bps=0)
    sleeves = [strategy_sleeve(bars, name, costs=free) for name in NAMES]
    plan = combine(bars, sleeves, costs=free)[0]
    tested = backtest_targets(bars, plan.targets, costs=free)
    parts = attribution(tested, members_of(bars, sleeves=sleeves, plan=plan, backtest=tested))
    assert parts.costs == 0
    assert parts.drift == pytest.approx(parts.total - sum(parts.members))


def test_correlations_are_numpys_and_undefined_for_what_never_moved(
    sleeves: list[Sleeve],
) -> None:
    matrix = np.array(sleeve_correlations(sleeves))
    expected = np.corrcoef([each.returns[1:] for each in sleeves])
    np.testing.assert_allclose(matrix, expected, rtol=1e-12)
    still = Sleeve(
        strategy=NAMES[0],
        title="Still",
        parameters=(),
        sessions=sleeves[0].sessions,
        weights=sleeves[0].weights,
        returns=np.zeros_like(sleeves[0].returns),
    )
    assert math.isnan(sleeve_correlations([sleeves[0], still])[0][1])


def test_too_little_history_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    short = us_dataset(tmp_path_factory.mktemp("short"), symbols=3, sessions=290)
    sleeves = [strategy_sleeve(short, name) for name in NAMES[:2]]
    with pytest.raises(InsufficientHistoryError):
        combine(short, sleeves)


def test_periods_start_where_the_calendar_turns(panel: Panel) -> None:
    starts = period_starts(panel.sessions, "quarterly")
    for row in starts:
        before, first = panel.sessions[row - 1], panel.sessions[row]
        assert (before.month - 1) // 3 != (first.month - 1) // 3


@given(
    returns=st.lists(
        st.lists(st.floats(-0.2, 0.25), min_size=3, max_size=3), min_size=1, max_size=60
    ),
    rate=st.floats(0.01, 0.5),
)
def test_online_weights_fall_behind_the_best_by_no_more_than_promised(
    returns: list[list[float]], rate: float
) -> None:
    relatives = 1 + np.array(returns)
    learned = exponentiated_gradient(np.array(returns), learning_rate=rate)
    assert learned.sum(axis=1) == pytest.approx(1.0)
    held = np.vstack([np.full(3, 1 / 3), learned[:-1]])
    wealth = np.log((held * relatives).sum(axis=1)).sum()
    best = np.log(relatives).sum(axis=0).max()
    spread = relatives.max() / relatives.min()
    bound = math.log(3) / rate + rate * len(returns) * spread**2 / 8
    assert wealth >= best - bound - 1e-9


def test_online_weights_know_only_what_has_happened() -> None:
    returns = np.random.default_rng(0).normal(0, 0.02, (50, 4))
    whole = exponentiated_gradient(returns)
    for stop in (1, 20, 49):
        np.testing.assert_array_equal(exponentiated_gradient(returns[:stop]), whole[:stop])
    with pytest.raises(ParameterError, match="learning_rate"):
        exponentiated_gradient(returns, learning_rate=0.0)


def test_the_better_member_gains_weight() -> None:
    returns = np.tile([0.01, 0.0], (100, 1))
    learned = exponentiated_gradient(returns)
    assert all(a < b for a, b in itertools.pairwise(learned[:, 0]))


def test_less_exposure_is_less_of_everything(bars: DatasetRef) -> None:
    half = TradingRules(gross_exposure=0.5)
    whole, part = (strategy_sleeve(bars, NAMES[0], rules=each) for each in (DEFAULT_RULES, half))
    np.testing.assert_allclose(part.weights, whole.weights / 2)
    sleeves = [strategy_sleeve(bars, name, rules=half) for name in NAMES]
    for plan in combine(bars, sleeves, rules=half):
        assert np.nansum(np.abs(plan.targets.weights), axis=1).max() <= 0.5 + 1e-12
        tested = backtest_targets(bars, plan.targets, rules=half)
        assert max(tested.gross_exposure) < 0.8
