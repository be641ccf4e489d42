from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from slices.backtest.selection import check_strategy, choose_strategy, rivals
from slices.backtest.strategies import backtest_choice, backtest_strategy
from slices.domain.backtests import StrategyChoice
from slices.domain.errors import InfeasibleError, InsufficientHistoryError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.parameters import Costs
from slices.domain.strategies import StrategyName, StrategyOption
from slices.runtime.codec import decode, encode
from tests.slices.backtest.market import embedded, made_up, wandering
from tests.slices.quant.market import us_dataset


@pytest.fixture(scope="module")
def chosen() -> StrategyChoice:
    return choose_strategy(embedded("AAPL", "MSFT", "GOOGL"), strategy="auto")


def test_the_options_are_the_strategies_and_auto() -> None:
    assert set(get_args(StrategyOption)) == {each.value for each in StrategyName} | {"auto"}


def test_the_best_sharpe_ratio_in_sample_is_taken(chosen: StrategyChoice) -> None:
    ratios = [each.performance.sharpe_ratio for each in chosen.ranking]
    known = [each for each in ratios if not math.isnan(each)]
    assert known == sorted(known, reverse=True)
    assert ratios[: len(known)] == known
    assert chosen.strategy is chosen.ranking[0].strategy
    assert chosen.trials == len(chosen.ranking) == len(StrategyName) - 1
    assert fingerprint(decode(encode(chosen))) == fingerprint(chosen)


def test_the_account_begins_after_the_sessions_it_was_chosen_on(chosen: StrategyChoice) -> None:
    assert chosen.in_sample is not None
    assert chosen.first_session is not None
    assert chosen.first_session > chosen.in_sample[1]
    tested = backtest_choice(embedded("AAPL", "MSFT", "GOOGL"), chosen)
    assert tested.sessions[0] == chosen.first_session
    assert tested.verdict.trials == 1 < chosen.trials


def test_what_comes_after_has_no_part_in_the_choice(tmp_path: Path) -> None:
    closes = {f"S{each}": wandering(1200, seed=each) for each in range(3)}
    first = choose_strategy(made_up(tmp_path / "a", **closes))
    for seed in range(3):
        changed = {name: each.copy() for name, each in closes.items()}
        for place, each in enumerate(changed.values()):
            each[600:] = wandering(600, seed=50 + 3 * seed + place, level=each[599])
        again = choose_strategy(made_up(tmp_path / str(seed), **changed))
        assert fingerprint(again) == fingerprint(first)


def test_what_comes_before_does(tmp_path: Path) -> None:
    found = set()
    for seed in range(6):
        bars = made_up(tmp_path / str(seed), AAA=wandering(1200, seed=seed))
        found.add(choose_strategy(bars).strategy)
    assert len(found) > 1


def test_rivals_are_measured_over_the_same_sessions(chosen: StrategyChoice) -> None:
    bars = embedded("AAPL", "MSFT", "GOOGL")
    found = {each.strategy: each for each in rivals(bars, chosen)}
    assert list(found) == [*(e.strategy for e in chosen.ranking), StrategyName.BUY_AND_HOLD]
    tested = backtest_choice(bars, chosen)
    assert found[chosen.strategy].performance == tested.performance
    assert {each.performance.sessions for each in found.values()} == {len(tested.sessions) - 1}


def test_holding_is_the_measure_and_no_candidate(chosen: StrategyChoice) -> None:
    assert chosen.holding is not None
    assert chosen.holding.strategy is StrategyName.BUY_AND_HOLD
    assert StrategyName.BUY_AND_HOLD not in {each.strategy for each in chosen.ranking}
    sessions = {each.performance.sessions for each in chosen.ranking}
    assert sessions == {chosen.holding.performance.sessions}
    held = rivals(embedded("AAPL", "MSFT", "GOOGL"), chosen)[-1]
    tested = backtest_choice(embedded("AAPL", "MSFT", "GOOGL"), chosen)
    assert held.performance == tested.benchmark_performance


def test_the_choice_is_net_of_costs() -> None:
    bars = embedded("IBM")
    free = choose_strategy(bars, costs=Costs(commission_bps=0, slippage_bps=0))
    dear = choose_strategy(bars, costs=Costs(commission_bps=100))
    ratio = {each.strategy: each.performance.sharpe_ratio for each in free.ranking}
    for each in dear.ranking:
        if each.annual_turnover > 0:
            assert each.performance.sharpe_ratio < ratio[each.strategy]


def test_the_order_of_symbols_chooses_the_same(chosen: StrategyChoice) -> None:
    again = choose_strategy(embedded("GOOGL", "AAPL", "MSFT"))
    assert again.strategy is chosen.strategy
    for mine, other in zip(again.ranking, chosen.ranking, strict=True):
        assert mine.strategy is other.strategy
        assert mine.performance.sharpe_ratio == pytest.approx(other.performance.sharpe_ratio)


