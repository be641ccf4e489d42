"""Parameters as people and optimizers meet them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from slices.domain.errors import ParameterError
from slices.domain.strategies import StrategyName
from slices.quant.signals.catalogue import (
    checked_parameters,
    default_parameters,
    search_space,
    strategy,
)
from slices.quant.signals.search import SearchDimension


def refusal(name: str, **given: float | str) -> str:
    with pytest.raises(ParameterError) as refused:
        checked_parameters(name, given)
    return str(refused.value)


def test_importing_the_catalogue_imports_nothing_heavy() -> None:
    heavy = ("numba", "talib", "scipy", "pandas", "prefect", "mlflow", "sklearn")
    check = (
        "import sys, slices.quant.signals.catalogue;"
        f"print(*[each for each in {heavy} if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_strategy_is_found_by_its_name_as_text() -> None:
    assert strategy("sma_cross").name is StrategyName.SMA_CROSS
    with pytest.raises(ParameterError, match=r"strategy: found moon; allowed: .*sma_cross"):
        strategy("moon")


@pytest.mark.parametrize("name", list(StrategyName))
def test_defaults_are_what_nobody_changed(name: StrategyName) -> None:
    assert checked_parameters(name) == default_parameters(name)
    assert checked_parameters(name, default_parameters(name).model_dump()) == default_parameters(
        name
    )


def test_text_from_a_command_line_is_read_as_numbers() -> None:
    parameters = checked_parameters("sma_cross", {"fast": "20", "short": "true"})
    assert parameters.model_dump() == {"fast": 20, "slow": 50, "short": True}


@pytest.mark.parametrize(
    "given",
    [
        {"fast": 1},
        {"fast": 101},
        {"fast": 10.5},
        {"fast": "ten"},
        {"slow": float("nan")},
        {"slow": float("inf")},
        {"fast": 50, "slow": 50},
        {"speed": 3},
        {"short": 7},
    ],
)
def test_a_refusal_is_one_line_with_all_parameters_and_bounds(
    given: dict[str, float | str],
) -> None:
    line = refusal("sma_cross", **given)
    assert "\n" not in line
    assert "sma_cross" in line
    assert str(next(iter(given))) in line
    assert "fast (2 to 100), slow (5 to 400), short (true or false)" in line


def test_a_refusal_names_what_was_found() -> None:
    assert "fast = 101" in refusal("sma_cross", fast=101)
    assert "exit 21 is longer than entry 20" in refusal("donchian_breakout", exit=21)
    assert "skip 30 is not below lookback 20" in refusal(
        "time_series_momentum", lookback=20, skip=30
    )
    assert "weighting (exponential or equal)" in refusal("volatility_target", weighting="best")
    assert "nothing to set" in refusal("buy_and_hold", fast=3)


def test_the_search_space_is_the_bounds() -> None:
    assert search_space("buy_and_hold") == ()
    target, window, weighting, band = search_space("volatility_target")
    assert target == SearchDimension(name="target", low=0.02, high=1.0)
    assert window == SearchDimension(name="window", low=5, high=250, step=1, integer=True)
    assert weighting == SearchDimension(
        name="weighting", low=0, high=1, step=1, choices=("exponential", "equal")
    )
    assert (band.low, band.high, band.integer) == (0, 0.5, False)


@pytest.mark.parametrize("name", list(StrategyName))
def test_defaults_lie_within_the_space_and_switches_outside_of_it(name: StrategyName) -> None:
    defaults = default_parameters(name).model_dump()
    for each in search_space(name):
        value = defaults[each.name]
        assert value in each.choices or each.low <= value <= each.high
    assert "short" not in {each.name for each in search_space(name)}


def test_a_level_for_selling_short_is_not_searched() -> None:
    assert [each.name for each in search_space("rsi_reversal")] == ["window", "lower", "exit"]
