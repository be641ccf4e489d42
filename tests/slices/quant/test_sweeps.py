from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.domain.errors import BadDataError, ParameterError
from slices.domain.parameters import DEFAULT_COSTS, DEFAULT_RULES, Costs
from slices.domain.strategies import StrategyParameters
from slices.quant.metrics.drawdown import max_drawdown
from slices.quant.metrics.ratios import sharpe_ratio
from slices.quant.panel import Panel, read_panel
from slices.quant.returns import simple_returns
from slices.quant.signals.catalogue import checked_parameters, strategy
from slices.quant.signals.strategy import changes
from slices.quant.simulation import sweep_kernels
from slices.quant.simulation.sweep_ways import (
    SweepAccount,
    Way,
    blank_figures,
    by_crosses,
    by_engine,
    by_signals,
    engine_sleeves,
    way,
)
from slices.quant.simulation.sweeps import Sweep, block_ends, block_sharpe_ratios, joined, sweep
from slices.quant.simulation.targets import simulate_targets
from tests.support.frames import load

FREE = Costs(commission_bps=0, slippage_bps=0)
SMA = strategy("sma_cross")


def sma(fast: int, slow: int, *, short: bool = False) -> StrategyParameters:
    return checked_parameters("sma_cross", {"fast": fast, "slow": slow, "short": short})


def market(
    sessions: int, symbols: int, *, seed: int = 3, late: int = 0, has_open: bool = True
) -> Panel:
    """Random walks; the first symbol begins `late` sessions after the others."""
    random = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(random.normal(0.0004, 0.02, (sessions, symbols)), axis=0))
    opens = closes * np.exp(random.normal(0, 0.004, (sessions, symbols)))
    closes[:late, 0] = opens[:late, 0] = np.nan
    return Panel(
        symbols=tuple(f"S{i}" for i in range(symbols)),
        sessions=tuple(dt.date(2001, 1, 1) + dt.timedelta(days=i) for i in range(sessions)),
        close=closes,
        open=opens if has_open else None,
        periods_per_year=252,
    )


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    source, folder = open_embedded(None, ["GOOGL"]), tmp_path_factory.mktemp("googl")
    return read_panel(load(source, folder, "GOOGL", adjustment=Adjustment.RAW))


def account(panel: Panel, *, costs: Costs = DEFAULT_COSTS, first: int = 0) -> SweepAccount:
    ends = block_ends(len(panel.sessions) - first, 21)
    return SweepAccount(panel=panel, strategy=SMA, costs=costs, capital=1e5, first=first, ends=ends)


def assert_close(actual: Sweep, expected: Sweep, *, tolerance: float = 1e-12) -> None:
    assert actual.trades.tolist() == expected.trades.tolist()
    for name in ("final_equity", "max_drawdown", "block_sums", "block_squares", "sharpe_ratio"):
        np.testing.assert_allclose(
            getattr(actual, name), getattr(expected, name), rtol=tolerance, atol=tolerance
        )


def run(which: Way, base: SweepAccount, chosen: list[StrategyParameters]) -> Sweep:
    figures = blank_figures(len(chosen), base.ends.size)
    which(base, chosen, figures)
    return Sweep(
        final_equity=figures.equity,
        trades=figures.trades,
        max_drawdown=figures.drawdowns,
        block_sums=figures.sums,
        block_squares=figures.squares,
        block_lengths=np.diff(base.ends, prepend=0),
        periods_per_year=252,
    )


pairs = st.tuples(st.integers(2, 40), st.integers(1, 60), st.booleans()).map(
    lambda each: sma(each[0], max(5, each[0] + each[1]), short=each[2])
)


@pytest.mark.slow
@given(
    chosen=st.lists(pairs, min_size=1, max_size=5),
    seed=st.integers(0, 2**16),
    symbols=st.integers(1, 3),
    late=st.sampled_from([0, 0, 30]),
    first=st.sampled_from([0, 25, 64]),
    has_open=st.booleans(),
    bps=st.sampled_from([0.0, 5.0, 300.0]),
)
def test_both_kernels_give_what_the_engine_gives(
    chosen: list[StrategyParameters],
    seed: int,
    symbols: int,
    late: int,
    first: int,
    has_open: bool,  # noqa: FBT001 - drawn by hypothesis
    bps: float,
) -> None:
    panel = market(160, symbols, seed=seed, late=late, has_open=has_open)
    base = account(panel, costs=Costs(commission_bps=bps, slippage_bps=bps), first=first)
    expected = run(by_engine, base, chosen)
    assert_close(run(by_crosses, base, chosen), expected)
    assert_close(run(by_signals, base, chosen), expected)


