"""What holds for every strategy of the catalogue, whatever it decides on."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.domain.errors import ParameterError
from slices.domain.strategies import StrategyName, StrategyParameters
from slices.quant import averages, rolling
from slices.quant.panel import Panel
from slices.quant.signals import states
from slices.quant.signals.catalogue import STRATEGIES, checked_parameters, search_space
from slices.quant.signals.search import SearchDimension
from slices.quant.signals.symbols import ABSENT_SESSIONS
from tests.slices.quant.signal_panels import (
    CASES,
    Case,
    changed,
    gappy_panel,
    panel_of,
    shapes,
    us_panel,
)
from tests.slices.quant.test_kernels import interpreted

every_case = pytest.mark.parametrize("case", CASES, ids=[each.label for each in CASES])
SEPARATE = [each for each in CASES if not each.strategy.joint]
every_separate_case = pytest.mark.parametrize(
    "case", SEPARATE, ids=[each.label for each in SEPARATE]
)


def identical(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool(np.all(first == second))


def test_the_catalogue_has_every_name() -> None:
    assert set(STRATEGIES) == set(StrategyName)
    assert all(each.name == name for name, each in STRATEGIES.items())


@every_case
def test_signals_are_finite_fractions_of_the_panels_shape(case: Case) -> None:
    panel = gappy_panel()
    signals = case.signals(panel)
    assert signals.shape == panel.close.shape
    assert signals.dtype == np.float64
    assert np.all(np.abs(signals) <= 1)
    assert signals.any()
    lowest = -1 if getattr(case.parameters, "short", False) else 0
    assert signals.min() == lowest


@every_case
def test_deciding_changes_nothing_and_is_repeatable(case: Case) -> None:
    panel = gappy_panel()
    for values in (panel.close, panel.high, panel.low):
        values.setflags(write=False)
    assert identical(case.signals(panel), case.signals(panel))


@every_case
@pytest.mark.parametrize("make", [us_panel, gappy_panel])
def test_cutting_off_the_future_changes_no_bit(case: Case, make: type[Panel]) -> None:
    panel = make()
    whole = case.signals(panel)
    for cut in (0, 1, 9, 20, 61, 134, 255, 299, 405, 421, 435, 700, 705, 715, 899):
        assert identical(case.signals(panel.until(cut)), whole[:cut])


@every_case
@pytest.mark.parametrize("day", [1, 30, 260, 410, 640])
def test_other_prices_from_a_day_on_change_nothing_before_it(case: Case, day: int) -> None:
    panel = gappy_panel()
    factors = np.exp(np.random.default_rng(day).normal(0, 0.2, panel.close.shape))
    factors[:day] = 1.0
    whole = case.signals(panel)
    other = case.signals(changed(panel, lambda values: values * factors))
    assert identical(other[:day], whole[:day])
    assert not identical(other[day:], whole[day:]) or case.strategy.name == "buy_and_hold"


@every_case
def test_bars_that_stop_coming_change_nothing_before(case: Case) -> None:
    panel = us_panel()
    ended = changed(panel, lambda values: values.copy())
    for values in (ended.close, ended.open, ended.high, ended.low):
        values[500:, ::2] = np.nan
    assert identical(case.signals(ended)[:500], case.signals(panel)[:500])


@every_case
def test_the_unit_of_prices_does_not_matter(case: Case) -> None:
    panel = gappy_panel()
    signals = case.signals(panel)
    powers = 2.0 ** np.array([-9, -3, 0, 1, 4, 10])
    assert identical(case.signals(changed(panel, lambda values: values * powers)), signals)
    factors = np.array([0.001, 0.37, 3.3, 17.0, 1e3, 1e6])
    scaled = case.signals(changed(panel, lambda values: values * factors))
    assert scaled == pytest.approx(signals, abs=1e-9)


@every_case
def test_the_order_of_symbols_does_not_matter(case: Case) -> None:
    panel = gappy_panel()
    order = [3, 0, 5, 4, 1, 2]
    assert identical(case.signals(panel.columns(order)), case.signals(panel)[:, order])


@every_separate_case
def test_other_symbols_do_not_matter_unless_the_strategy_says_so(case: Case) -> None:
    panel = gappy_panel()
    signals = case.signals(panel)
    for place in range(6):
        assert identical(case.signals(panel.columns([place])), signals[:, [place]])


def test_joint_strategies_look_at_the_other_symbols() -> None:
    for case in set(CASES) - set(SEPARATE):
        fewer = case.signals(us_panel().columns([0, 1, 2]))
        assert not identical(fewer, case.signals(us_panel())[:, :3])


@every_case
def test_nothing_in_nothing_out(case: Case) -> None:
    panel = us_panel()
    assert case.signals(panel.until(0)).shape == (0, 6)
    assert case.signals(panel.columns([])).shape == (900, 0)
    assert case.signals(panel.until(0).columns([])).shape == (0, 0)
    none = changed(panel, lambda values: np.full(values.shape, np.nan))
    assert not case.signals(none).any()


@every_separate_case
def test_a_symbol_is_decided_on_its_own_bars_alone(case: Case) -> None:
    panel = gappy_panel()
    signals = case.signals(panel)
    for place in range(5):
        present = np.flatnonzero(~np.isnan(panel.close[:, place]))
        column = panel.columns([place])
        compact = replace(
            changed(column, lambda values, rows=present: values[rows]),
            sessions=tuple(column.sessions[row] for row in present),
        )
        assert identical(case.signals(compact)[:, 0], signals[present, place])


@every_case
def test_a_symbol_that_starts_late_warms_up_on_its_own(case: Case) -> None:
    signals = case.signals(gappy_panel())
    assert not signals[: 130 + case.warmup - 1, 1].any()
    assert signals[130 + case.warmup - 1 :, 1].any()


@every_case
def test_a_session_without_a_bar_keeps_the_signal_for_a_while(case: Case) -> None:
    panel = gappy_panel()
    signals = case.signals(panel)
    absent = np.isnan(panel.close[:, 2])
    kept = np.flatnonzero(absent[1:]) + 1
    assert identical(signals[kept, 2], signals[kept - 1, 2])
    for place, last in ((3, 399), (4, 699)):
        until = last + 1 + ABSENT_SESSIONS
        assert np.all(signals[last:until, place] == signals[last, place])
    assert not signals[400 + ABSENT_SESSIONS : 430, 3].any()
    assert not signals[700 + ABSENT_SESSIONS :, 4].any()
    assert not signals[:, 5].any()


@every_case
def test_prices_that_never_move_are_no_reason_to_trade(case: Case) -> None:
    signals = case.signals(panel_of(np.full((600, 3), 0.1) * [1.0, 3.0, 1234.567]))
    held = case.strategy.name in {"buy_and_hold", "volatility_target"}
    assert not signals[: case.warmup - 1].any()
    assert np.all(signals[case.warmup - 1 :] == (1.0 if held else 0.0))


def drawn(case: Case) -> list[Case]:
    """The case, and its strategy with random parameters."""
    random = np.random.default_rng(11)
    found = [case]
    while len(found) < 4:
        given = {}
        for each in search_space(case.strategy.name):
            value = random.uniform(each.low, each.high)
            number = round(value) if each.integer or each.choices else value
            given[each.name] = each.choices[int(number)] if each.choices else number
        try:
            parameters = checked_parameters(case.strategy.name, given)
        except ParameterError:
            continue
        found.append(replace(case, parameters=parameters))
    return found


@every_case
def test_the_warmup_is_true_and_tight(case: Case) -> None:
    for each in drawn(case):
        acted = []
        for closes in shapes(each.warmup).values():
            panel = panel_of(closes)
            last = panel.sessions[-1]
            month = (*panel.sessions[:-1], last.replace(year=last.year + 1, month=1))
            signals = each.signals(replace(panel, sessions=month))
            assert not signals[: each.warmup - 1].any()
            acted.append(signals[each.warmup - 1].any())
        assert any(acted)
        noise = np.exp(np.random.default_rng(0).normal(0, 0.1, (each.warmup - 1, 4)).cumsum(axis=0))
        assert not each.signals(panel_of(noise)).any()


@pytest.mark.parametrize("name", list(StrategyName))
def test_every_bound_is_accepted_at_its_edge(name: StrategyName) -> None:
    space, panel = search_space(name), us_panel(600, 3)
    for dimension, edge in itertools.product(space, ("low", "high")):
        others = [each for each in space if each is not dimension]
        parameters = next(accepted(name, {dimension.name: at(dimension, edge)}, others))
        signals = STRATEGIES[name].signals(panel, parameters)
        assert np.all(np.abs(signals) <= 1)


def at(dimension: SearchDimension, edge: str) -> float | str:
    """The value at one end of a dimension."""
    value = getattr(dimension, edge)
    return dimension.choices[int(value)] if dimension.choices else value


def accepted(
    name: str, given: dict[str, float | str], others: list[SearchDimension]
) -> Iterator[StrategyParameters]:
    """Parameters that go with given ones: the others at their defaults or at an edge."""
    for rest in ({}, *({each.name: at(each, edge) for each in others} for edge in ("low", "high"))):
        try:
            yield checked_parameters(name, {**rest, **given})
        except ParameterError:
            continue


@every_case
def test_the_compiled_rule_is_the_written_one(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = gappy_panel(500)
    compiled = case.signals(panel)
    for module in (averages, rolling, states):
        interpreted(module, monkeypatch)
    assert identical(case.signals(panel), compiled)


@every_case
def test_target_weights_never_exceed_the_account(case: Case) -> None:
    weights = case.strategy.target_weights(gappy_panel(), case.parameters)
    assert np.all(np.abs(weights).sum(axis=1) <= 1 + 1e-12)
    assert np.all(np.isfinite(weights))


@given(
    st.sampled_from(CASES),
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_no_bit_depends_on_the_future_on_any_path(
    case: Case, seed: int, cut: int, missing: float
) -> None:
    random = np.random.default_rng(seed)
    steps = random.normal(0, 0.03, (80, 3)).round(int(random.integers(1, 6)))
    closes = np.exp(steps.cumsum(axis=0)).round(3)
    closes[random.uniform(size=closes.shape) < missing] = np.nan
    panel = panel_of(closes, first=dt.date(2003, 3, 3))
    whole = case.signals(panel)
    assert np.all(np.abs(whole) <= 1)
    assert identical(case.signals(panel.until(cut)), whole[:cut])


def test_every_strategy_says_what_it_is() -> None:
    for each, word in itertools.product(STRATEGIES.values(), ("title", "idea", "reference")):
        assert getattr(each, word)
    for each in STRATEGIES.values():
        for field in each.parameters.model_fields.values():
            assert field.description.endswith(".")
            assert not field.is_required()
