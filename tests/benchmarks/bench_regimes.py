"""Regimes against hmmlearn, statsmodels and arch: `python -m tests.benchmarks.bench_regimes`.

Every contest is on the 8,312 returns of the equal-weight index of 20 names. The difference of a
fit is how much higher the peer's log-likelihood is; of a filter it is the largest of all sessions.
"""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING

import numpy as np
from arch import arch_model
from hmmlearn.hmm import GaussianHMM
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from slices.domain.regimes import DEFAULT_REGIME_MODEL, DEFAULT_REGIME_RULES, SymbolRegime
from slices.market_regime.garch import fitted_garch
from slices.market_regime.hidden import HiddenMarkovModel, fitted_model
from slices.market_regime.kernels import baum_welch
from slices.market_regime.regimes import analyzed, symbol_regime
from slices.quant.panel import Panel
from tests.benchmarks.harness import Contest, Figure, print_figures, run, timed
from tests.slices.market_regime.regime_markets import us_index, us_panel
from tests.slices.quant.market import factor_returns, us_closes

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("numpy", "numba", "hmmlearn", "statsmodels", "arch")
TOLERANCE = 1e-3
BEGUN = HiddenMarkovModel(
    start=np.array([0.5, 0.5]),
    transitions=np.array([[0.97, 0.03], [0.03, 0.97]]),
    means=np.zeros(2),
    variances=np.array([0.5, 4.0]),
)


def scaled_returns() -> np.ndarray:
    """Percentages, so that no peer suffers from its own limits on small variances."""
    return us_index().returns * 100


def one_start() -> Contest[float]:
    """The same iteration from the same point, to the same tolerance."""
    returns = scaled_returns()

    def ours() -> float:
        start, transitions, means, variances, *_ = baum_welch(
            returns, BEGUN.start, BEGUN.transitions, BEGUN.means, BEGUN.variances,
            1e-6, TOLERANCE, 500,
        )  # fmt: skip
        found = HiddenMarkovModel(
            start=start, transitions=transitions, means=means, variances=variances
        )
        return found.log_likelihood(returns)

    def theirs() -> float:
        peer = GaussianHMM(n_components=2, init_params="", n_iter=500, tol=TOLERANCE)
        peer.covars_prior = 0
        peer.startprob_, peer.transmat_ = BEGUN.start, BEGUN.transitions
        peer.means_, peer.covars_ = BEGUN.means[:, None], BEGUN.variances[:, None]
        return float(peer.fit(returns[:, None]).score(returns[:, None]))

    return Contest(
        work="2-state HMM, one start", ours=ours, peer="hmmlearn", needs="hmmlearn", theirs=theirs,
        difference=lambda mine, other: abs(other - mine), tolerance=1e-6, repeats=3,
    )  # fmt: skip


def all_starts(states: int) -> Contest[float]:
    """Our six starts against the peer's one, as its users run it."""
    returns = scaled_returns()

    def theirs() -> float:
        peer = GaussianHMM(n_components=states, n_iter=500, tol=TOLERANCE, random_state=0)
        return float(peer.fit(returns[:, None]).score(returns[:, None]))

    return Contest(
        work=f"{states}-state HMM, six starts against one",
        ours=lambda: fitted_model(returns, label="index", states=states).log_likelihood,
        peer="hmmlearn", needs="hmmlearn", theirs=theirs,
        difference=lambda mine, other: other - mine, tolerance=0.01, repeats=3,
    )  # fmt: skip


def filtering() -> Contest[np.ndarray]:
    """Filtered probabilities at equal parameters."""
    returns = scaled_returns()
    regression = MarkovRegression(returns, k_regimes=2, trend="c", switching_variance=True)
    parameters = np.concatenate([[0.97, 0.03], BEGUN.means, BEGUN.variances])
    return Contest(
        work="filtered probabilities, 2 states",
        ours=lambda: BEGUN.filtered(returns),
        peer="statsmodels", needs="statsmodels",
        theirs=lambda: np.asarray(
            regression.filter(parameters, cov_type="none").filtered_marginal_probabilities
        ),
        difference=lambda mine, other: float(np.abs(mine - other).max()), tolerance=1e-10,
    )  # fmt: skip


def garch_filter() -> Contest[np.ndarray]:
    """Conditional volatilities at fitted parameters."""
    returns = us_index().returns
    found = fitted_garch(returns, label="index")
    peer = arch_model(returns * 100, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    parameters = [found.mean * 100, found.omega * 1e4, found.alpha, found.beta]
    return Contest(
        work="GARCH(1,1) volatilities",
        ours=lambda: np.sqrt(found.variances(returns)[:-1]) * 100,
        peer="arch", needs="arch",
        theirs=lambda: np.asarray(peer.fix(parameters).conditional_volatility),
        difference=lambda mine, other: float(np.abs(mine - other).max()), tolerance=1e-8,
    )  # fmt: skip


def contests() -> Iterator[Contest]:
    """List every piece of work that has a peer."""
    yield one_start()
    yield all_starts(2)
    yield all_starts(3)
    yield filtering()
    yield garch_filter()


def figures() -> Iterator[Figure]:
    """Measure what has no peer."""
    returns = us_index().returns
    seconds = [timed(lambda: fitted_garch(returns, label="index"))[0] for _ in range(7)]
    yield Figure(work="GARCH(1,1) fit, by arch", value=statistics.median(seconds) * 1e3, unit="ms")
    panel = us_panel()
    elapsed, found = timed(
        lambda: analyzed(panel, symbol=None, rules=DEFAULT_REGIME_RULES, model=DEFAULT_REGIME_MODEL)
    )
    yield Figure(
        work=f"market regime, 20 x 8,313, {found.hidden.fits} refits", value=elapsed, unit="s"
    )
    yield from batches()


def batches() -> Iterator[Figure]:
    """Measure 505 made-up symbols of five years."""
    closes = 100 * np.cumprod(1 + factor_returns(1259, 505), axis=0)
    names = tuple(f"S{i}" for i in range(505))
    panel = Panel(symbols=names, sessions=us_closes()[0][:1259], close=closes, periods_per_year=252)
    for label, with_model in (("by rules", False), ("with a 2-state HMM each", True)):
        seconds, answers = timed(
            lambda with_model=with_model: [
                symbol_regime(panel, each, rules=DEFAULT_REGIME_RULES, with_model=with_model)
                for each in names
            ]
        )
        lacking = sum(not isinstance(each, SymbolRegime) for each in answers)
        yield Figure(
            work=f"505 symbols x 1,259, {label}",
            value=seconds,
            unit="s",
            note=f"{seconds / len(names) * 1e3:.1f} ms per symbol",
            wrong=f"{lacking} symbols without an answer" if lacking else "",
        )


def main() -> int:
    """Print both tables."""
    raced = run("Regimes, 8,312 returns", contests(), packages=PACKAGES)
    sys.stdout.write("\n")
    return max(raced, print_figures("Regimes, alone", figures(), packages=PACKAGES))


if __name__ == "__main__":
    sys.exit(main())
