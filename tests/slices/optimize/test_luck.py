from __future__ import annotations

import datetime as dt
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from slices.domain.calendar import sessions_between
from slices.domain.dataset import DatasetRef
from slices.domain.studies import OverfittingEvidence, SearchMethod, ValidationWindows
from slices.optimize.combinatorial import combinatorial_evidence
from slices.optimize.lattice import Lattice
from slices.optimize.overfitting import overfitting_evidence, trial_returns
from slices.optimize.plan import batches, plan_search
from slices.optimize.trials import Trials, collected, scores, try_batch
from slices.optimize.walk_forward import walk_forward
from slices.quant.metrics.ratios import sharpe_ratio
from slices.quant.panel import read_panel
from slices.quant.validity.sharpe import deflated_sharpe_ratio
from tests.slices.optimize.made_up import grid_points, made_up_trials, noise
from tests.slices.quant.market import stored, us_dataset

SHAPE = (10, 12)


def random_walk(folder: Path, *, sessions: int = 1500, seed: int = 8) -> DatasetRef:
    days = tuple(sessions_between(dt.date(2000, 1, 3), dt.date(2012, 1, 3))[:sessions])
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, sessions)))
    return stored(folder, days, {"AAA": closes})


def made(bars: DatasetRef, **options: object) -> Trials:
    """Everything planned before anything was scored: what validates."""
    plan = plan_search(bars, **options)  # type: ignore[arg-type]
    found = [
        try_batch(
            bars, points, space=plan.space, costs=plan.costs, capital=plan.capital,
            first=plan.first, block_sessions=plan.block_sessions,
        )
        for points in batches(plan)
    ]  # fmt: skip
    return collected(bars, plan, found)


def with_returns(returns: np.ndarray) -> Trials:
    return made_up_trials(returns, grid_points(*SHAPE), SHAPE)


def evidence(
    trials: Trials, monkeypatch: pytest.MonkeyPatch, returns: np.ndarray
) -> OverfittingEvidence:
    monkeypatch.setattr(
        "slices.optimize.overfitting.trial_returns", lambda _bars, _trials, number: returns[number]
    )
    return overfitting_evidence(None, trials, validation=trials)  # type: ignore[arg-type]


def test_among_trials_without_skill_the_best_is_as_likely_bad_as_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for seed in range(6):
        returns = noise(120, 1200, seed=seed)
        found.append(evidence(with_returns(returns), monkeypatch, returns))
    odds = [each.probability_of_overfitting for each in found]
    assert 0.35 < np.mean(odds) < 0.75
    assert all(each.deflated_sharpe_ratio < 0.95 for each in found)


