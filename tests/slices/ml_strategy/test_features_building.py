from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slices.domain.errors import IntegrityError, MissingColumnsError, ParameterError
from slices.domain.fingerprint import fingerprint
from slices.domain.learning import FeatureFamily, FeatureNeed
from slices.ml_strategy.features import catalogue
from slices.ml_strategy.features.building import build_features, read_features
from slices.ml_strategy.features.catalogue import (
    FEATURES,
    definition_of,
    feature,
    features_of,
    needed_columns,
)
from slices.ml_strategy.features.computing import feature_frame
from slices.quant.panel import Panel, read_panel
from tests.slices.quant.market import stored, us_dataset

NAMES = ("momentum_21", "rank_momentum_63", "market_volatility_21", "weekday")


def made_up(folder: Path, symbols: int, sessions: int = 40) -> object:
    random = np.random.default_rng(5)
    dates = tuple(dt.date(2020, 1, 1) + dt.timedelta(days=i) for i in range(sessions))
    walks = np.exp(np.cumsum(random.normal(0, 0.02, (sessions, symbols)), axis=0))
    return stored(folder, dates, {f"S{i}": walks[:, i].copy() for i in range(symbols)})


def test_what_is_stored_is_what_was_computed(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=5, sessions=200)
    built = build_features(bars, names=NAMES)
    rows = read_features(built)
    computed = feature_frame(read_panel(bars), NAMES)
    assert rows.schema == {
        "session": pl.Date,
        "symbol": pl.String,
        **dict.fromkeys(NAMES, pl.Float32),
    }
    assert rows.equals(computed.with_columns(pl.col(NAMES).cast(pl.Float32)))
    assert rows["symbol"].to_list()[:5] == list(built.symbols)
    assert rows["session"].is_sorted()
    assert built.rows == rows.height == 1000
    assert built.families == tuple(feature(name).family for name in NAMES)
    assert (built.first_session, built.last_session) == (bars.first_session, bars.last_session)
    assert built.is_intact()


def test_equal_content_is_stored_once_under_its_digest(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=3, sessions=100)
    first, second = (build_features(bars, names=NAMES) for _ in range(2))
    assert first == second
    assert first.fingerprint != build_features(bars, names=NAMES[:2]).fingerprint
    fewer = us_dataset(tmp_path, symbols=2, sessions=100)
    other = build_features(fewer, names=NAMES)
    assert other.definition == first.definition
    assert other.fingerprint != first.fingerprint


def test_a_changed_or_absent_file_is_refused_and_built_again(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=3, sessions=100)
    built = build_features(bars, names=NAMES)
    file = Path(built.path)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert not built.is_intact()
    with pytest.raises(IntegrityError, match="changed"):
        read_features(built)
    assert build_features(bars, names=NAMES).is_intact()
    file.unlink()
    with pytest.raises(IntegrityError, match="gone"):
        read_features(built)


def test_what_bars_cannot_give_is_left_out_with_the_reason(tmp_path: Path) -> None:
    built = build_features(made_up(tmp_path, 1))
    reasons = dict(built.left_out)
    assert set(built.names) | set(reasons) == {each.name for each in FEATURES}
    assert not set(built.names) & set(reasons)
    assert "volume" in reasons["amihud_21"]
    assert "505" in reasons["long_reversal_504_252"]
    assert "symbols" in reasons["rank_reversal_1"]
    assert "symbols" in reasons["dispersion_21"]
    assert "momentum_21" in built.names


def test_a_feature_asked_for_by_name_is_never_left_out(tmp_path: Path) -> None:
    bars = made_up(tmp_path, 2)
    with pytest.raises(MissingColumnsError, match="amihud_21"):
        build_features(bars, names=("momentum_21", "amihud_21"))
    early = build_features(bars, names=("momentum_252", "momentum_21"))
    assert early.left_out == ()
    rows = read_features(early)
    assert rows["momentum_252"].null_count() == rows.height
    assert rows["momentum_21"].null_count() == 2 * 21


@pytest.mark.parametrize(
    ("names", "found"),
    [((), "none"), (("weekday", "weekday"), "weekday"), (("momentum_99",), "momentum_99")],
)
def test_bad_names_are_refused(tmp_path: Path, names: tuple[str, ...], found: str) -> None:
    with pytest.raises(ParameterError) as raised:
        build_features(made_up(tmp_path, 2), names=names)
    assert raised.value.parameter == "features"
    assert found in raised.value.found


