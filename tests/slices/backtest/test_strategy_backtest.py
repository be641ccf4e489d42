from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from slices.backtest.simulation import FEWEST_SESSIONS, backtest_targets
from slices.backtest.strategies import backtest_strategy
from slices.domain.backtests import Backtest, TargetWeights
from slices.domain.bars import Adjustment
from slices.domain.errors import BadDataError, InsufficientHistoryError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.parameters import Costs, TradingRules
from slices.domain.strategies import StrategyName
from slices.domain.verdicts import Grade, Leak, LeakFinding, LookAheadProbe
from slices.quant.panel import read_panel
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded, made_up, wandering

FREE = Costs(commission_bps=0, slippage_bps=0)


@pytest.fixture(scope="module")
def google() -> Backtest:
    return backtest_strategy(embedded("GOOGL", adjustment=Adjustment.RAW))


def test_the_default_strategy_gives_the_known_answer(google: Backtest) -> None:
    assert google.equity[-1] == pytest.approx(337_675.8917, abs=1e-4)
    assert google.performance.max_drawdown == pytest.approx(0.2894, abs=5e-5)
    assert (len(google.trades), len(google.open_trades)) == (20, 1)


def test_the_account_begins_where_the_strategy_has_its_history(google: Backtest) -> None:
    sessions = read_panel(embedded("GOOGL", adjustment=Adjustment.RAW)).sessions
    assert google.sessions == sessions[49:]
    assert google.equity[0] == google.benchmark_equity[0] == google.capital


def test_it_survives_storage(google: Backtest) -> None:
    assert fingerprint(decode(encode(google))) == fingerprint(google)


def test_trades_explain_the_gain(google: Backtest) -> None:
    pnl = math.fsum(each.pnl for each in (*google.trades, *google.open_trades))
    assert pnl == pytest.approx(google.equity[-1] - google.capital, rel=1e-9)
    paid = math.fsum(each.costs for each in (*google.trades, *google.open_trades))
    assert paid == pytest.approx(google.costs.total, rel=1e-9)


def test_the_benchmark_buys_once_at_the_next_open_and_holds(google: Backtest) -> None:
    panel = read_panel(embedded("GOOGL", adjustment=Adjustment.RAW))
    assert panel.open is not None
    entry, rate = panel.open[50, 0], 0.001
    expected = google.capital / (1 + rate) * panel.close[50:, 0] / entry
    np.testing.assert_allclose(google.benchmark_equity[1:], expected, rtol=1e-12)


def test_the_verdict_knows_its_probe_and_finds_nothing(google: Backtest) -> None:
    assert len(google.verdict.probe.cuts) >= 1
    assert google.verdict.probe.findings == ()
    assert google.verdict.trials == 1


def test_costs_lower_the_equity_at_every_session_after_the_first_fill() -> None:
    bars = embedded("AAPL", "MSFT", "GOOGL")
    free, dear = (backtest_strategy(bars, costs=each) for each in (FREE, Costs(commission_bps=20)))
    first = next(i for i, value in enumerate(free.gross_exposure) if value > 0)
    assert all(a > b for a, b in zip(free.equity[first:], dear.equity[first:], strict=True))
    assert free.costs.total == 0 < dear.costs.total


def test_the_order_of_symbols_changes_nothing() -> None:
    first = backtest_strategy(embedded("AAPL", "MSFT", "GOOGL"))
    second = backtest_strategy(embedded("GOOGL", "AAPL", "MSFT"))
    np.testing.assert_allclose(first.equity, second.equity, rtol=1e-10)
    np.testing.assert_allclose(first.benchmark_equity, second.benchmark_equity, rtol=1e-10)
    assert len(first.trades) == len(second.trades)
    assert first.verdict.grade is second.verdict.grade


