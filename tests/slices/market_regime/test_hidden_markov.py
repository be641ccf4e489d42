"""The hidden Markov model against independent implementations and planted truths."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from slices.domain.errors import BadDataError, ConvergenceError, InfeasibleError
from slices.market_regime import hidden, kernels
from slices.market_regime.hidden import (
    HiddenMarkovModel,
    expected_durations,
    fitted_model,
    stationary_shares,
)
from tests.slices.market_regime.regime_markets import (
    DEVIATIONS,
    PLANTED,
    planted_returns,
    us_index,
)

if TYPE_CHECKING:
    from types import ModuleType

STARTS = len(hidden.START_WINDOWS) * len(hidden.TOP_SHARES)


def a_model(states: int = 2) -> HiddenMarkovModel:
    """Parameters as one might guess them for percentages."""
    transitions = np.full((states, states), 0.03 / max(states - 1, 1))
    np.fill_diagonal(transitions, 0.97)
    return HiddenMarkovModel(
        start=stationary_shares(transitions),
        transitions=transitions,
        means=np.linspace(0.08, -0.1, states),
        variances=np.linspace(0.5, 4.0, states),
    )


def peer(model: HiddenMarkovModel, *, iterations: int = 10) -> GaussianHMM:
    other = GaussianHMM(
        n_components=model.means.size,
        init_params="",
        covars_prior=0,
        n_iter=iterations,
        tol=-np.inf,
    )
    other.startprob_, other.transmat_ = model.start, model.transitions
    other.means_, other.covars_ = model.means[:, None], model.variances[:, None]
    other.n_features = 1
    return other


def interpreted(module: ModuleType, patch: pytest.MonkeyPatch) -> None:
    for name, value in list(vars(module).items()):
        if hasattr(value, "py_func"):
            patch.setattr(module, name, value.py_func)


@pytest.mark.parametrize("states", [2, 3])
def test_filtered_probabilities_are_those_of_statsmodels(states: int) -> None:
    returns = us_index().returns[-2000:] * 100
    model = a_model(states)
    regression = MarkovRegression(returns, k_regimes=states, trend="c", switching_variance=True)
    moves = model.transitions[:, :-1].T.ravel()
    found = regression.filter(np.concatenate([moves, model.means, model.variances]))
    expected = found.filtered_marginal_probabilities
    assert model.filtered(returns) == pytest.approx(expected, abs=1e-10)
    assert model.log_likelihood(returns) == pytest.approx(found.llf, rel=1e-12)


def test_the_last_filtered_probability_is_the_smoothed_one_of_hmmlearn() -> None:
    returns = us_index().returns[-3000:] * 100
    model = a_model(3)
    for stop in (10, 500, 3000):
        posterior = peer(model).predict_proba(returns[:stop, None])
        assert model.filtered(returns[:stop])[-1] == pytest.approx(posterior[-1], abs=1e-10)
        assert model.log_likelihood(returns[:stop]) == pytest.approx(
            peer(model).score(returns[:stop, None]), rel=1e-12
        )


def test_smoothed_probabilities_are_those_of_hmmlearn_and_know_the_future() -> None:
    returns, model = us_index().returns[:1500] * 100, a_model()

    def smoothed(stop: int) -> np.ndarray:
        densities, _ = kernels.relative_densities(returns[:stop], model.means, model.variances)
        filtered = kernels.filtered_probabilities(densities, model.start, model.transitions)
        return kernels.smoothed_counts(densities, *filtered, model.transitions)[0]

    assert smoothed(1500) == pytest.approx(peer(model).predict_proba(returns[:, None]), abs=1e-10)
    cuts = range(800, 1400, 40)
    for stop in cuts:
        assert np.array_equal(model.filtered(returns[:stop]), model.filtered(returns)[:stop])
    changes = [np.abs(smoothed(stop) - smoothed(1500)[:stop]).max() for stop in cuts]
    assert max(changes) > 0.2


@pytest.mark.parametrize("states", [2, 3])
def test_the_iteration_takes_the_steps_of_hmmlearn(states: int) -> None:
    returns, model = us_index().returns[:3000] * 100, a_model(states)
    start, transitions, means, variances, _, (_, _, done) = kernels.baum_welch(
        returns, model.start, model.transitions, model.means, model.variances, 1e-9, -np.inf, 25
    )
    other = peer(model, iterations=25)
    other.fit(returns[:, None])
    assert done == 25
    assert start == pytest.approx(other.startprob_, abs=1e-8)
    assert transitions == pytest.approx(other.transmat_, abs=1e-8)
    assert means == pytest.approx(other.means_[:, 0], abs=1e-8)
    assert variances == pytest.approx(other.covars_.ravel(), abs=1e-8)


def test_the_best_start_is_kept_and_states_rise_in_volatility() -> None:
    returns = us_index().returns
    for states in (2, 3):
        found = fitted_model(returns, label="index", states=states)
        assert len(found.start_log_likelihoods) == STARTS
        assert found.log_likelihood >= max(found.start_log_likelihoods) - 2 * hidden.TOLERANCE
        assert found.log_likelihood == found.model.log_likelihood(returns)
        assert np.all(np.diff(found.model.variances) > 0)
        assert found.model.transitions.sum(axis=1) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("states", [2, 3])
def test_no_start_of_hmmlearn_arrives_higher(states: int) -> None:
    returns = us_index().returns[-1000:]
    ours = fitted_model(returns, label="index", states=states, tolerance=1e-6).log_likelihood
    scale = returns.std()
    for seed in range(2):
        other = GaussianHMM(
            n_components=states, covars_prior=0, n_iter=2000, tol=1e-6, random_state=seed
        )
        other.fit(returns[:, None] / scale)
        theirs = other.score(returns[:, None] / scale) - returns.size * np.log(scale)
        assert ours >= theirs - 1e-3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_states_are_found_again(seed: int) -> None:
    returns, states = planted_returns(5000, seed=seed)
    model = fitted_model(returns, label="planted", states=2).model
    hits = (model.filtered(returns).argmax(axis=1) == states).mean()
    assert hits > 0.93 > np.bincount(states).max() / states.size + 0.1
    assert model.transitions == pytest.approx(PLANTED, abs=0.012)
    assert np.sqrt(model.variances) == pytest.approx(DEVIATIONS, rel=0.06)
    assert expected_durations(model.transitions) == pytest.approx([100, 33.3], rel=0.4)


def test_an_earlier_fit_is_one_more_start() -> None:
    returns, _ = planted_returns(1500, seed=4)
    earlier = fitted_model(returns[:1000], label="planted").model
    found = fitted_model(returns, label="planted", previous=earlier)
    assert len(found.start_log_likelihoods) == STARTS + 1


def test_the_unit_of_returns_changes_only_the_unit_of_the_answer() -> None:
    returns, _ = planted_returns(1500, seed=5)
    one = fitted_model(returns, label="planted").model
    other = fitted_model(returns * 100, label="planted").model
    assert other.transitions == pytest.approx(one.transitions, rel=1e-9)
    assert other.means == pytest.approx(one.means * 100, rel=1e-9)
    assert other.variances == pytest.approx(one.variances * 1e4, rel=1e-9)


def test_a_known_chain_has_the_durations_and_shares_of_theory() -> None:
    chain = np.array([[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.0, 0.5, 0.5]])
    assert expected_durations(chain) == pytest.approx([10.0, 5.0, 2.0])
    assert stationary_shares(chain) == pytest.approx(np.linalg.matrix_power(chain, 500)[0])
    assert expected_durations(np.eye(2)).tolist() == [np.inf, np.inf]
    random, lengths, now = np.random.default_rng(0), [], 0
    path = []
    for _ in range(30_000):
        path.append(now)
        now = int(random.choice(3, p=chain[now]))
    for state, run in itertools.groupby(path):
        if state == 0:
            lengths.append(len(list(run)))
    assert np.mean(lengths) == pytest.approx(10.0, rel=0.07)


def test_an_unforeseen_crash_is_volatile_and_not_an_error() -> None:
    returns, _ = planted_returns(1000, seed=6)
    model = fitted_model(returns, label="planted").model
    after = model.filtered(np.append(returns, -0.9))
    assert np.isfinite(after).all()
    assert after[-1, 1] == pytest.approx(1.0)


def test_what_has_no_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    returns, _ = planted_returns(1000, seed=7)
    with monkeypatch.context() as limited:
        limited.setattr(hidden, "MOST_ITERATIONS", 2)
        with pytest.raises(ConvergenceError, match="planted: hidden Markov model with 2 states"):
            fitted_model(returns, label="planted")
    with pytest.raises(BadDataError, match="flat: the level never changes"):
        fitted_model(np.full(500, 0.001), label="flat")
    jumps = np.where(np.arange(600) % 200 == 7, 0.3, 0.0) + np.tile([0.001, -0.001], 300)
    with pytest.raises(InfeasibleError, match="jumps: none of 6 starts found 3 states"):
        fitted_model(jumps, label="jumps", states=3)


def test_kernels_do_what_their_text_does_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    returns, model = us_index().returns[:200] * 100, a_model()
    arguments = (model.start, model.transitions, model.means, model.variances, 1e-6, 1e-3, 6)
    compiled = kernels.baum_welch(returns, *arguments)
    residuals = returns - returns.mean()
    variances = kernels.garch_variances(residuals, 0.01, 0.1, 0.85, 1.0)
    codes = np.array([-1, 0, 1, 1, 1, 6, 6, 0, 0, 0, 2])
    held, on = kernels.settled(codes, 3, 6), kernels.latched(codes > 0, codes > -1)
    interpreted(kernels, monkeypatch)
    plain = kernels.baum_welch(returns, *arguments)
    for ours, other in zip(compiled[:5], plain[:5], strict=True):
        assert ours == pytest.approx(other, rel=1e-10)
    assert kernels.garch_variances(residuals, 0.01, 0.1, 0.85, 1.0) == pytest.approx(variances)
    assert kernels.settled(codes, 3, 6).tolist() == held.tolist()
    assert kernels.latched(codes > 0, codes > -1).tolist() == on.tolist()
