"""Calibration: probabilities and intervals hold where they were not fitted."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from slices.domain.errors import InsufficientHistoryError
from slices.domain.learning import DEFAULT_LABEL, LabelSettings, ModelKind, OutOfSampleScores
from slices.ml_strategy.predicting.calibration import fit_calibration, interval, quantile
from slices.ml_strategy.predicting.curves import LEVELS, conformal_quantiles, logistic_curve
from slices.ml_strategy.predicting.held_out import held_out
from slices.ml_strategy.predicting.scaling import standardised
from tests.slices.quant.market import us_closes

HORIZON, LAG = DEFAULT_LABEL.horizon_sessions, DEFAULT_LABEL.entry_lag_sessions


def ranked(returns: np.ndarray) -> np.ndarray:
    places = returns.argsort(axis=1).argsort(axis=1) / (returns.shape[1] - 1) - 0.5
    return np.where(np.isfinite(returns).all(axis=1, keepdims=True), places, np.nan)


def made(scores: np.ndarray, returns: np.ndarray, volatilities: np.ndarray) -> OutOfSampleScores:
    first = dt.date(2000, 1, 3)
    return OutOfSampleScores(
        kind=ModelKind.LINEAR,
        symbols=tuple(f"S{i}" for i in range(scores.shape[1])),
        sessions=tuple(first + dt.timedelta(days=i) for i in range(scores.shape[0])),
        scores=scores,
        labels=ranked(returns),
        forward_returns=returns,
        volatilities=volatilities,
        folds=np.ones(scores.shape[0], dtype=np.int64),
    )


@lru_cache(maxsize=1)
def embedded() -> OutOfSampleScores:
    """Reversal scores of the 20 names with what followed, and volatilities of 21 sessions."""
    dates, names, closes = us_closes()
    count = len(dates)
    returns = closes[1:] / closes[:-1] - 1
    forward = np.full(closes.shape, np.nan)
    reach = HORIZON + LAG
    forward[: count - reach] = closes[reach:] / closes[LAG : count - HORIZON] - 1
    windows = np.lib.stride_tricks.sliding_window_view(returns, 21, axis=0)
    volatilities = np.full(closes.shape, np.nan)
    volatilities[21:] = windows.std(axis=2, ddof=1) * math.sqrt(HORIZON)
    scores = np.full(closes.shape, np.nan)
    scores[5:] = 1 - closes[5:] / closes[:-5]
    start = 1260
    found = made(scores[start:], forward[start:], volatilities[start:])
    return replace(found, symbols=names, sessions=dates[start:])


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_intervals_hold_what_they_promise_on_real_names(level: float) -> None:
    calibration = fit_calibration(embedded(), label=DEFAULT_LABEL)
    assert dict(calibration.coverages)[level] == pytest.approx(level, abs=0.02)


def test_intervals_scaled_by_volatility_hold_in_2020_where_plain_ones_do_not() -> None:
    scaled = held_out(embedded(), label=DEFAULT_LABEL).coverage(0.9, year=2020)
    plain = replace(embedded(), volatilities=np.ones_like(embedded().volatilities))
    assert scaled == pytest.approx(0.9, abs=0.02)
    assert held_out(plain, label=DEFAULT_LABEL).coverage(0.9, year=2020) < 0.87


def test_what_lies_ahead_changes_nothing_that_was_said_before() -> None:
    whole, cut = embedded(), 4000
    returns = whole.forward_returns.copy()
    returns[cut:] *= 3.0
    other = replace(whole, forward_returns=returns, labels=ranked(returns))
    first, second = (held_out(each, label=DEFAULT_LABEL) for each in (whole, other))
    blocks_known = first.block <= first.block[cut]
    assert np.array_equal(
        first.expected[blocks_known], second.expected[blocks_known], equal_nan=True
    )
    assert np.array_equal(
        first.residuals[: first.block[cut] + 1], second.residuals[: first.block[cut] + 1]
    )
    assert not np.array_equal(first.residuals, second.residuals)


def test_curves_of_a_block_leave_out_the_reach_of_the_label_before_it() -> None:
    whole = embedded()
    first = held_out(whole, label=DEFAULT_LABEL)
    start = int(np.flatnonzero(first.block == 3)[0])
    returns = whole.forward_returns.copy()
    returns[start - DEFAULT_LABEL.reach : start] += np.linspace(-9, 9, returns.shape[1])
    labels = ranked(returns)
    second = held_out(replace(whole, forward_returns=returns, labels=labels), label=DEFAULT_LABEL)
    assert np.array_equal(first.residuals[3], second.residuals[3])
    assert not np.array_equal(first.residuals[4], second.residuals[4])


def test_the_logistic_curve_is_that_of_an_independent_fit() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=4000)
    y = (random.random(4000) < 1 / (1 + np.exp(-(0.7 * x - 0.2)))).astype(float)
    oracle = LogisticRegression(C=1e9, tol=1e-10).fit(x[:, None], y)
    slope, intercept = logistic_curve(x, y)
    assert slope == pytest.approx(float(oracle.coef_[0, 0]), rel=1e-4)
    assert intercept == pytest.approx(float(oracle.intercept_[0]), rel=1e-4)


def test_a_falling_curve_is_not_believed() -> None:
    x = np.linspace(-2, 2, 400)
    slope, intercept = logistic_curve(x, (x < 0.5).astype(float))
    assert slope == 0.0
    assert 1 / (1 + math.exp(-intercept)) == pytest.approx(np.mean(x < 0.5))


def planted(slope: float, *, sessions: int = 1500, seed: int = 5) -> OutOfSampleScores:
    random = np.random.default_rng(seed)
    scores = random.normal(size=(sessions, 20))
    volatilities = np.exp(random.normal(-4, 0.5, size=(sessions, 20)))
    noise = random.standard_t(4, size=(sessions, 20)) / math.sqrt(2)
    returns = (slope * standardised(scores) + noise) * volatilities
    return made(scores, returns, volatilities)


def test_a_planted_slope_is_found_and_shrunk() -> None:
    found = fit_calibration(planted(0.2), label=LabelSettings(horizon_sessions=1))
    assert 0.15 < found.expected_slope < 0.22
    assert found.slope > 0.2
    assert found.brier_score < 0.25


def test_noise_is_worth_nothing_on_average() -> None:
    slopes = [
        fit_calibration(planted(0.0, sessions=400, seed=seed), label=DEFAULT_LABEL).expected_slope
        for seed in range(12)
    ]
    assert min(slopes) == 0.0
    assert np.mean(slopes) < 0.01


def test_equal_scores_say_nothing_but_have_intervals() -> None:
    flat = planted(0.0, sessions=400)
    found = fit_calibration(replace(flat, scores=np.zeros_like(flat.scores)), label=DEFAULT_LABEL)
    assert (found.slope, found.expected_slope) == (0.0, 0.0)
    assert found.brier_score == pytest.approx(0.25, abs=1e-3)
    assert dict(found.coverages)[0.9] == pytest.approx(0.9, abs=0.02)


def test_too_little_history_is_refused() -> None:
    with pytest.raises(InsufficientHistoryError, match="needs 20 sessions"):
        fit_calibration(planted(0.1, sessions=15), label=DEFAULT_LABEL)


def test_a_rising_level_widens_the_interval_around_the_expectation() -> None:
    calibration = fit_calibration(planted(0.1), label=DEFAULT_LABEL)
    widths = []
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        lower, upper = interval(calibration, 0.01, 0.03, level)
        assert lower < 0.01 < upper
        widths.append(upper - lower)
    assert widths == sorted(widths)
    assert quantile(calibration, 0.45) < quantile(calibration, 0.55)


def test_conformal_quantiles_cover_at_least_the_level_for_exchangeable_residuals() -> None:
    random = np.random.default_rng(11)
    covered = []
    place = int(np.flatnonzero(np.isclose(LEVELS, 0.05))[0])
    for _ in range(400):
        residuals = random.standard_t(3, size=399)
        bounds = conformal_quantiles(residuals)
        new = random.standard_t(3, size=200)
        covered.append(np.mean((new >= bounds[place]) & (new <= bounds[-1 - place])))
    assert np.mean(covered) == pytest.approx(0.9, abs=0.005)