def test_one_symbol_leaves_out_what_compares_symbols() -> None:
    found = choose_strategy(embedded("GOOGL"))
    tried = {each.strategy for each in found.ranking}
    assert StrategyName.CROSS_SECTIONAL_MOMENTUM not in tried
    assert found.trials == len(StrategyName) - 2
    assert found.not_tried == ()


def test_a_strategy_without_enough_history_is_not_tried_and_named(tmp_path: Path) -> None:
    found = choose_strategy(us_dataset(tmp_path, symbols=3, sessions=400))
    named = {name for name, _ in found.not_tried}
    assert StrategyName.TIME_SERIES_MOMENTUM in named
    assert named.isdisjoint(each.strategy for each in found.ranking)
    assert len(found.ranking) + len(named) == len(StrategyName) - 1


def test_a_history_too_short_to_choose_or_to_test_says_so(tmp_path: Path) -> None:
    short = made_up(tmp_path, AAA=wandering(120, seed=1))
    with pytest.raises(InsufficientHistoryError):
        choose_strategy(short)
    enough = made_up(tmp_path / "b", AAA=wandering(400, seed=1))
    with pytest.raises(InsufficientHistoryError):
        choose_strategy(enough, in_sample_fraction=0.9)


def test_a_named_strategy_is_taken_with_its_parameters() -> None:
    bars = embedded("GOOGL")
    choice = choose_strategy(bars, strategy="sma_cross", parameters={"fast": 20.0, "slow": "60"})
    assert dict(choice.parameters)["fast"] == 20
    assert dict(choice.parameters)["slow"] == 60
    assert (choice.trials, choice.ranking, rivals(bars, choice)) == (1, (), ())
    named = backtest_strategy(bars, parameters=(("fast", 20), ("slow", 60)))
    assert fingerprint(backtest_choice(bars, choice)) == fingerprint(named)


def asked(strategy: str, parameters: dict[str, float | str] | None = None) -> dict[str, Any]:
    return {"strategy": strategy, "parameters": parameters, "symbols": ["IBM"]}


@pytest.mark.parametrize(
    "parameters",
    [{"quick": 3.0}, {"fast": 0.0}, {"fast": 10.5}, {"fast": "many"}, {"fast": 60.0}],
)
def test_parameters_that_do_not_fit_are_refused(parameters: dict[str, float | str]) -> None:
    with pytest.raises(ParameterError):
        check_strategy(asked("sma_cross", parameters))


def test_parameters_of_a_strategy_to_be_chosen_are_refused() -> None:
    with pytest.raises(ParameterError):
        check_strategy(asked("auto", {"fast": 5.0}))
    check_strategy(asked("auto"))
    check_strategy(asked("sma_cross", {"short": 1.0}))


def test_a_strategy_that_compares_symbols_needs_several() -> None:
    with pytest.raises(ParameterError):
        check_strategy(asked("cross_sectional_momentum"))
    check_strategy(asked("cross_sectional_momentum") | {"symbols": ["IBM", "AAPL"]})


def test_trials_made_before_the_account_begins_do_not_deflate_it(chosen: StrategyChoice) -> None:
    bars = embedded("AAPL", "MSFT", "GOOGL")
    alone = dataclasses.replace(chosen, ranking=(), in_sample=None)
    many, one = (backtest_choice(bars, each).verdict for each in (chosen, alone))
    assert many == one
    assert many.deflated_sharpe_ratio == pytest.approx(many.probabilistic_sharpe_ratio)


def test_what_cash_earns_is_no_reason_to_be_chosen() -> None:
    bars = embedded("AAPL", "MSFT", "GOOGL")
    plain, paid = (choose_strategy(bars, costs=Costs(cash_rate=each)) for each in (0.0, 0.1))
    before = {each.strategy: each.performance.sharpe_ratio for each in plain.ranking}
    gains = [each.performance.sharpe_ratio - before[each.strategy] for each in paid.ranking]
    assert max(gains) < 0.1


def test_prices_that_never_move_give_nothing_to_choose(tmp_path: Path) -> None:
    with pytest.raises(InfeasibleError):
        choose_strategy(
            made_up(tmp_path, AAA=np.full(800, 100.0)),
            costs=Costs(commission_bps=0, slippage_bps=0),
        )


def test_too_few_sessions_in_sample_say_so(tmp_path: Path) -> None:
    bars = made_up(tmp_path, AAA=wandering(400, seed=1))
    with pytest.raises(InsufficientHistoryError) as raised:
        choose_strategy(bars, in_sample_fraction=0.1)
    assert raised.value.found == 40
