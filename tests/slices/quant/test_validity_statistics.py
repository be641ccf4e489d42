"""Statistics of validity against their definitions and independent implementations."""

from __future__ import annotations

import math
from itertools import combinations, pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap
from arch.bootstrap import optimal_block_length as peer_block_length
from hypothesis import given, settings
from hypothesis import strategies as st

from slices.domain.errors import BadDataError, ParameterError
from slices.quant.metrics import METRICS
from slices.quant.validity import bootstrap_kernels, overfitting_kernels
from slices.quant.validity.alpha import estimated_alpha
from slices.quant.validity.bootstrap import block_lengths, optimal_block_length, sharpe_interval
from slices.quant.validity.overfitting import overfitting_from_blocks, probability_of_overfitting
from slices.quant.validity.sharpe import (
    deflated_sharpe_ratio,
    expected_maximum_sharpe_ratio,
    minimum_track_record_length,
    period_sharpe_ratio,
    sharpe_ratio_error,
    sharpe_variance_of,
)
from tests.slices.quant.market import us_returns

YEAR = 252
SERIES = us_returns(1000).mean(axis=1)


def autocorrelated(size: int, coefficient: float, *, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0.0, 0.01, size)
    for row in range(1, size):
        noise[row] += coefficient * noise[row - 1]
    return noise


def interpreted(module: object, patch: pytest.MonkeyPatch) -> None:
    for name, value in list(vars(module).items()):
        if hasattr(value, "py_func"):
            patch.setattr(module, name, value.py_func)


def test_without_other_trials_the_deflated_ratio_is_the_probabilistic_one() -> None:
    probability = METRICS["probabilistic_sharpe_ratio"].value(SERIES, periods_per_year=YEAR)
    assert deflated_sharpe_ratio(SERIES) == probability


def test_the_deflated_ratio_is_that_of_ffn() -> None:
    """Its skewness and kurtosis are unbiased estimates, ours have divisor T: hence the width."""
    peer = pytest.importorskip("ffn.core")
    returns = us_returns(8000).mean(axis=1)
    trials = np.random.default_rng(0).normal(0.0, 0.02, 50)
    dated = pd.Series(returns, index=pd.bdate_range("1990-01-01", periods=returns.size))
    theirs = peer.calc_deflated_sharpe_ratio(dated, trials, nperiods=YEAR, annualized_trials=False)
    mine = deflated_sharpe_ratio(returns, trials=50, trial_variance=sharpe_variance_of(trials))
    assert 0.01 < mine < 0.99
    assert mine == pytest.approx(theirs, abs=1e-4)


def test_the_expected_maximum_is_that_of_a_simulation() -> None:
    draws = np.random.default_rng(0).normal(0.0, 0.3, (20_000, 50)).max(axis=1)
    expected = expected_maximum_sharpe_ratio(trials=50, trial_variance=0.09)
    assert draws.mean() == pytest.approx(expected, rel=0.02)


def test_more_trials_leave_less_evidence() -> None:
    counts = (1, 2, 10, 100, 10_000)
    found = [deflated_sharpe_ratio(SERIES, trials=each) for each in counts]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1] + 0.1


def test_a_record_of_the_minimum_length_has_the_wanted_probability() -> None:
    needed = minimum_track_record_length(SERIES, confidence=0.9)
    deviations = math.sqrt((needed - 1.0) / (SERIES.size - 1.0))
    now = NormalDist().inv_cdf(deflated_sharpe_ratio(SERIES))
    assert NormalDist().cdf(now * deviations) == pytest.approx(0.9, abs=1e-9)


def test_no_record_is_long_enough_for_a_loss() -> None:
    assert minimum_track_record_length(-np.abs(SERIES)) == math.inf


@pytest.mark.parametrize("returns", [np.empty(0), np.array([0.1, 0.2]), np.full(50, 0.01)])
def test_what_is_undefined_is_nan(returns: np.ndarray) -> None:
    assert math.isnan(deflated_sharpe_ratio(returns, trials=5))
    assert math.isnan(minimum_track_record_length(returns))
    interval = sharpe_interval(returns, periods_per_year=YEAR)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize(("trials", "variance"), [(0, 1.0), (5, -1.0)])
