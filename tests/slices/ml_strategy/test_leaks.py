"""Leaks are named: of features, of labels among them, and of splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from slices.domain.errors import BadDataError, ParameterError
from slices.domain.learning import DEFAULT_LABEL, Fold, SplitSettings
from slices.domain.learning_errors import LeakageError
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.features.building import build_features, feature_frame
from slices.ml_strategy.features.catalogue import FEATURES
from slices.ml_strategy.labels.joining import examples_from
from slices.ml_strategy.leaks.features import check_features, newest
from slices.ml_strategy.leaks.labels import check_examples, label_copies
from slices.ml_strategy.leaks.levels import level_leaks
from slices.ml_strategy.leaks.probing import leaking_features, probe_features
from slices.ml_strategy.leaks.structure import check_folds, check_rows
from slices.ml_strategy.splits.walk_forward import walk_forward_folds
from slices.quant.panel import Panel, read_panel
from tests.slices.backtest.market import embedded
from tests.slices.ml_strategy.leaky_features import HONEST, LEAKY, Values, builder, frame_of, later
from tests.slices.quant.market import us_closes, us_dataset

SPLITS = SplitSettings(folds=4, first_train_sessions=120)


def real(sessions: int, *, symbols: int = 20) -> Panel:
    dates, names, closes = us_closes()
    panel = Panel(symbols=names, sessions=dates, close=closes.copy(), periods_per_year=252)
    return newest(panel, sessions=sessions, symbols=symbols)


def holed(panel: Panel) -> Panel:
    """The panel without one bar in twenty, and without the first and last hundred of two names."""
    closes = panel.close.copy()
    closes[np.random.default_rng(5).random(closes.shape) < 0.05] = np.nan
    closes[:100, 0], closes[-100:, 1] = np.nan, np.nan
    return replace(panel, close=closes)


@pytest.fixture(scope="module")
def examples() -> Examples:
    panel = real(400)
    return examples_from(panel, frame_of(panel, {"momentum_5": HONEST["momentum_5"]}))


@pytest.mark.parametrize("name", sorted(LEAKY))
def test_a_leak_is_named_among_honest_features(name: str) -> None:
    build = builder(**HONEST, **{name: LEAKY[name]})
    assert [each.name for each in leaking_features(build, real(700, symbols=8))] == [name]


@pytest.mark.parametrize("change", [lambda panel: panel, holed])
def test_honest_features_raise_no_alarm(change: Callable[[Panel], Panel]) -> None:
    probe = probe_features(builder(**HONEST), change(real(900)), cuts=6, seed=1)
    assert len(HONEST) == 20
    assert probe.leaks == ()
    assert probe.features == tuple(HONEST)
    assert len(probe.cuts) >= 6
    assert probe.cells > 100_000


@pytest.mark.parametrize("seed", range(6))
def test_what_is_filled_backwards_in_holes_is_found_whatever_the_seed(seed: int) -> None:
    build = builder(**HONEST, back_filled=LEAKY["back_filled_holes"])
    found = leaking_features(build, real(700), seed=seed)
    assert [each.name for each in found] == ["back_filled"]


def test_a_finding_says_where() -> None:
    panel = real(300)
    (leak,) = leaking_features(builder(ahead=LEAKY["two_sessions_ahead"]), panel)
    assert leak.session in panel.sessions
    assert leak.symbol in panel.symbols


def test_nothing_is_proven_where_nothing_could_be_computed() -> None:
    whole = real(300)

    def only_whole(panel: Panel) -> pl.DataFrame:
        if len(panel.sessions) < 300 or (panel.close[-1] != whole.close[-1]).any():
            raise ParameterError(parameter="panel", found="another", allowed="the whole one")
        return frame_of(panel, HONEST)

    with pytest.raises(BadDataError):
        probe_features(only_whole, whole)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", lambda panel: panel.close),
        ("logarithm_of_price", lambda panel: np.log(panel.close)),
        ("price_rank", lambda panel: panel.close.argsort(axis=1).argsort(axis=1) * 1.0),
    ],
)
def test_adjusted_price_levels_tell_of_later_splits(name: str, values: Values) -> None:
    panel = real(300)
    assert leaking_features(builder(**{name: values}), panel) == ()
    assert [each.name for each in level_leaks(builder(**HONEST, **{name: values}), panel)] == [name]


@pytest.mark.slow
def test_declared_features_are_honest_on_closes(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=8, sessions=1000)
    names = build_features(bars).names
    proof = check_features(bars, names)
    assert proof.features == names
    assert len(names) >= 80


@pytest.mark.slow
def test_declared_features_are_honest_on_prices_and_volumes() -> None:
    bars = embedded("AAPL", "MSFT", "GOOGL", "IBM", "META")
    names = tuple(each.name for each in FEATURES)
    proof = check_features(bars, names, seed=3)
    assert proof.features == names
    panel = holed_bars(newest(read_panel(bars), sessions=600))
    assert leaking_features(partial(feature_frame, names=names), panel, seed=3) == ()


def holed_bars(panel: Panel) -> Panel:
    gone = np.random.default_rng(5).random(panel.close.shape) < 0.03
    held = {
        name: np.where(gone, np.nan, getattr(panel, name))
        for name in ("open", "high", "low", "close", "volume")
    }
    return replace(panel, **held)


def test_a_walk_forward_passes(examples: Examples) -> None:
    check_folds(examples, walk_forward_folds(examples, SPLITS, label=DEFAULT_LABEL))


def test_a_purge_short_by_one_session_is_refused_by_name(examples: Examples) -> None:
    bare = SplitSettings(folds=4, first_train_sessions=120, embargo_sessions=0)
    honest = walk_forward_folds(examples, bare, label=DEFAULT_LABEL)
    check_folds(examples, honest)
    short = replace(honest[2], train=np.append(honest[2].train, honest[2].train[-1] + 1))
    with pytest.raises(LeakageError) as raised:
        check_folds(examples, (*honest[:2], short, honest[3]))
    assert raised.value.names == ("fold 3",)


def test_shuffled_folds_are_refused_by_name(examples: Examples) -> None:
    order = np.random.default_rng(0).permutation(len(examples.sessions))
    folds = tuple(
        Fold(
            number=number,
            train=np.sort(np.setdiff1d(order, part)),
            test=np.sort(part),
            purged=0,
            embargoed=0,
        )
        for number, part in enumerate(np.array_split(order, 5), start=1)
    )
    with pytest.raises(LeakageError) as raised:
        check_folds(examples, folds)
    assert raised.value.names == ("fold 1",)


def test_splits_that_count_rows_are_refused(examples: Examples) -> None:
    from sklearn.model_selection import TimeSeriesSplit

    train, test = next(iter(TimeSeriesSplit(n_splits=3).split(examples.row)))
    with pytest.raises(LeakageError) as raised:
        check_rows(examples, train, test, name="rows counted")
    assert raised.value.names == ("rows counted",)


@pytest.mark.parametrize(
    "copied",
    [
        lambda panel: later(panel.close, 6) / later(panel.close, 1) - 1.0,
        lambda panel: -np.exp(later(panel.close, 6) / later(panel.close, 1)),
        lambda panel: later(panel.close, 6) / panel.close - 1.0,
    ],
    ids=["label", "monotone", "from today"],
)
def test_labels_among_the_features_are_named(copied: Values) -> None:
    panel = real(400)
    features = frame_of(panel, {**HONEST, "copy": copied})
    with pytest.raises(LeakageError) as raised:
        check_examples(examples_from(panel, features))
    assert raised.value.names == ("copy",)


def test_honest_features_are_no_copies() -> None:
    panel = holed(real(900))
    assert label_copies(examples_from(panel, frame_of(panel, HONEST))) == ()
