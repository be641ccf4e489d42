"""The same allocations through skfolio, solved tightly: the oracle of tests and benchmarks."""

from __future__ import annotations

import warnings

import numpy as np

from slices.domain.portfolio import Allocator

TIGHT = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}


def skfolio_weights(
    allocator: Allocator,
    returns: np.ndarray,
    *,
    smallest: float = 0.0,
    largest: float = 1.0,
    confidence: float = 0.95,
    tight: bool = True,
) -> np.ndarray:
    """Fit skfolio's estimator of the same definition.

    Its solver may warn that a result is not as accurate as 1e-12 asks; the tests judge accuracy
    themselves, so that warning alone is silenced.
    """
    estimator = _estimator(
        allocator, {"min_weights": smallest, "max_weights": largest}, confidence, tight=tight
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")
        return np.asarray(estimator.fit(returns).weights_)


def _estimator(allocator: Allocator, bounds: dict, confidence: float, *, tight: bool) -> object:
    from skfolio import RiskMeasure
    from skfolio import optimization as peer

    solver = {"solver_params": TIGHT} if tight else {}
    match allocator:
        case Allocator.EQUAL_WEIGHT:
            return peer.EqualWeighted()
        case Allocator.INVERSE_VOLATILITY:
            return peer.InverseVolatility()
        case Allocator.MIN_VARIANCE:
            return peer.MeanRisk(risk_measure=RiskMeasure.VARIANCE, **bounds, **solver)
        case Allocator.MAX_SHARPE:
            return peer.MeanRisk(
                objective_function=peer.ObjectiveFunction.MAXIMIZE_RATIO,
                risk_measure=RiskMeasure.STANDARD_DEVIATION,
                **bounds,
                **solver,
            )
        case Allocator.RISK_PARITY:
            return peer.RiskBudgeting(**bounds, **solver)
        case Allocator.HIERARCHICAL_RISK_PARITY:
            return peer.HierarchicalRiskParity(**bounds)
        case _:
            return peer.MeanRisk(
                risk_measure=RiskMeasure.CVAR, cvar_beta=confidence, **bounds, **solver
            )