def test_trials_that_cannot_be_are_refused(trials: int, variance: float) -> None:
    with pytest.raises(ParameterError):
        expected_maximum_sharpe_ratio(trials=trials, trial_variance=variance)


def test_the_error_of_a_ratio_is_its_spread_over_samples() -> None:
    samples = np.random.default_rng(0).normal(0.1, 1.0, (4000, 500))
    ratios = samples.mean(axis=1) / samples.std(axis=1, ddof=1)
    assert sharpe_ratio_error(0.1, sessions=500) == pytest.approx(ratios.std(), rel=0.05)
    assert math.isnan(sharpe_ratio_error(0.1, sessions=1))


def test_trials_without_a_ratio_have_no_part_in_the_variance() -> None:
    assert sharpe_variance_of(np.array([0.1, np.nan, 0.3])) == pytest.approx(0.02)
    assert sharpe_variance_of(np.array([0.1, np.nan])) is None
    assert sharpe_variance_of(None) is None


@pytest.mark.parametrize("size", [25, 100, 500, 3000])
@pytest.mark.parametrize("coefficient", [-0.4, 0.2, 0.6, 0.95])
def test_the_block_length_is_that_of_arch(size: int, coefficient: float) -> None:
    returns = autocorrelated(size, coefficient)
    theirs = float(peer_block_length(returns).iloc[0, 0])
    assert optimal_block_length(returns) == pytest.approx(max(1.0, theirs), rel=1e-9)


@pytest.mark.parametrize("mean", [1.0, 1.3, 4.0, 30.0])
def test_block_lengths_are_geometric(mean: float) -> None:
    lengths = block_lengths(mean)
    assert lengths.mean() == pytest.approx(mean, rel=0.01)
    assert (lengths == 1).mean() == pytest.approx(1.0 / mean, abs=1e-3)


@pytest.mark.parametrize("coefficient", [0.0, 0.5])
def test_the_interval_is_near_that_of_arch(coefficient: float) -> None:
    returns = autocorrelated(2000, coefficient) + 0.0005
    mine = sharpe_interval(returns, periods_per_year=YEAR)
    peer = StationaryBootstrap(mine.block_length, returns, seed=1)
    low, high = peer.conf_int(
        lambda values: period_sharpe_ratio(values) * math.sqrt(YEAR), reps=1000, method="percentile"
    ).ravel()
    assert mine.low == pytest.approx(low, abs=0.12 * (high - low))
    assert mine.high == pytest.approx(high, abs=0.12 * (high - low))


@pytest.mark.parametrize("coefficient", [0.0, 0.2])
def test_the_interval_holds_the_true_ratio_as_often_as_it_says(coefficient: float) -> None:
    scale = 0.01 / math.sqrt(1.0 - coefficient**2)
    missed = 0
    for seed in range(300):
        returns = autocorrelated(600, coefficient, seed=seed) + 0.05 * scale
        found = sharpe_interval(returns, periods_per_year=1, resamples=400)
        missed += not found.low <= 0.05 <= found.high
    assert 0.02 <= missed / 300 <= 0.09


