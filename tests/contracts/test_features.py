"""What every feature promises, checked for each of them on real bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slices.data.adapters.embedded import open_embedded
from slices.domain.bars import Adjustment
from slices.domain.learning import FeatureFamily, FeatureNeed
from slices.ml_strategy.features.catalogue import (
    COLUMNS,
    FEATURES,
    bar_columns,
    feature,
    is_shared,
    needed_columns,
    needs_others,
)
from slices.ml_strategy.features.computing import feature_frame, features_at
from slices.ml_strategy.features.declaring import Feature
from slices.quant.panel import Panel, read_panel
from tests.slices.quant.market import us_closes
from tests.support.frames import load

SESSIONS = 820
CUTS = (300, 507, 640, 819)
VALUES = ("open", "high", "low", "close", "volume")
Wide = dict[str, np.ndarray]
every_feature = pytest.mark.parametrize("each", FEATURES, ids=lambda each: each.name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """A panel, the features it has, and the same features of the panel changed in many ways."""

    panel: Panel
    whole: Wide
    cut: dict[int, Wide]
    disturbed: dict[int, Wide]
    reversed: Wide
    rescaled: Wide
    holed: Wide


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[FeatureNeed, World]:
    wide = closes_panel()
    traded = traded_panel(tmp_path_factory.mktemp("bars"))
    closing = world(wide, tuple(e.name for e in FEATURES if e.need is FeatureNeed.CLOSE))
    trading = world(traded, tuple(e.name for e in FEATURES if e.need is not FeatureNeed.CLOSE))
    return {
        FeatureNeed.CLOSE: closing,
        FeatureNeed.RANGE: trading,
        FeatureNeed.VOLUME: trading,
    }


def closes_panel() -> Panel:
    sessions, symbols, closes = us_closes()
    chosen = closes[-SESSIONS:, :8].copy()
    return Panel(
        symbols=symbols[:8], sessions=sessions[-SESSIONS:], close=chosen, periods_per_year=252
    )


def traded_panel(folder: Path) -> Panel:
    names = ("AAPL", "GOOGL", "IBM", "MSFT")
    source = open_embedded("us_ohlcv5", names)
    panel = read_panel(load(source, folder, *names, adjustment=Adjustment.SPLIT))
    return panel.between(len(panel.sessions) - SESSIONS, len(panel.sessions))


def world(panel: Panel, names: tuple[str, ...]) -> World:
    random = np.random.default_rng(11)
    return World(
        panel=panel,
        whole=matrices(panel, names),
        cut={t: matrices(panel.until(t), names) for t in CUTS},
        disturbed={t: matrices(disturbed(panel, t, random), names) for t in CUTS[1:3]},
        reversed=matrices(panel.columns(range(len(panel.symbols))[::-1]), names),
        rescaled=matrices(rescaled(panel), names),
        holed=matrices(holed(panel), names),
    )


def matrices(panel: Panel, names: tuple[str, ...]) -> Wide:
    """Features as T x N matrices, NaN where not known or where there is no bar."""
    return spread(feature_frame(panel, names), panel)


def spread(frame: pl.DataFrame, panel: Panel) -> Wide:
    rows = np.searchsorted(np.array(panel.sessions), frame["session"].to_numpy())
    places = {name: place for place, name in enumerate(panel.symbols)}
    columns = frame["symbol"].replace_strict(places).to_numpy()
    found = {}
    for name in frame.columns[2:]:
        found[name] = np.full((len(panel.sessions), len(panel.symbols)), np.nan)
        found[name][rows, columns] = frame[name].to_numpy()
    return found


def changed(panel: Panel, change: Callable[[str, np.ndarray], np.ndarray]) -> Panel:
    values = {n: getattr(panel, n) for n in VALUES if getattr(panel, n) is not None}
    return dataclasses.replace(panel, **{n: change(n, v.copy()) for n, v in values.items()})


def disturbed(panel: Panel, cut: int, random: np.random.Generator) -> Panel:
    """Another future after the row `cut` - 1: other prices, and sessions without bars."""
    shape = (len(panel.sessions) - cut, len(panel.symbols))
    noise, gone = np.exp(random.normal(0.1, 0.3, shape)), random.random(shape) < 0.1
    noise[gone] = np.nan

    def change(name: str, values: np.ndarray) -> np.ndarray:
        values[cut:] *= noise
        return values

    return changed(panel, change)


def rescaled(panel: Panel) -> Panel:
    def change(name: str, values: np.ndarray) -> np.ndarray:
        return values * (0.01 if name == "volume" else 10.0)

    return changed(panel, change)


def holed(panel: Panel) -> Panel:
    """The first symbol without bars on some sessions."""

    def change(name: str, values: np.ndarray) -> np.ndarray:
        values[[40, 41, 300, 555, 700], 0] = np.nan
        return values

    return changed(panel, change)


def leaks(build: Callable[[Panel], pl.DataFrame], panel: Panel, cut: int) -> bool:
    """Tell whether what was said before a cut depends on what came after it."""
    whole = spread(build(panel), panel)
    seen = spread(build(panel.until(cut)), panel.until(cut))
    return any(not same(whole[name][:cut], seen[name]) for name in whole)


def same(first: np.ndarray, second: np.ndarray, *, tolerance: float = 0.0) -> bool:
    return np.allclose(first, second, rtol=tolerance, atol=tolerance, equal_nan=True)


def test_the_catalogue_is_as_wide_as_promised() -> None:
    names = [each.name for each in COLUMNS]
    assert len(set(names)) == len(names)
    needs = [each.need for each in FEATURES]
    assert needs.count(FeatureNeed.CLOSE) >= 80
    assert len(needs) - needs.count(FeatureNeed.CLOSE) >= 18
    assert {each.family for each in FEATURES} == set(FeatureFamily)


@every_feature
def test_a_feature_is_described(each: Feature) -> None:
    assert feature(each.name) is each
    assert each.title
    assert "\n" not in each.title
    assert each.formula
    assert each.lookback_sessions >= 1


@every_feature
def test_a_feature_needs_the_columns_it_says(each: Feature) -> None:
    declared = {column.name for column in COLUMNS}
    roots = {
        root
        for column in needed_columns((each.name,))
        for root in column.expression.meta.root_names()
    }
    of_bars = roots - declared - {"session"}
    assert of_bars <= {"close", *bar_columns(each.need)}
    assert each.need is FeatureNeed.CLOSE or not of_bars <= {"close"}


@every_feature
def test_the_past_is_the_same_where_the_future_is_not_there(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    for cut in CUTS:
        assert same(ours.whole[each.name][:cut], ours.cut[cut][each.name])


@every_feature
def test_the_past_is_the_same_where_the_future_is_another(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    for cut, other in ours.disturbed.items():
        assert same(ours.whole[each.name][:cut], other[each.name][:cut])


@every_feature
def test_a_feature_is_known_from_its_lookback_on_and_not_before(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    values = worlds[each.need].whole[each.name]
    first = each.lookback_sessions - 1
    assert np.isnan(values[:first]).all()
    assert np.isfinite(values[first:]).all()


@every_feature
def test_a_feature_says_something(worlds: dict[FeatureNeed, World], each: Feature) -> None:
    values = worlds[each.need].whole[each.name]
    known = values[np.isfinite(values).all(axis=1)]
    assert np.ptp(known) > 0
    assert is_shared(each.name) == bool((np.ptp(known, axis=1) == 0).all())


@every_feature
def test_the_order_of_symbols_does_not_matter(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    assert same(ours.whole[each.name], ours.reversed[each.name][:, ::-1], tolerance=1e-9)


@every_feature
def test_the_scale_of_prices_and_volumes_does_not_matter_where_so_declared(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    is_same = same(ours.whole[each.name], ours.rescaled[each.name], tolerance=1e-8)
    assert is_same == each.is_scale_free


@every_feature
def test_a_hole_in_one_symbol_leaves_the_others_as_they_were(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    others, before = ours.holed[each.name][:, 1:], ours.whole[each.name][:, 1:]
    assert not np.isinf(ours.holed[each.name]).any()
    if each.family is not FeatureFamily.CALENDAR and needs_others(each.name):
        assert same(others[:40], before[:40])
    else:
        assert same(others, before)


@every_feature
def test_a_symbol_with_holes_has_no_row_there_and_windows_of_its_own_bars(
    worlds: dict[FeatureNeed, World], each: Feature
) -> None:
    ours = worlds[each.need]
    holes = [40, 41, 300, 555, 700]
    values = ours.holed[each.name][:, 0]
    assert np.isnan(values[holes]).all()
    known = np.delete(values, holes)
    assert np.isfinite(known[each.lookback_sessions - 1 + len(holes) :]).all()
    if not needs_others(each.name) and each.family is not FeatureFamily.CALENDAR:
        assert np.isnan(known[: each.lookback_sessions - 1]).all()
        assert np.isfinite(known[each.lookback_sessions - 1 :]).all()


@pytest.mark.parametrize("last_rows", [1, 3])
def test_the_newest_rows_need_no_more_than_the_longest_window(last_rows: int) -> None:
    panel = holed(closes_panel())
    names = tuple(e.name for e in FEATURES if e.need is FeatureNeed.CLOSE)
    whole = feature_frame(panel, names).filter(pl.col("session") >= panel.sessions[-last_rows])
    newest = features_at(panel, names, last_rows=last_rows)
    assert newest.select("session", "symbol").equals(whole.select("session", "symbol"))
    assert np.allclose(newest[list(names)], whole[list(names)], rtol=1e-7, atol=1e-9)


def test_the_suite_would_notice_features_that_know_the_future() -> None:
    panel = closes_panel().columns([0, 1, 2])
    honest = pl.col("momentum_21")
    planted = {
        "the session after": honest.shift(-1).over("symbol"),
        "the whole sample": (honest - honest.mean()).over("symbol") / honest.std().over("symbol"),
        "filled back": honest.backward_fill().over("symbol"),
        "ranked over all": honest.rank() / honest.count(),
    }

    def building(expression: pl.Expr) -> Callable[[Panel], pl.DataFrame]:
        return lambda panel: feature_frame(panel, ("momentum_21",)).select(
            "session", "symbol", planted=expression
        )

    assert not leaks(building(honest), panel, 400)
    for name, expression in planted.items():
        cut = 15 if name == "filled back" else 400
        assert leaks(building(expression), panel, cut), name
