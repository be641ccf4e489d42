"""The compiled loops do what the same text does in plain Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from slices.quant.allocation import active_set, risk_kernels
from slices.quant.allocation.bounds import filled_in_order, uniform_bounds
from slices.quant.allocation.hierarchical import correlation_linkage, leaf_order
from slices.quant.covariance import correlation
from tests.slices.quant.market import factor_covariance

if TYPE_CHECKING:
    from types import ModuleType


def interpreted(module: ModuleType, patch: pytest.MonkeyPatch) -> None:
    """Replace every kernel of a module by the Python function it was compiled from."""
    for name, value in list(vars(module).items()):
        if hasattr(value, "py_func"):
            patch.setattr(module, name, value.py_func)


@pytest.mark.parametrize(("smallest", "largest"), [(0.0, 1.0), (0.0, 0.15), (0.04, 0.2)])
def test_the_active_set_method(
    smallest: float, largest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    covariance = factor_covariance(12)
    hessian = covariance / np.diag(covariance).mean()
    lower, upper = uniform_bounds(12, smallest=smallest, largest=largest)
    linear = np.random.default_rng(2).normal(0, 0.2, 12)
    start = filled_in_order(np.arange(12), lower, upper)
    arguments = (hessian, linear, lower, upper, start, 1e-12, 500)
    compiled, iterations, residual = active_set.box_qp(*arguments)
    interpreted(active_set, monkeypatch)
    plain, *rest = active_set.box_qp(*arguments)
    assert compiled == pytest.approx(plain, abs=1e-12)
    assert rest[0] == iterations
    assert max(residual, rest[1]) < 1e-12


def test_the_active_set_method_stops_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreted(active_set, monkeypatch)
    lower, upper = uniform_bounds(5)
    start = np.eye(5)[0]
    _, iterations, residual = active_set.box_qp(
        np.eye(5), np.zeros(5), lower, upper, start, 1e-12, 2
    )
    assert iterations == 2
    assert residual > 0.1


def test_rows_of_a_factor_come_and_go() -> None:
    matrix = factor_covariance(6) / 1e-4
    factor = np.zeros((6, 6))
    for size in range(6):
        active_set.append_row.py_func(factor, size, matrix[size, : size + 1].copy())
    assert np.tril(factor) == pytest.approx(np.linalg.cholesky(matrix), rel=1e-10)
    active_set.remove_row.py_func(factor, 6, 2)
    kept = np.delete(np.delete(matrix, 2, 0), 2, 1)
    shorter = np.tril(factor)[:5, :5]
    assert shorter @ shorter.T == pytest.approx(kept, rel=1e-10)


def test_a_row_that_adds_nothing_gets_the_least_pivot() -> None:
    factor = np.zeros((2, 2))
    factor[0, 0] = 1.0
    active_set.append_row.py_func(factor, 1, np.array([1.0, 1.0]))
    assert factor[1, 1] == pytest.approx(active_set.LEAST_PIVOT**0.5)


def test_equal_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    relations = correlation(factor_covariance(10))
    arguments = (relations, np.full(10, 0.2), 1e-13, 200)
    compiled, sweeps, _ = risk_kernels.equal_risk(*arguments)
    interpreted(risk_kernels, monkeypatch)
    plain, count, deviation = risk_kernels.equal_risk(*arguments)
    assert compiled == pytest.approx(plain, rel=1e-12)
    assert (count, deviation < 1e-13) == (sweeps, True)
    _, stopped, _ = risk_kernels.equal_risk(relations, np.full(10, 0.2), 0.0, 1)
    assert stopped == 1


def test_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    covariance = factor_covariance(11)
    order = leaf_order(correlation_linkage(correlation(covariance)))
    arguments = (covariance, order, *uniform_bounds(11, smallest=0.02, largest=0.12))
    compiled = risk_kernels.bisected_weights(*arguments)
    interpreted(risk_kernels, monkeypatch)
    assert compiled == pytest.approx(risk_kernels.bisected_weights(*arguments), abs=1e-14)