def test_the_same_seed_gives_the_same_interval() -> None:
    first, again, other = (
        sharpe_interval(SERIES, periods_per_year=YEAR, resamples=200, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_the_compiled_bootstrap_is_the_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = SERIES[:60].copy()
    returns[:50] = 0.0
    compiled = sharpe_interval(returns, periods_per_year=YEAR, resamples=300)
    interpreted(bootstrap_kernels, monkeypatch)
    plain = sharpe_interval(returns, periods_per_year=YEAR, resamples=300)
    assert (compiled.low, compiled.high) == pytest.approx((plain.low, plain.high), rel=1e-12)


def test_alpha_is_that_of_statsmodels() -> None:
    import statsmodels.api as sm

    benchmark = us_returns(1500)[:, :10].mean(axis=1)
    returns = us_returns(1500)[:, 15]
    mine = estimated_alpha(returns, benchmark, periods_per_year=YEAR)
    theirs = sm.OLS(returns, sm.add_constant(benchmark)).fit(
        cov_type="HAC", cov_kwds={"maxlags": mine.lags}
    )
    assert mine.alpha == pytest.approx(theirs.params[0] * YEAR, rel=1e-9)
    assert mine.beta == pytest.approx(theirs.params[1], rel=1e-9)
    assert mine.alpha_t == pytest.approx(theirs.tvalues[0], rel=1e-9)


def test_holding_the_benchmark_has_no_alpha() -> None:
    found = estimated_alpha(0.5 * SERIES, SERIES, periods_per_year=YEAR)
    assert found.beta == pytest.approx(0.5)
    assert found.alpha == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(found.alpha_t)


def test_a_benchmark_that_stands_still_explains_nothing_that_could_be_measured() -> None:
    found = estimated_alpha(SERIES, np.zeros(SERIES.size), periods_per_year=YEAR)
    assert math.isnan(found.alpha)
    with pytest.raises(BadDataError):
        estimated_alpha(SERIES, SERIES[1:], periods_per_year=YEAR)


@pytest.mark.parametrize(
    ("sessions", "configurations", "blocks"), [(503, 7, 8), (101, 2, 6), (50, 12, 2), (400, 9, 10)]
)
@pytest.mark.parametrize("twins", [0, 1])
def test_overfitting_is_that_of_ffn(
    sessions: int, configurations: int, blocks: int, twins: int
) -> None:
    peer = pytest.importorskip("ffn.core")
    returns = np.random.default_rng(sessions).normal(3e-4, 0.01, (sessions, configurations))
    if twins:
        returns[:, -1] = returns[:, 0]
    mine = probability_of_overfitting(returns, blocks=blocks)
    theirs = peer.calc_prob_backtest_overfitting(
        pd.DataFrame(returns), n_blocks=blocks, full_output=True
    )
    assert mine.logits == pytest.approx(theirs["logits"].to_numpy(), abs=1e-12)
    assert twins or mine.probability == theirs["pbo"]


@pytest.mark.parametrize("returns", [np.zeros(160), np.random.default_rng(5).normal(size=160)])
@pytest.mark.parametrize("configurations", [2, 7, 30])
def test_where_no_configuration_differs_overfitting_is_undefined(
    returns: np.ndarray, configurations: int
) -> None:
    same = np.tile(returns[:, None], configurations)
    found = probability_of_overfitting(same, blocks=8)
    assert math.isnan(found.probability)
    assert "differs" in found.reason


def test_winners_tied_at_the_median_are_half_overfitting() -> None:
    returns = np.zeros((160, 9))
    wave = np.tile([0.01, -0.01], 80)
    returns[:, 0], returns[:, 1] = wave + 0.001, wave - 0.001
    always = probability_of_overfitting(returns, blocks=8)
    assert (always.probability, always.reason) == (0.0, "")
    returns[:, 0] = wave - 0.002  # the best is now one of seven that do nothing
    idle = probability_of_overfitting(returns, blocks=8)
    assert idle.probability == 0.5


def test_shared_ratios_count_by_where_the_median_lies() -> None:
    random = np.random.default_rng(6)
    for configurations in (6, 7, 10, 11):
        returns = random.normal(0.0, 0.01, (80, configurations))
        returns[:, 1:4] = returns[:, [0]]
        returns[:, 5] = returns[:, 4]
        expected = []
        parts = np.split(np.arange(80), 4)
        for chosen in combinations(range(4), 2):
            inside = np.concatenate([parts[i] for i in chosen])
            known, unknown = returns[inside], np.delete(returns, inside, axis=0)
            winner = (known.mean(axis=0) / known.std(axis=0, ddof=1)).argmax()
            ratios = unknown.mean(axis=0) / unknown.std(axis=0, ddof=1)
            is_equal = np.isclose(ratios, ratios[winner], rtol=1e-12)
            shared = is_equal.sum() > 1 and np.isclose(np.median(ratios), ratios[winner])
            expected.append(0.5 if shared else float(ratios[winner] <= np.median(ratios)))
        found = probability_of_overfitting(returns, blocks=4)
        assert found.probability == pytest.approx(np.mean(expected))


def test_a_choice_without_information_is_overfitting_half_of_the_time() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.01, (60, 1600, 30))
    found = [probability_of_overfitting(each, blocks=8).probability for each in noise]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_a_choice_with_information_is_not() -> None:
    returns = np.random.default_rng(1).normal(0.0, 0.01, (1600, 30))
    returns[:, 11] += 0.002
    found = probability_of_overfitting(returns)
    assert found.probability < 0.01
    assert found.probability_of_loss < 0.01
    assert found.logits.size == 12_870


def test_blocks_need_not_be_equally_long() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (90, 4))
    edges = [0, 10, 40, 60, 90]
    parts = [returns[a:b] for a, b in pairwise(edges)]
    found = overfitting_from_blocks(
        np.array([part.sum(axis=0) for part in parts]).T,
        np.array([(part**2).sum(axis=0) for part in parts]).T,
        np.array([len(part) for part in parts]),
    )
    inside = np.concatenate((parts[0], parts[1]))
    outside = np.concatenate((parts[2], parts[3]))
    winner = int((inside.mean(axis=0) / inside.std(axis=0, ddof=1)).argmax())
    ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
    rank = (ratios <= ratios[winner]).sum() / 5
    assert found.logits[0] == pytest.approx(math.log(rank / (1 - rank)))