def test_a_later_start_leaves_the_history_to_the_strategy() -> None:
    bars = embedded("GOOGL")
    whole = backtest_strategy(bars, costs=FREE)
    start = dt.date(2009, 1, 2)
    later = backtest_strategy(bars, start=start, costs=FREE)
    assert later.sessions[0] == start
    row = whole.sessions.index(start)
    # Without costs both hold the same share of the account from the first fill after `start` on.
    ratio = np.array(later.equity[1:]) / np.array(whole.equity[row + 1 :])
    held = np.array(later.gross_exposure[1:]) > 0
    assert held.tolist() == (np.array(whole.gross_exposure[row + 1 :]) > 0).tolist()
    assert ratio[-1] == pytest.approx(ratio[0], rel=1e-9)


def test_less_exposure_is_less_of_everything() -> None:
    bars = embedded("GOOGL")
    half = backtest_strategy(bars, rules=TradingRules(gross_exposure=0.5))
    whole = backtest_strategy(bars)
    assert max(half.gross_exposure) < max(whole.gross_exposure)
    bought = next(each for each in half.gross_exposure if each > 0)
    assert bought == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("costs", "rules"),
    [
        (Costs(impact=0.5), TradingRules()),
        (Costs(commission_per_share=0.01, commission_minimum=1.0), TradingRules()),
        (Costs(cash_rate=0.03, borrow_rate=0.05), TradingRules()),
        (Costs(), TradingRules(whole_shares=True)),
        (Costs(), TradingRules(volume_share=0.001)),
    ],
)
def test_every_cost_and_rule_reaches_the_account(costs: Costs, rules: TradingRules) -> None:
    bars = embedded("IBM", "GOOGL")
    plain, found = (
        backtest_strategy(bars, capital=1e6, costs=each, rules=rule)
        for each, rule in ((Costs(), TradingRules()), (costs, rules))
    )
    assert found.equity != plain.equity
    assert np.isfinite(found.equity).all()
    assert found.verdict.probe.findings == ()
    if rules.whole_shares:
        assert all(float(each.quantity).is_integer() for each in found.trades)
        assert found.remarks
    if costs.impact:
        assert found.costs.impact > 0
    if costs.cash_rate:
        assert found.costs.interest > 0


def test_later_prices_change_nothing_before_them(tmp_path: Path) -> None:
    closes, changed = wandering(400, seed=1), wandering(400, seed=1)
    changed[300:] *= np.linspace(1.0, 3.0, 100)
    first = backtest_strategy(made_up(tmp_path / "a", AAA=closes))
    second = backtest_strategy(made_up(tmp_path / "b", AAA=changed))
    until = 300 - 49
    assert first.equity[:until] == second.equity[:until]
    assert first.equity[until + 20] != second.equity[until + 20]


def test_a_strategy_that_never_trades_is_rejected_and_reads_well(tmp_path: Path) -> None:
    falling = made_up(tmp_path, AAA=100.0 * 0.999 ** np.arange(300))
    found = backtest_strategy(falling)
    assert set(found.equity) == {found.capital}
    assert found.trades == found.open_trades == ()
    assert found.performance.total_return == 0
    assert math.isnan(found.performance.sharpe_ratio)
    assert found.verdict.grade is Grade.REJECT
    assert found.costs.total == 0


def test_a_history_too_short_says_what_is_needed(tmp_path: Path) -> None:
    short = made_up(tmp_path, AAA=wandering(100, seed=3))
    with pytest.raises(InsufficientHistoryError) as raised:
        backtest_strategy(short)
    assert (raised.value.needed, raised.value.found) == (49 + FEWEST_SESSIONS, 100)


def test_parameters_are_those_of_the_strategy() -> None:
    bars = embedded("GOOGL")
    found = backtest_strategy(bars, parameters=(("fast", 20), ("slow", 100)))
    assert "20" in found.label
    assert "100" in found.label
    with pytest.raises(ParameterError):
        backtest_strategy(bars, parameters=(("quick", 20),))


@pytest.mark.parametrize("strategy", list(StrategyName))
def test_every_strategy_can_be_tested(strategy: StrategyName) -> None:
    found = backtest_strategy(embedded("AAPL", "MSFT", "IBM"), strategy=strategy)
    assert np.isfinite(found.equity).all()
    assert min(found.equity) > 0
    assert found.verdict.probe.findings == ()
    assert max(found.gross_exposure) <= 1.5