def test_a_planted_edge_is_no_overfitting(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = noise(120, 1200)
    returns[40:50] += 0.0018
    found = evidence(with_returns(returns), monkeypatch, returns)
    assert found.probability_of_overfitting < 0.05
    assert found.deflated_sharpe_ratio > 0.95


def test_where_all_trials_are_idle_there_is_no_probability_and_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns = np.zeros((120, 1200))
    found = evidence(with_returns(returns), monkeypatch, returns)
    assert math.isnan(found.probability_of_overfitting)
    assert found.reason
    returns[3] = noise(1, 1200)[0]
    found = evidence(with_returns(returns), monkeypatch, returns)
    assert 0 <= found.probability_of_overfitting <= 1
    assert found.reason == ""


def test_luck_is_measured_by_what_was_not_sought_out(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = noise(120, 1200)
    validation, sought = with_returns(returns), returns.copy()
    sought[:] = returns[np.nanargmax(scores(validation))]  # a search that found one good place
    alone = evidence(validation, monkeypatch, returns)
    monkeypatch.setattr(
        "slices.optimize.overfitting.trial_returns", lambda _bars, _trials, number: sought[number]
    )
    trials = with_returns(sought)
    found = overfitting_evidence(None, trials, validation=validation)  # type: ignore[arg-type]
    assert found.trials == 120
    assert found.best_sharpe == alone.best_sharpe
    assert found.probability_of_overfitting == alone.probability_of_overfitting
    assert found.expected_maximum_sharpe == alone.expected_maximum_sharpe > 0


def test_a_trial_that_lost_everything_is_counted_and_left_out_of_the_ranking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns = noise(120, 1200)
    trials = with_returns(returns)
    for values in (trials.sweep.block_sums, trials.sweep.block_squares):
        values[7, 20:] = np.nan
    found = evidence(trials, monkeypatch, returns)
    assert (found.trials, found.left_out) == (120, 1)
    assert math.isfinite(found.probability_of_overfitting)


def test_the_deflation_counts_every_trial_and_its_spread(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=2, sessions=1500)
    trials = made(bars, strategy="sma_cross", trials=200, ranges={"slow": (20, 120)})
    found = overfitting_evidence(bars, trials, validation=trials)
    best = int(np.nanargmax(scores(trials)))
    returns = trial_returns(bars, trials, best)
    own = sharpe_ratio(returns, periods_per_year=252)
    assert found.best_sharpe == pytest.approx(own, rel=1e-9)
    spread = float(np.var(trials.sweep.sharpe_ratio / math.sqrt(252), ddof=1))
    count = len(trials.points)
    expected = deflated_sharpe_ratio(returns, trials=count, trial_variance=spread)
    assert found.trials == count
    assert found.deflated_sharpe_ratio == pytest.approx(expected, rel=1e-9)
    alone = deflated_sharpe_ratio(returns, trials=1, trial_variance=spread)
    assert found.deflated_sharpe_ratio < alone


@pytest.mark.slow
def test_cross_validation_sees_an_edge_and_sees_none_in_noise() -> None:
    returns = noise(120, 1600)
    nothing = combinatorial_evidence(with_returns(returns))
    returns[27:33] += 0.003
    returns[39:45] += 0.003
    something = combinatorial_evidence(with_returns(returns))
    assert nothing.folds == something.folds == 10
    assert len(nothing.split_sharpes) == 45
    assert len(nothing.path_sharpes) == 9
    assert nothing.purged_sessions == 20
    assert abs(np.mean(nothing.path_sharpes)) < 1.0
    assert np.min(something.path_sharpes) > 2.0


@pytest.mark.slow
def test_a_choice_never_knows_what_judges_it_nor_what_lies_next_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen: list[int | None] = []
    plain = Lattice.best_trial

    def recorded(self: Lattice, own: np.ndarray) -> int | None:
        chosen.append(plain(self, own))
        return chosen[-1]

    monkeypatch.setattr(Lattice, "best_trial", recorded)
    returns = noise(120, 1600)
    combinatorial_evidence(with_returns(returns))
    fold_and_purge = 160 + 20
    returns[:, :fold_and_purge] = noise(120, fold_and_purge, seed=77) * 3
    combinatorial_evidence(with_returns(returns))
    judged_on_the_first_fold = 9  # of 45 pairs of ten folds
    assert chosen[:judged_on_the_first_fold] == chosen[45 : 45 + judged_on_the_first_fold]
    assert chosen[judged_on_the_first_fold:45] != chosen[45 + judged_on_the_first_fold :]


def test_a_history_too_short_for_the_purge_says_so() -> None:
    trials = made_up_trials(noise(120, 600), grid_points(*SHAPE), SHAPE, lookback=200)
    found = combinatorial_evidence(trials)
    assert found.folds == 0
    assert found.path_sharpes == ()
    assert "600" in found.reason
    assert "200" in found.reason


def with_other_future(bars: DatasetRef, folder: Path, *, known: int, seed: int = 99) -> DatasetRef:
    """The same bars up to so many sessions, and quite different ones after."""
    panel = read_panel(bars)
    closes = panel.close[:, 0].copy()
    moves = np.random.default_rng(seed).normal(0.004, 0.03, closes.size - known)
    closes[known:] = closes[known - 1] * np.exp(np.cumsum(moves))
    return stored(folder, panel.sessions, {"AAA": closes})


@pytest.mark.parametrize("method", list(SearchMethod))
def test_the_walk_forward_never_sees_what_it_trades(tmp_path: Path, method: SearchMethod) -> None:
    bars = random_walk(tmp_path)
    options = {
        "strategy": "sma_cross", "trials": 150, "ranges": {"slow": (20, 100)}, "method": method,
    }  # fmt: skip
    folds = walk_forward(bars, made(bars, **options))
    cut = read_panel(bars).sessions.index(folds[3].decided) + 1
    (tmp_path / "other").mkdir()
    other = with_other_future(bars, tmp_path / "other", known=cut)
    changed = walk_forward(other, made(other, **options))
    same = [
        (mine.trial, mine.parameters, mine.decided, mine.in_sample_sharpe) for mine in folds[:4]
    ]  # decided on what was not changed
    assert same == [
        (each.trial, each.parameters, each.decided, each.in_sample_sharpe) for each in changed[:4]
    ]
    assert [each.out_of_sample_sharpe for each in folds[:3]] == [
        each.out_of_sample_sharpe for each in changed[:3]
    ]
    assert folds[3].out_of_sample_sharpe != changed[3].out_of_sample_sharpe


def earned(bars: DatasetRef, method: SearchMethod, *, seed: int) -> float:
    """Mean Sharpe ratio out of sample of a walk-forward."""
    trials = made(bars, strategy="bollinger_reversal", trials=100, method=method, seed=seed)
    return float(np.mean([each.out_of_sample_sharpe for each in walk_forward(bars, trials)]))


@pytest.mark.slow
def test_a_search_that_learns_earns_no_more_in_noise_than_a_random_one(tmp_path: Path) -> None:
    gains = []
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        bars = random_walk(folder, seed=seed)
        learned = earned(bars, SearchMethod.TPE, seed=seed)
        gains.append(learned - earned(bars, SearchMethod.RANDOM, seed=100 + seed))
    error = np.std(gains, ddof=1) / math.sqrt(len(gains))
    assert np.mean(gains) < 2 * error


def test_folds_follow_one_another(tmp_path: Path) -> None:
    bars = random_walk(tmp_path)
    folds = walk_forward(bars, made(bars, strategy="sma_cross", trials=60))
    for before, after in itertools.pairwise(folds):
        assert after.decided == before.out_of_sample_last
        assert after.in_sample_first > before.in_sample_first
        assert before.in_sample_first < before.decided
    assert folds[-1].out_of_sample_last == bars.last_session


def test_anchored_windows_keep_their_beginning(tmp_path: Path) -> None:
    bars = random_walk(tmp_path)
    trials = made(bars, strategy="sma_cross", trials=60)
    folds = walk_forward(bars, trials, windows=ValidationWindows(anchored=True))
    assert len({each.in_sample_first for each in folds}) == 1


def test_an_idle_trial_scores_nothing_and_a_ruined_one_has_no_score() -> None:
    returns = noise(120, 200)
    returns[3] = 0.0
    trials = with_returns(returns)
    trials.sweep.block_squares[5, 2:] = np.nan
    own = scores(trials)
    assert own[3] == 0.0
    assert math.isnan(own[5])