def test_an_unknown_feature_is_answered_with_those_it_may_be() -> None:
    with pytest.raises(ParameterError) as raised:
        feature("momentum_25")
    assert "momentum_252" in raised.value.allowed


def test_families_are_taken_in_the_order_of_the_catalogue() -> None:
    chosen = features_of((FeatureFamily.REGIME, FeatureFamily.MOMENTUM))
    order = [each.name for each in FEATURES]
    assert [order.index(name) for name in chosen] == sorted(order.index(name) for name in chosen)
    assert {feature(name).family for name in chosen} == {
        FeatureFamily.REGIME,
        FeatureFamily.MOMENTUM,
    }


def test_a_definition_is_the_same_in_another_process() -> None:
    names = tuple(each.name for each in FEATURES)
    code = (
        "from slices.ml_strategy.features.catalogue import FEATURES, definition_of\n"
        "print(definition_of(tuple(each.name for each in FEATURES)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == definition_of(names)


def test_a_definition_tells_names_order_and_expressions_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = definition_of(NAMES)
    assert definition_of(NAMES[::-1]) != before
    assert definition_of(NAMES[:3]) != before
    beneath = [c.name for c in needed_columns(("market_volatility_21",))]
    assert beneath == ["return", "market_return", "market_volatility_21"]
    column = dataclasses.replace(
        needed_columns(NAMES)[0], expression=pl.col("close") / pl.col("close").shift(2) - 1
    )
    assert column.name == "return"
    written = catalogue._written
    changed = {column.name: column}
    monkeypatch.setattr(catalogue, "_BY_NAME", {**catalogue._BY_NAME, **changed})
    written.cache_clear()
    try:
        assert definition_of(NAMES) != before
    finally:
        monkeypatch.undo()
        written.cache_clear()
    assert definition_of(NAMES) == before


def test_a_panel_without_prices_gives_nothing_known_rather_than_nothing() -> None:
    sessions = tuple(dt.date(2020, 1, 1) + dt.timedelta(days=i) for i in range(30))
    closes = np.full((30, 2), np.nan)
    closes[:, 0] = np.linspace(1.0, 2.0, 30)
    panel = Panel(symbols=("A", "B"), sessions=sessions, close=closes, periods_per_year=252)
    frame = feature_frame(panel, NAMES)
    assert set(frame["symbol"]) == {"A"}
    assert frame["market_volatility_21"].null_count() == 30
    assert frame["rank_momentum_63"].null_count() == 30
    assert frame["momentum_21"].null_count() == 21


def test_prices_that_do_not_move_leave_no_infinity_behind() -> None:
    sessions = tuple(dt.date(2018, 1, 1) + dt.timedelta(days=i) for i in range(520))
    flat = np.full((520, 3), 7.3)
    panel = Panel(
        symbols=("A", "B", "C"), sessions=sessions, close=flat, open=flat, high=flat, low=flat,
        volume=np.zeros((520, 3)), periods_per_year=252,
    )  # fmt: skip
    names = tuple(each.name for each in FEATURES)
    frame = feature_frame(panel, names)
    assert fingerprint(frame) == fingerprint(feature_frame(panel, names))
    last = frame.tail(3).select(names).to_numpy().astype(float)
    assert not np.isinf(last).any()
    undefined = {"z_score_20", "trend_fit_63", "skewness_63", "beta_252", "volume_z_21"}
    undefined |= {"stochastic_14", "amihud_21", "volatility_ratio_5_63", "average_correlation_63"}
    unknown = {name for name, value in zip(names, last[0], strict=True) if np.isnan(value)}
    assert undefined <= unknown
    assert frame["momentum_252"].tail(3).to_list() == [0.0, 0.0, 0.0]
    assert frame["volatility_21"].tail(3).to_list() == pytest.approx([0.0] * 3, abs=1e-12)


def test_needs_say_which_columns() -> None:
    assert feature("stochastic_14").need is FeatureNeed.RANGE
    assert feature("reversal_5_x_volume_5_63").need is FeatureNeed.VOLUME