def targets(bars: object, weights: np.ndarray, **changed: object) -> TargetWeights:
    panel = read_panel(bars)  # type: ignore[arg-type]
    given = TargetWeights(
        label="Half and half",
        symbols=panel.symbols,
        sessions=(panel.sessions[10],),
        weights=weights,
        first_session=panel.sessions[10],
        trials=7,
        probe=LookAheadProbe(cuts=(panel.sessions[100],)),
    )
    return dataclasses.replace(given, **changed)  # type: ignore[arg-type]


def test_given_weights_are_bought_once_and_drift() -> None:
    bars = embedded("AAPL", "MSFT")
    found = backtest_targets(bars, targets(bars, np.array([[0.5, 0.5]])), costs=FREE)
    panel = read_panel(bars)
    assert panel.open is not None
    growth = panel.close[11:] / panel.open[11]
    np.testing.assert_allclose(found.equity[1:], 100_000 * growth.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(found.equity, found.benchmark_equity, rtol=1e-9)
    assert found.verdict.trials == 7
    assert found.annual_turnover > 0


def test_what_the_probe_found_rejects() -> None:
    bars = embedded("AAPL", "MSFT")
    leak = LeakFinding(leak=Leak.FUTURE_BARS, session=dt.date(2005, 1, 3), detail="It peeked.")
    probe = LookAheadProbe(cuts=(dt.date(2005, 1, 3),), findings=(leak,))
    found = backtest_targets(bars, targets(bars, np.array([[0.5, 0.5]]), probe=probe))
    assert found.verdict.grade is Grade.REJECT
    assert leak in found.verdict.probe.findings


def test_weights_of_other_symbols_or_sessions_are_refused() -> None:
    bars = embedded("AAPL", "MSFT")
    fitting = np.array([[0.5, 0.5]])
    sunday = dt.date(2005, 1, 2)
    for changed in (
        {"symbols": ("MSFT", "AAPL")},
        {"sessions": (sunday,)},
        {"first_session": sunday},
    ):
        with pytest.raises(BadDataError):
            backtest_targets(bars, targets(bars, fitting, **changed))
    with pytest.raises(BadDataError):
        backtest_targets(bars, targets(bars, np.array([[0.9, 0.9]])))


def test_a_symbol_that_begins_later_joins_the_benchmark_then(tmp_path: Path) -> None:
    early, late = np.full(300, 100.0), wandering(300, seed=5)
    late[:150] = np.nan
    bars = made_up(tmp_path, AAA=early, BBB=late)
    panel = read_panel(bars)
    none = targets(
        bars,
        np.zeros((1, 2)),
        sessions=(panel.sessions[0],),
        first_session=panel.sessions[0],
    )
    found = backtest_targets(bars, none, costs=FREE)
    assert set(found.benchmark_equity[:151]) == {100_000.0}
    assert found.benchmark_equity[-1] == pytest.approx(50_000 * (1 + late[-1] / late[151]))


def test_an_account_of_too_few_sessions_is_refused() -> None:
    bars = embedded("AAPL", "MSFT")
    late = read_panel(bars).sessions[-30]
    with pytest.raises(InsufficientHistoryError) as raised:
        backtest_targets(
            bars, targets(bars, np.array([[0.5, 0.5]]), sessions=(late,), first_session=late)
        )
    assert (raised.value.needed, raised.value.found) == (FEWEST_SESSIONS, 30)


def test_decisions_after_a_symbol_has_ended_are_reported(tmp_path: Path) -> None:
    ending, lasting = wandering(300, seed=1), wandering(300, seed=2)
    ending[200:] = np.nan
    bars = made_up(tmp_path, AAA=ending, BBB=lasting)
    days = read_panel(bars).sessions
    decided = targets(
        bars,
        np.array([[0.5, 0.5], [0.5, np.nan]]),
        sessions=(days[0], days[250]),
        first_session=days[0],
    )
    found = backtest_targets(bars, decided)
    assert len(found.remarks) == 1
    assert "AAA" in found.remarks[0]
    assert [each.exit_session for each in found.trades] == [days[199]]
