"""Exact numbers: rounded once, then only added."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import ParameterError
from slices.domain.exact import MOST_UNITS, money, notional, price, quantity
from slices.runtime.codec import decode, encode

UNITS = {money: 6, quantity: 9, price: 9}


@pytest.mark.parametrize("rounded", UNITS)
@given(number=st.floats(min_value=-1e9, max_value=1e9))
def test_rounding_moves_a_number_by_at_most_half_a_unit(rounded: object, number: float) -> None:
    exact = rounded(number)  # type: ignore[operator]
    unit = Fraction(1, 10 ** UNITS[rounded])  # type: ignore[index]
    assert Fraction(exact) % unit == 0
    assert abs(Fraction(exact) - Fraction(repr(number))) <= unit / 2
    assert decode(encode(exact)) == exact


@pytest.mark.parametrize("rounded", UNITS)
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, "a lot", "", Decimal("sNaN")])
def test_what_is_no_finite_number_is_refused(rounded: object, number: object) -> None:
    with pytest.raises(ParameterError):
        rounded(number)  # type: ignore[operator]


@pytest.mark.parametrize("rounded", UNITS)
def test_what_a_database_could_not_hold_is_refused(rounded: object) -> None:
    unit = Decimal(1).scaleb(-UNITS[rounded])  # type: ignore[index]
    largest = MOST_UNITS * unit
    assert rounded(largest) == largest  # type: ignore[operator]
    with pytest.raises(ParameterError):
        rounded(largest + unit)  # type: ignore[operator]


def test_a_thousand_tenths_are_a_hundred() -> None:
    assert sum((money(0.1) for _ in range(1000)), Decimal(0)) == 100


def test_halves_go_to_the_even_neighbour_and_zero_has_no_sign() -> None:
    assert money("0.0000005") == 0
    assert money("0.0000015") == Decimal("0.000002")
    assert str(money(-1e-12)) == "0.000000"


def test_a_purchase_and_a_sale_of_the_same_shares_cancel() -> None:
    at = price("33.333333333")
    assert notional(quantity("1.7"), at) + notional(-quantity("1.7"), at) == 0


def test_numbers_of_numpy_are_numbers() -> None:
    assert money(np.float64(0.1)) == money(0.1)
    assert quantity(np.float64(2.5)) == quantity("2.5")
