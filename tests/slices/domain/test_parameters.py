from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from slices.domain.errors import ParameterError
from slices.domain.parameters import (
    Capital,
    Costs,
    PortfolioSymbols,
    SessionDate,
    Symbols,
    WeightBounds,
    check_bounds_fit,
    check_weights_fit,
)


def test_symbols_are_read_as_upper_case() -> None:
    assert TypeAdapter(Symbols).validate_python(["aapl", " brk.b "]) == ["AAPL", "BRK.B"]


@pytest.mark.parametrize("value", [[], ["AAPL", "aapl"], ["A B"], [""], ["<script>"], "AAPL"])
def test_bad_symbols_are_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Symbols).validate_python(value)


def test_one_symbol_is_not_a_portfolio() -> None:
    with pytest.raises(ValidationError, match="at least 2"):
        TypeAdapter(PortfolioSymbols).validate_python(["AAPL"])


@pytest.mark.parametrize("value", [0, -5, float("nan"), float("inf"), "much", 1e13])
def test_bad_capital_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Capital).validate_python(value)


@pytest.mark.parametrize("value", ["2013-13-01", "2013-02-30", "yesterday"])
def test_bad_dates_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SessionDate).validate_python(value)


def test_groups_refuse_unknown_names_and_bad_order() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Costs.model_validate({"comission_bps": 1})
    with pytest.raises(ValidationError, match="exceed"):
        WeightBounds(smallest=0.5, largest=0.4)


def test_cost_rate_is_a_fraction_of_notional() -> None:
    assert Costs(commission_bps=3, slippage_bps=2).rate == pytest.approx(0.0005)


def test_bounds_must_leave_room_for_a_whole() -> None:
    parameters = {"symbols": ["A", "B"], "bounds": WeightBounds(largest=0.4)}
    with pytest.raises(ParameterError, match="bounds"):
        check_bounds_fit(parameters)
    check_bounds_fit(parameters | {"bounds": WeightBounds(smallest=0.5, largest=0.5)})


@pytest.mark.parametrize("held", [{"A": 1.0}, {"A": 0.5, "C": 0.5}, {"A": 0.5, "B": 0.4}])
def test_held_weights_must_fit_the_symbols_and_sum_to_one(held: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="held_weights"):
        check_weights_fit({"symbols": ["A", "B"], "held_weights": held})


@pytest.mark.parametrize("held", [None, {"B": 0.25, "A": 0.75}])
def test_fitting_held_weights_pass(held: dict[str, float] | None) -> None:
    check_weights_fit({"symbols": ["A", "B"], "held_weights": held})