def test_the_reference_run_ends_where_every_exact_engine_ends(real: Panel) -> None:
    swept = sweep(real, SMA, [sma(10, 50)], costs=DEFAULT_COSTS)
    assert swept.final_equity[0] == pytest.approx(337_675.8917, abs=1e-3)
    assert swept.max_drawdown[0] == pytest.approx(0.2894, abs=5e-5)
    assert swept.trades[0] == 20


def test_ten_thousand_pairs_equal_the_engine_on_a_random_sample(real: Panel) -> None:
    grid = [(fast, slow) for fast in range(2, 54) for slow in range(55, 250)]
    chosen = [sma(fast, slow) for fast, slow in grid[:10_000]]
    swept = sweep(real, SMA, chosen, costs=DEFAULT_COSTS, first=248)
    picked = np.random.default_rng(5).choice(len(chosen), 25, replace=False)
    for place in picked.tolist():
        weights = changes(SMA.signals(real, chosen[place])[248:])
        alone = simulate_targets(
            real.between(248, len(real.sessions)),
            weights,
            costs=DEFAULT_COSTS,
            rules=DEFAULT_RULES,
            capital=1e5,
        )
        returns = simple_returns(alone.equity)
        assert swept.final_equity[place] == pytest.approx(alone.equity[-1], rel=1e-12)
        assert swept.max_drawdown[place] == pytest.approx(max_drawdown(returns), abs=1e-12)
        expected = sharpe_ratio(returns, periods_per_year=252)
        assert swept.sharpe_ratio[place] == pytest.approx(expected, abs=1e-11)
        sums = np.add.reduceat(returns, np.arange(0, returns.size, 21))
        np.testing.assert_allclose(swept.block_sums[place], sums, atol=1e-13)


def test_without_costs_an_account_is_the_product_of_the_returns_it_held() -> None:
    panel = market(120, 1, has_open=False)
    parameters = sma(3, 12)
    swept = sweep(panel, SMA, [parameters], costs=FREE)
    held = SMA.signals(panel, parameters)[:-2, 0]
    growth = panel.close[2:, 0] / panel.close[1:-1, 0]
    expected = 1e5 * np.prod(np.where(held > 0, growth, 1.0))
    assert swept.final_equity[0] == pytest.approx(expected, rel=1e-12)


def test_costs_never_help() -> None:
    panel, chosen = market(400, 2), [sma(3, 20), sma(5, 40, short=True)]
    cheap = sweep(panel, SMA, chosen, costs=FREE)
    dear = sweep(panel, SMA, chosen, costs=DEFAULT_COSTS)
    assert (dear.final_equity < cheap.final_equity).all()


@pytest.mark.parametrize(
    ("costs", "late", "expected"),
    [
        (DEFAULT_COSTS, 0, by_crosses),
        (DEFAULT_COSTS, 20, by_crosses),
        (Costs(commission_minimum=1.0), 0, by_engine),
        (Costs(cash_rate=0.02), 0, by_engine),
    ],
)
def test_costs_that_are_not_proportional_go_through_the_engine(
    costs: Costs, late: int, expected: Callable[..., None]
) -> None:
    assert way(account(market(100, 2, late=late), costs=costs)) is expected


def test_fixed_commissions_are_paid() -> None:
    panel, chosen = market(200, 1), [sma(3, 20)]
    free = sweep(panel, SMA, chosen, costs=FREE)
    priced = Costs(commission_bps=0, slippage_bps=0, commission_minimum=7.0)
    fixed = sweep(panel, SMA, chosen, costs=priced)
    assert fixed.trades == free.trades
    assert fixed.final_equity[0] < free.final_equity[0] - 7.0 * free.trades[0]


def test_a_panel_with_gaps_goes_through_the_engine_and_is_exact() -> None:
    panel = market(200, 2)
    panel.close[90:93, 1] = panel.open[90:93, 1] = np.nan  # type: ignore[index]
    base = account(panel)
    assert way(base) is by_engine
    swept = sweep(panel, SMA, [sma(3, 20)], costs=DEFAULT_COSTS)
    alone = sum(each.equity[-1] for each in engine_sleeves(base, sma(3, 20)))
    assert swept.final_equity[0] == pytest.approx(alone, rel=1e-14)


def test_ties_of_rounded_prices_keep_the_state_before_them() -> None:
    panel = market(400, 1, has_open=False)
    panel.close[:] = np.round(panel.close / 10)
    chosen = [sma(2, 5), sma(2, 6, short=True), sma(3, 9), sma(5, 10, short=True)]
    base = account(panel, first=11)
    assert_close(run(by_crosses, base, chosen), run(by_engine, base, chosen))


