"""What every indicator keeps."""

from __future__ import annotations

import numpy as np
import pytest

from slices.analyze.indicator import Indicator
from slices.analyze.indicators import catalogue, indicators, outputs
from slices.analyze.series import SymbolBars, full
from slices.domain.bars import BarShape
from slices.domain.errors import ParameterError
from slices.domain.report import Unit
from slices.quant.panel import Panel
from tests.slices.analyze.bars import closes_only, disturbed, rescaled, still, walk

CATALOGUE = catalogue(252)
every_indicator = pytest.mark.parametrize("indicator", CATALOGUE, ids=lambda each: each.name)


def values(indicator: Indicator, bars: SymbolBars) -> np.ndarray:
    return np.array(indicator.values(bars))


@every_indicator
def test_its_warmup_is_exactly_as_declared(indicator: Indicator, ibm: SymbolBars) -> None:
    found = values(indicator, ibm)
    assert found.shape == (len(indicator.outputs), len(ibm))
    assert np.isnan(found[:, : indicator.warmup]).all()
    assert np.isfinite(found[:, indicator.warmup]).all()


@every_indicator
@pytest.mark.parametrize("stop", [260, 301, 487, 599])
def test_it_knows_nothing_of_later_bars(indicator: Indicator, stop: int) -> None:
    bars = walk()
    found = values(indicator, bars)[:, :stop]
    np.testing.assert_array_equal(values(indicator, bars.until(stop)), found)
    np.testing.assert_array_equal(values(indicator, disturbed(bars, stop))[:, :stop], found)


@every_indicator
def test_the_unit_of_prices_scales_money_and_nothing_else(indicator: Indicator) -> None:
    bars = walk()
    before, after = values(indicator, bars), values(indicator, rescaled(bars, 7.3))
    for output, one, other in zip(indicator.outputs, before, after, strict=True):
        factor = 7.3 if output.unit is Unit.MONEY else 1.0
        np.testing.assert_allclose(other, one * factor, rtol=1e-6, atol=1e-9)


@every_indicator
def test_it_is_undefined_and_not_zero_where_its_bars_are_too_few(indicator: Indicator) -> None:
    bars = walk()
    for count in (1, 2, max(1, indicator.warmup)):
        found = values(indicator, bars.until(count))
        assert found.shape == (len(indicator.outputs), count)
        assert np.isnan(found[:, : indicator.warmup]).all()


@every_indicator
def test_prices_that_never_move_make_no_oscillator(indicator: Indicator) -> None:
    found = values(indicator, still())[:, -1]
    undefined = {
        "rsi_14", "stochastic", "stochastic_rsi_14", "cci_20", "williams_r_14", "mfi_14",
        "ultimate", "cmo_14", "bop", "adx_14", "plus_di_14", "minus_di_14", "zscore_63",
        "beta_63",
    }  # fmt: skip
    if indicator.name in undefined:
        assert np.isnan(found).all()
    elif indicator.name == "bollinger":
        assert found.tolist()[:4] == [5.0, 5.0, 5.0, 0.0]
        assert np.isnan(found[4])
    else:
        assert np.isfinite(found).all()


@every_indicator
def test_it_says_what_it_is(indicator: Indicator) -> None:
    assert indicator.title
    assert indicator.source
    assert all(each.title and each.unit is not Unit.TEXT for each in indicator.outputs)


def test_names_are_unique_and_there_are_many() -> None:
    names = [each.name for one in CATALOGUE for each in one.outputs]
    assert len(set(names)) == len(names) == len(outputs(252))
    assert len({each.name for each in CATALOGUE}) == len(CATALOGUE) >= 40


def panel(*symbols: SymbolBars) -> Panel:
    def side_by_side(name: str) -> np.ndarray | None:
        columns = [getattr(each, name) for each in symbols]
        return None if columns[0] is None else np.column_stack(columns)

    return Panel(
        symbols=tuple(f"S{place}" for place in range(len(symbols))),
        sessions=symbols[0].sessions,
        close=np.column_stack([each.close for each in symbols]),
        open=side_by_side("open"),
        high=side_by_side("high"),
        low=side_by_side("low"),
        volume=side_by_side("volume"),
        periods_per_year=252,
    )


def with_hole(given: Panel, row: int, column: int) -> Panel:
    for each in (given.open, given.high, given.low, given.close, given.volume):
        assert each is not None
        each[row, column] = np.nan
    return given


def test_a_session_without_a_bar_is_passed_over_not_filled() -> None:
    one, other = walk(seed=1), walk(seed=2)
    holed = indicators(with_hole(panel(one, other), 300, 1))[1]
    whole = indicators(panel(one, other))[1]
    assert holed.sessions == other.sessions[:300] + other.sessions[301:]
    np.testing.assert_array_equal(holed.values[:300], whole.values[:300])
    expected = np.delete(other.close, 300)[281:301].mean()
    assert holed.column("sma_20")[300] == pytest.approx(expected)


def test_permuted_symbols_permute_their_tables() -> None:
    chosen = [walk(seed=seed) for seed in (1, 2, 3)]
    forward = indicators(panel(*chosen))
    backward = indicators(panel(*reversed(chosen)))
    for one, other in zip(forward, reversed(backward), strict=True):
        np.testing.assert_allclose(one.values, other.values, rtol=1e-9, atol=1e-12)


def test_close_only_data_leaves_out_by_name_what_needs_more() -> None:
    table = indicators(panel(closes_only(walk()), closes_only(walk(seed=2))))[0]
    needing = {each.name for each in CATALOGUE if each.shape is BarShape.OHLCV}
    assert {each.name for each in table.left_out} == needing
    assert all("close only" in each.reason for each in table.left_out)
    assert "atr_14" in needing
    assert "rsi_14" not in needing
    with pytest.raises(KeyError):
        table.column("atr_14")


def test_one_symbol_alone_has_no_market_to_compare_with() -> None:
    table = indicators(panel(walk()))[0]
    assert [each.name for each in table.left_out] == ["beta_63"]


def test_a_symbol_without_a_bar_has_an_empty_table() -> None:
    given = panel(walk(), walk(seed=2))
    for row in range(600):
        with_hole(given, row, 1)
    table = indicators(given)[1]
    assert table.values.shape[0] == 0
    assert table.sessions == ()


def test_names_choose_and_an_unknown_one_is_refused() -> None:
    table = indicators(panel(walk()), names=["rsi_14", "bollinger"])[0]
    assert [each.name for each in table.outputs][:2] == ["rsi_14", "bollinger_upper"]
    with pytest.raises(ParameterError, match=r"names: found rsi_99; allowed: .*rsi_14"):
        indicators(panel(walk()), names=["rsi_99"])


def test_full_bars_are_not_made_up_from_closes() -> None:
    with pytest.raises(ValueError, match="found close only"):
        full(closes_only(walk()))
