"""What is imported before it is needed costs every start of the program."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numba", "scipy", "sklearn", "highspy", "skfolio", "cvxpy")


@pytest.mark.parametrize(
    "module",
    [
        "slices.quant.metrics",
        "slices.quant.allocation.quadratic",
        "slices.quant.allocation.risk_parity",
        "slices.quant.allocation.shortfall",
        "slices.quant.simulation.targets",
        "slices.adaptive_portfolio.evaluation",
        "slices.adaptive_portfolio.frontier",
        "slices.analyze.holdings",
        "slices.analyze.structure",
    ],
)
def test_a_module_imports_nothing_heavy(module: str) -> None:
    check = f"import sys, {module}; print(*[each for each in {HEAVY} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
