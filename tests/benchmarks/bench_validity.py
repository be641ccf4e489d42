"""Is the verdict calibrated, and what does it cost: `python -m tests.benchmarks.bench_validity`.

With `--full` the probability of overfitting takes all 12,870 splits of 16 blocks, for which ffn
needs half a minute. A bound of the calibration that is broken counts as a wrong answer.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from slices.domain.strategies import StrategyName
from slices.domain.verdicts import Grade, LookAheadProbe
from slices.quant.signals.catalogue import STRATEGIES
from slices.quant.validity.bootstrap import sharpe_interval
from slices.quant.validity.look_ahead import probe_decisions
from slices.quant.validity.overfitting import Overfitting, probability_of_overfitting
from slices.quant.validity.verdict import judge
from tests.benchmarks.harness import Contest, Figure, print_figures, run, timed
from tests.slices.quant.chance import (
    YEAR,
    Case,
    best_of,
    close_panel,
    planted_strategies,
    random_strategies,
    simulated_strategies,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGES = ("numpy", "numba")
PROBE = LookAheadProbe(cuts=(dt.date(2020, 1, 2),))
RANDOM, PLANTED, PICKED, SIMULATED = 1000, 500, 200, 300
MOST_PASSING, FEWEST_PASSING = 5.0, 90.0
CASH_RATE = 0.05


def graded(
    cases: Iterable[Case],
    returns: Callable[[Case], np.ndarray],
    *,
    trials: int = 1,
    risk_free_rate: float = 0.0,
) -> Counter[Grade]:
    """Judge each case with a seed of its own."""
    return Counter(
        judge(
            returns(each),
            each.benchmark,
            periods_per_year=YEAR,
            risk_free_rate=risk_free_rate,
            trials=trials,
            trial_sharpes=each.trial_sharpes,
            probe=PROBE,
            seed=number,
        ).grade
        for number, each in enumerate(cases)
    )


def passing(work: str, grades: Counter[Grade], *, skilled: bool = False) -> Figure:
    """Compare the share of PASS with its bound."""
    share = 100.0 * grades[Grade.PASS] / grades.total()
    is_wrong = share < FEWEST_PASSING if skilled else share > MOST_PASSING
    return Figure(
        work=work,
        value=share,
        unit="%",
        at_least=FEWEST_PASSING if skilled else None,
        at_most=None if skilled else MOST_PASSING,
        note=", ".join(f"{grades[each]} {each.value.upper()}" for each in Grade),
        wrong=f"{grades[Grade.PASS]} of {grades.total()} pass" if is_wrong else "",
    )


def calibration() -> Iterator[Figure]:
    """Yield how often strategies without skill and with planted skill pass."""
    cases = list(random_strategies(RANDOM, seed=1))
    yield passing(
        f"PASS of {RANDOM:,} random strategies, no costs", graded(cases, lambda each: each.gross)
    )
    yield passing(
        f"PASS of {RANDOM:,} random strategies, 10 bps", graded(cases, lambda each: each.net)
    )
    cases = list(simulated_strategies(SIMULATED, seed=4))
    yield passing(
        f"PASS of {SIMULATED} random strategies, simulated without costs",
        graded(cases, lambda each: each.gross),
    )
    yield passing(
        f"PASS of {SIMULATED} random strategies, simulated at default costs",
        graded(cases, lambda each: each.net),
    )
    yield from calibration_with_cash()
    picked = best_of(100, PICKED, seed=3)
    yield passing(
        f"PASS of the best of 100 random strategies, {PICKED} times, 10 bps",
        graded(picked, lambda each: each.net, trials=100),
    )
    yield passing(
        f"PASS of {PLANTED} planted net Sharpe ratios of 2 over 10 years",
        graded(planted_strategies(PLANTED, seed=2), lambda each: each.net),
        skilled=True,
    )
    weaker = graded(planted_strategies(PLANTED, seed=2, sharpe=1.0), lambda each: each.net)
    yield Figure(
        work=f"PASS of {PLANTED} planted net Sharpe ratios of 1 over 10 years",
        value=100.0 * weaker[Grade.PASS] / weaker.total(),
        unit="%",
        note=", ".join(f"{weaker[each]} {each.value.upper()}" for each in Grade),
    )


def calibration_with_cash() -> Iterator[Figure]:
    """Yield how often strategies without skill pass where idle cash earns interest."""
    for share in (1.0, 0.1):
        cases = simulated_strategies(SIMULATED, seed=5, share=share, cash_rate=CASH_RATE)
        yield passing(
            f"PASS of {SIMULATED} random strategies on {share:.0%} of the account, cash at 5%",
            graded(cases, lambda each: each.net, risk_free_rate=CASH_RATE),
        )


def median_ms(work: Callable[[], object], *, repeats: int = 7) -> float:
    """Return the median time of a run, in milliseconds, after one to warm up."""
    work()
    return 1e3 * statistics.median(timed(work)[0] for _ in range(repeats))


def speeds() -> Iterator[Figure]:
    """Yield what the parts of a verdict cost on 33 years of 20 symbols."""
    panel = close_panel()
    returns = (panel.close[1:] / panel.close[:-1] - 1.0).mean(axis=1)
    half = returns * (np.arange(returns.size) % 40 < 20)
    rule = STRATEGIES[StrategyName.SMA_CROSS]
    parameters = rule.parameters()
    yield Figure(
        work="bootstrap interval, 2,000 resamples of 8,312 returns",
        value=median_ms(lambda: sharpe_interval(returns, periods_per_year=YEAR)),
        unit="ms",
        at_most=500.0,
    )
    yield Figure(
        work="verdict on 8,312 returns",
        value=median_ms(lambda: judge(half, returns, periods_per_year=YEAR, probe=PROBE)),
        unit="ms",
    )
    yield Figure(
        work="look-ahead probe of an SMA cross, 20 x 8,313",
        value=median_ms(
            lambda: probe_decisions(lambda each: rule.target_weights(each, parameters), panel),
            repeats=3,
        ),
        unit="ms",
    )


def overfitting(blocks: int) -> Contest[Overfitting | float]:
    """All splits of the returns of 100 configurations."""
    returns = np.random.default_rng(0).normal(3e-4, 0.01, (2520, 100))
    frame = pd.DataFrame(returns)

    def theirs() -> float:
        from ffn.core import calc_prob_backtest_overfitting

        return float(calc_prob_backtest_overfitting(frame, n_blocks=blocks))

    return Contest(
        work=f"probability of overfitting, {blocks} blocks x 100 configurations",
        ours=lambda: probability_of_overfitting(returns, blocks=blocks).probability,
        peer="ffn",
        needs="ffn",
        theirs=theirs,
        difference=lambda mine, other: abs(mine - other),
        tolerance=1e-12,
        target=100.0,
        repeats=1,
        warm_peer=False,
    )


def main() -> int:
    """Print both tables; return 1 where the calibration or an answer is wrong."""
    parser = argparse.ArgumentParser(description="Benchmarks of validity.")
    parser.add_argument("--full", action="store_true", help="all splits of 16 blocks")
    blocks = 16 if parser.parse_args().full else 12
    calibrated = print_figures(
        "Calibration of the verdict", chain(calibration(), speeds()), packages=PACKAGES
    )
    sys.stdout.write("\n")
    return calibrated | run("Overfitting", [overfitting(blocks)], packages=PACKAGES)


if __name__ == "__main__":
    sys.exit(main())