def test_a_configuration_that_does_not_trade_has_ratio_zero_and_a_constant_one_none() -> None:
    returns = np.random.default_rng(3).normal(0.0, 0.01, (320, 4))
    returns[:, 1] = 0.0
    returns[:160, 2] = 0.0
    assert 0 <= probability_of_overfitting(returns, blocks=8).probability <= 1
    returns[:, 3] = 0.001
    found = probability_of_overfitting(returns, blocks=8)
    assert math.isnan(found.probability)
    assert "vary" in found.reason


def test_the_compiled_splits_are_the_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, (120, 5))
    returns[:, 1] = 0.0
    compiled = probability_of_overfitting(returns, blocks=6)
    interpreted(overfitting_kernels, monkeypatch)
    plain = probability_of_overfitting(returns, blocks=6)
    assert np.array_equal(compiled.logits, plain.logits)
    returns[:, 2] = 0.001
    assert np.isnan(probability_of_overfitting(returns, blocks=6).logits).all()


@given(st.integers(2, 6), st.integers(0, 1000))
@settings(max_examples=25)
def test_scaling_returns_changes_no_rank(half: int, seed: int) -> None:
    returns = np.random.default_rng(seed).normal(0.0, 0.01, (half * 8, 3))
    first = probability_of_overfitting(returns, blocks=2 * half)
    scaled = probability_of_overfitting(returns * np.array([1.0, 4.0, 0.25]), blocks=2 * half)
    assert np.array_equal(first.logits, scaled.logits)


@pytest.mark.parametrize("blocks", [0, 3, 22, -2])
def test_blocks_that_cannot_be_are_refused(blocks: int) -> None:
    with pytest.raises(ParameterError):
        probability_of_overfitting(np.zeros((100, 3)), blocks=blocks)


@pytest.mark.parametrize(
    "returns", [np.zeros((3, 2)), np.zeros((100, 1)), np.full((100, 2), np.nan), np.zeros((2, 2))]
)
def test_returns_that_cannot_be_split_are_refused(returns: np.ndarray) -> None:
    with pytest.raises(BadDataError):
        probability_of_overfitting(returns, blocks=4 if returns.shape[0] == 3 else 2)


def test_sums_that_do_not_belong_together_are_refused() -> None:
    sums, counts = np.zeros((3, 4)), np.full(4, 10)
    with pytest.raises(BadDataError):
        overfitting_from_blocks(sums, sums[:, :2], counts)
    with pytest.raises(BadDataError):
        overfitting_from_blocks(sums + math.inf, sums, counts)
    with pytest.raises(BadDataError):
        overfitting_from_blocks(sums, sums, np.array([0, 0, 5, 5]))
