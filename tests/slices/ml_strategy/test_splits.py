"""Splits in time: what is trained on knows nothing of what is tested."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from purgedcv import CombinatorialPurgedCV as OracleCV

from slices.domain.errors import InsufficientHistoryError, ParameterError
from slices.domain.learning import Fold, LabelSettings, SplitSettings
from slices.ml_strategy.examples import Examples
from slices.ml_strategy.leaks.structure import check_folds, overlaps
from slices.ml_strategy.splits.combinatorial import combinatorial_folds, combinatorial_paths
from slices.ml_strategy.splits.walk_forward import rows_of, walk_forward_folds

labels = st.builds(
    LabelSettings, horizon_sessions=st.integers(1, 12), entry_lag_sessions=st.integers(1, 3)
)
plans = st.builds(
    SplitSettings,
    folds=st.integers(2, 8),
    first_train_sessions=st.integers(120, 200),
    train_sessions=st.none() | st.integers(120, 160),
    embargo_sessions=st.integers(0, 20),
)


def stacked(sessions: int, label: LabelSettings, *, symbols: int = 3, seed: int = 0) -> Examples:
    """Examples of a panel with holes, where a symbol lacks a third of its bars."""
    random = np.random.default_rng(seed)
    row, column = np.nonzero(random.random((sessions, symbols)) > 0.33)
    known = row + label.reach < sessions
    first = dt.date(2000, 1, 1)
    return Examples(
        names=("one",),
        symbols=tuple(f"S{i}" for i in range(symbols)),
        sessions=tuple(first + dt.timedelta(days=i) for i in range(sessions)),
        row=row,
        column=column,
        features=np.zeros((row.size, 1), dtype=np.float32),
        label=np.where(known, random.uniform(-0.5, 0.5, row.size), np.nan),
        forward_return=np.where(known, random.normal(0, 0.01, row.size), np.nan),
        first=row + label.entry_lag_sessions,
        last=row + label.reach,
        weight=np.ones(row.size),
        volatility=np.full(row.size, 0.02),
    )


def touches(examples: Examples, train: np.ndarray, test: np.ndarray) -> bool:
    """Compare every label of training with every test, one by one."""
    begins, ends = examples.row[train] + 1, examples.last[train]
    return bool(
        (
            (begins[:, None] <= examples.last[test][None])
            & (ends[:, None] >= examples.row[test][None])
        ).any()
    )


@given(plans, labels, st.integers(0, 300), st.integers(0, 40))
def test_no_label_of_a_walk_forward_touches_a_test(
    plan: SplitSettings, label: LabelSettings, more: int, first: int
) -> None:
    sessions = first + plan.first_train_sessions + plan.folds * label.reach + more
    examples = stacked(sessions, label)
    folds = walk_forward_folds(examples, plan, label=label, first=first)
    check_folds(examples, folds)
    tested = np.concatenate([fold.test for fold in folds])
    np.testing.assert_array_equal(tested, np.arange(first + plan.first_train_sessions, sessions))
    assert np.ptp([fold.test.size for fold in folds]) <= 1
    for fold in folds:
        train, test = rows_of(examples, fold)
        assert not touches(examples, train, test)
        assert examples.is_known[train].all()
        assert (examples.last[train] + plan.embargo_sessions < fold.test[0]).all()
        assert fold.train[0] >= first
        assert plan.train_sessions is None or fold.train.size <= plan.train_sessions
        assert fold.train[-1] + fold.purged + fold.embargoed + 1 == fold.test[0]


@settings(max_examples=25)
@given(st.integers(4, 7), st.integers(2, 3), labels, st.integers(0, 20), st.integers(0, 150))
def test_no_label_of_a_combinatorial_split_touches_a_test(
    blocks: int, tested: int, label: LabelSettings, embargo: int, more: int
) -> None:
    plan = SplitSettings(folds=blocks, embargo_sessions=embargo)
    sessions = blocks * (label.reach + embargo + 2) + more
    examples = stacked(sessions, label)
    folds = combinatorial_folds(examples, plan, label=label, test_blocks=tested)
    assert len(folds) == len(list(combinations(range(blocks), tested)))
    check_folds(examples, folds)
    counts = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=sessions)
    assert np.ptp(counts) == 0
    for fold in folds:
        train, test = rows_of(examples, fold)
        assert not touches(examples, train, test)
        assert np.intersect1d(fold.train, fold.test).size == 0
        assert fold.train.size + fold.test.size + fold.purged + fold.embargoed == sessions


def test_a_combinatorial_split_is_that_of_an_independent_implementation() -> None:
    label, plan = LabelSettings(), SplitSettings(folds=6, embargo_sessions=4)
    sessions = 300
    folds = combinatorial_folds(sessions, plan, label=label)
    times = pd.Series(pd.date_range("2000-01-01", periods=sessions))
    # An hour more, as there what ends when a test begins does not touch it.
    oracle = OracleCV(
        n_splits=6,
        n_test_groups=2,
        prediction_times=times,
        evaluation_times=times + pd.Timedelta(days=label.reach, hours=1),
        purge_horizon=pd.Timedelta(0),
        embargo=pd.Timedelta(days=4),
    )
    others = list(oracle.split(np.zeros((sessions, 1))))
    assert len(folds) == len(others) == 15
    for fold, (train, test) in zip(folds, others, strict=True):
        np.testing.assert_array_equal(fold.test, test)
        np.testing.assert_array_equal(fold.train, train)


def test_paths_take_every_block_once() -> None:
    plan = SplitSettings(folds=6)
    paths = combinatorial_paths(plan)
    folds = combinatorial_folds(600, plan, label=LabelSettings())
    for path in range(5):
        blocks = [
            fold.test.reshape(2, -1)[place]
            for fold, numbers in zip(folds, paths, strict=True)
            for place in np.flatnonzero(numbers == path)
        ]
        np.testing.assert_array_equal(np.sort(np.concatenate(blocks)), np.arange(600))


@given(st.randoms(use_true_random=False))
def test_overlaps_are_those_of_comparing_one_by_one(random) -> None:  # noqa: ANN001
    examples = stacked(60, LabelSettings())
    some = replace(
        examples,
        last=examples.row + np.array([random.randint(1, 9) for _ in range(examples.row.size)]),
    )
    places = list(range(some.row.size))
    random.shuffle(places)
    train, test = (np.sort(np.array(part)) for part in (places[:20], places[20:24]))
    slow = [touches(some, np.array([each]), test) for each in train]
    assert overlaps(some, train, test).tolist() == slow


def test_counting_rows_of_a_stacked_panel_leaks_where_sessions_do_not() -> None:
    from skfolio.model_selection import CombinatorialPurgedCV

    label = LabelSettings()
    examples = stacked(400, label, symbols=10)
    splitter = CombinatorialPurgedCV(
        n_folds=5, n_test_folds=2, purged_size=label.reach, embargo_size=5
    )
    leaked = sum(
        int(overlaps(examples, train[examples.is_known[train]], np.concatenate(tests)).sum())
        for train, tests in splitter.split(np.zeros((examples.row.size, 1)))
    )
    assert leaked > 100
    plan = SplitSettings(folds=5)
    for fold in combinatorial_folds(examples, plan, label=label):
        assert not overlaps(examples, *rows_of(examples, fold)).any()


def test_splits_do_not_depend_on_how_rows_are_stacked() -> None:
    examples = stacked(300, LabelSettings())
    plan = SplitSettings(folds=3, first_train_sessions=150)
    mixed = examples.chosen(np.random.default_rng(1).permutation(examples.row.size))
    for one, other in zip(
        walk_forward_folds(examples, plan, label=LabelSettings()),
        walk_forward_folds(mixed, plan, label=LabelSettings()),
        strict=True,
    ):
        train, again = rows_of(examples, one)[0], rows_of(mixed, other)[0]
        keys = [
            set(zip(e.row[p], e.column[p], strict=True))
            for e, p in ((examples, train), (mixed, again))
        ]
        assert keys[0] == keys[1]


def test_too_little_history_is_refused() -> None:
    label = LabelSettings()
    with pytest.raises(InsufficientHistoryError) as raised:
        walk_forward_folds(1300, SplitSettings(), label=label)
    assert (raised.value.needed, raised.value.found) == (1308, 1300)
    with pytest.raises(InsufficientHistoryError):
        walk_forward_folds(1308, SplitSettings(), label=label, first=1)
    plan = SplitSettings(first_train_sessions=120, embargo_sessions=120)
    with pytest.raises(InsufficientHistoryError):
        walk_forward_folds(2000, plan, label=label)
    with pytest.raises(InsufficientHistoryError):
        combinatorial_folds(60, SplitSettings(folds=6), label=label)
    with pytest.raises(ParameterError):
        combinatorial_folds(600, SplitSettings(folds=3), label=label, test_blocks=3)


def test_a_test_is_scored_where_its_label_is_not_known_yet() -> None:
    label = LabelSettings()
    examples = stacked(200, label)
    last = walk_forward_folds(
        examples, SplitSettings(folds=2, first_train_sessions=150), label=label
    )[-1]
    train, test = rows_of(examples, last)
    assert not examples.is_known[test].all()
    everything = Fold(number=1, train=np.arange(200), test=last.test, purged=0, embargoed=0)
    assert examples.is_known[rows_of(examples, everything)[0]].all()
    assert train.size