def test_joint_signals_share_one_account() -> None:
    panel = market(400, 4)
    momentum = strategy("cross_sectional_momentum")
    parameters = checked_parameters("cross_sectional_momentum")
    swept = sweep(panel, momentum, [parameters], costs=DEFAULT_COSTS, first=300)
    alone = simulate_targets(
        panel.between(300, 400),
        changes(momentum.target_weights(panel, parameters)[300:]),
        costs=DEFAULT_COSTS,
        rules=DEFAULT_RULES,
        capital=1e5,
    )
    assert swept.final_equity[0] == pytest.approx(alone.equity[-1], rel=1e-14)


def test_sleeves_are_the_sum_of_single_runs() -> None:
    panel, chosen = market(300, 3), [sma(4, 30), sma(9, 15)]
    together = sweep(panel, SMA, chosen, costs=DEFAULT_COSTS, capital=3e5)
    apart = [sweep(panel.columns([i]), SMA, chosen, costs=DEFAULT_COSTS) for i in range(3)]
    total = np.sum([each.final_equity for each in apart], axis=0)
    np.testing.assert_allclose(together.final_equity, total, rtol=1e-13)
    assert together.trades.tolist() == np.sum([each.trades for each in apart], axis=0).tolist()


def test_a_ruined_account_has_no_returns_from_then_on() -> None:
    panel = market(90, 1, has_open=False)
    panel.close[:, 0] = np.concatenate([np.linspace(120, 60, 45), np.geomspace(60, 600, 45)])
    panel.close[50, 0] = 700.0
    swept = sweep(panel, SMA, [sma(2, 20, short=True)], costs=FREE, block_sessions=10)
    assert math.isnan(swept.sharpe_ratio[0])
    assert np.isfinite(swept.block_sums[0, :4]).all()
    assert swept.max_drawdown[0] >= 1.0


def test_changing_a_session_changes_no_block_before_it() -> None:
    panel, chosen = market(300, 1), [sma(4, 30), sma(9, 60)]
    before = sweep(panel, SMA, chosen, costs=DEFAULT_COSTS)
    panel.close[231:] *= 1.7
    panel.open[231:] *= 1.7  # type: ignore[index]
    after = sweep(panel, SMA, chosen, costs=DEFAULT_COSTS)
    assert np.array_equal(before.block_sums[:, :10], after.block_sums[:, :10])
    assert not np.array_equal(before.block_sums[:, 11:], after.block_sums[:, 11:])


def test_compiled_loops_do_what_their_python_source_says(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, chosen = market(90, 2, late=12), [sma(3, 9), sma(2, 12, short=True)]
    base = account(panel, first=15)
    compiled = [run(which, base, chosen) for which in (by_crosses, by_signals)]
    for name, each in list(vars(sweep_kernels).items()):
        if hasattr(each, "py_func"):
            monkeypatch.setattr(sweep_kernels, name, each.py_func)
    for which, expected in zip((by_crosses, by_signals), compiled, strict=True):
        assert_close(run(which, base, chosen), expected, tolerance=1e-14)


def test_joined_sweeps_are_one_sweep() -> None:
    panel, chosen = market(200, 1), [sma(fast, 50) for fast in range(2, 30)]
    whole = sweep(panel, SMA, chosen, costs=DEFAULT_COSTS)
    halves = [sweep(panel, SMA, part, costs=DEFAULT_COSTS) for part in (chosen[:9], chosen[9:])]
    assert_close(joined(halves), whole, tolerance=0)


def test_a_window_of_blocks_has_the_sharpe_ratio_of_its_returns() -> None:
    random = np.random.default_rng(1)
    returns = random.normal(0.001, 0.02, (3, 50))
    sums = returns.reshape(3, 5, 10).sum(axis=2)
    squares = (returns**2).reshape(3, 5, 10).sum(axis=2)
    ratios = block_sharpe_ratios(sums, squares, np.full(5, 10))
    expected = [sharpe_ratio(each, periods_per_year=1) for each in returns]
    assert ratios == pytest.approx(expected, rel=1e-11)


def test_returns_that_do_not_vary_have_no_ratio() -> None:
    assert np.isnan(block_sharpe_ratios(np.zeros((2, 3)), np.zeros((2, 3)), np.full(3, 5))).all()
    assert np.isnan(block_sharpe_ratios(np.ones((1, 1)), np.ones((1, 1)), np.array([1]))).all()


def test_what_cannot_be_swept_is_refused() -> None:
    panel = market(50, 1)
    with pytest.raises(ParameterError, match="configurations"):
        sweep(panel, SMA, [], costs=FREE)
    with pytest.raises(ParameterError, match="block_sessions"):
        sweep(panel, SMA, [sma(2, 5)], costs=FREE, block_sessions=0)
    with pytest.raises(BadDataError, match="49 of 50"):
        sweep(panel, SMA, [sma(2, 5)], costs=FREE, first=49)
