from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from slices.domain.parameters import DEFAULT_COSTS
from slices.optimize import tpe
from slices.optimize.space import make_space
from slices.optimize.tpe import BATCH, suggested
from slices.optimize.trials import tried
from slices.quant.panel import read_panel
from tests.slices.quant.market import us_dataset

SPACE = make_space("sma_cross")
TRIALS = 60

SLOW_SEARCH = """
import sys, time
from pathlib import Path
from slices.optimize.space import make_space
from slices.optimize.tpe import suggested

journal, made = Path(sys.argv[1]), Path(sys.argv[2])

def score(point):
    with made.open("a") as lines:
        lines.write(f"{point[0]:g} {point[1]:g}\\n")
    time.sleep(0.02)
    return -abs(point[0] - 20) - abs(point[1] - 100) / 4

suggested(make_space("sma_cross"), score, trials=60, seed=5, journal=journal)
"""


def hill(point: tuple[float, ...]) -> float:
    return -abs(point[0] - 20) - abs(point[1] - 100) / 4


class Interrupted(BaseException):
    pass


def test_it_finds_the_top_of_a_hill_better_than_chance(tmp_path: Path) -> None:
    points = suggested(SPACE, hill, trials=120, seed=5, journal=tmp_path / "hill.journal")
    best = max(hill(tuple(each)) for each in points.tolist())
    assert best > -6
    late = np.mean([hill(tuple(each)) for each in points[-40:].tolist()])
    early = np.mean([hill(tuple(each)) for each in points[:20].tolist()])
    assert late > early + 20


def test_points_are_distinct_and_allowed(tmp_path: Path) -> None:
    points = suggested(SPACE, hill, trials=TRIALS, seed=5, journal=tmp_path / "a.journal")
    assert len(np.unique(points, axis=0)) == len(points) == TRIALS
    assert all(SPACE.parameters(each) is not None for each in points.tolist())


@pytest.mark.parametrize("stop", [1, BATCH, BATCH + 7])
def test_an_interrupted_search_ends_where_it_would_have_ended(tmp_path: Path, stop: int) -> None:
    made: list[tuple[float, ...]] = []

    def interrupted(point: tuple[float, ...]) -> float:
        if len(made) == stop:
            raise Interrupted
        made.append(point)
        return hill(point)

    def counted(point: tuple[float, ...]) -> float:
        made.append(point)
        return hill(point)

    whole = suggested(SPACE, hill, trials=TRIALS, seed=5, journal=tmp_path / "whole.journal")
    with pytest.raises(Interrupted):
        suggested(SPACE, interrupted, trials=TRIALS, seed=5, journal=tmp_path / "cut.journal")
    resumed = suggested(SPACE, counted, trials=TRIALS, seed=5, journal=tmp_path / "cut.journal")
    assert np.array_equal(whole, resumed)
    assert len(made) == len(set(made)) == TRIALS


@pytest.mark.slow
def test_a_killed_search_goes_on_and_repeats_nothing_that_was_kept(tmp_path: Path) -> None:
    journal, made = tmp_path / "killed.journal", tmp_path / "made.txt"
    words = [sys.executable, "-c", SLOW_SEARCH, str(journal), str(made)]
    with subprocess.Popen(words) as process:
        deadline = time.monotonic() + 60
        while not made.exists() or made.read_text().count("\n") < BATCH + 5:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    before = made.read_text().splitlines()
    subprocess.run(words, check=True, timeout=60)
    after = made.read_text().splitlines()
    assert BATCH + 5 <= len(before) < TRIALS
    # Only the trial that was being made when the kill came can be made a second time.
    assert len(after) - len(set(after)) <= 1
    assert set(before) - set(after[len(before) :]) >= set(before[:-1])
    whole = suggested(SPACE, hill, trials=TRIALS, seed=5, journal=tmp_path / "whole.journal")
    assert set(after) == {f"{fast:g} {slow:g}" for fast, slow in whole.tolist()}


def test_a_space_that_is_used_up_ends_the_search(tmp_path: Path) -> None:
    small = make_space("sma_cross", ranges={"fast": (2, 3), "slow": (5, 6)})
    points = suggested(small, hill, trials=10, seed=1, journal=tmp_path / "small.journal")
    assert sorted(map(tuple, points.tolist())) == [(2, 5), (2, 6), (3, 5), (3, 6)]


def test_words_and_fractions_can_be_searched(tmp_path: Path) -> None:
    space = make_space("rsi_reversal")
    points = suggested(
        space, lambda point: -abs(point[1] - 30), trials=30, seed=2, journal=tmp_path / "r.journal"
    )
    assert len(points) == 30
    for values, each in zip(points.T, space.dimensions, strict=True):
        assert values.min() >= each.low
        assert values.max() <= each.high


def test_suggested_points_can_be_tried(tmp_path: Path) -> None:
    panel = read_panel(us_dataset(tmp_path, symbols=1, sessions=700))
    points = suggested(SPACE, hill, trials=25, seed=1, journal=tmp_path / "t.journal")
    found = tried(
        panel, points, space=SPACE, costs=DEFAULT_COSTS, capital=1e5, first=399, block_sessions=21
    )
    assert np.isfinite(found.final_equity).all()


@pytest.mark.parametrize("changed", ["slice_digest", "library_versions"])
def test_other_code_or_libraries_begin_another_journal(
    monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    before = tpe.journal_of("study")
    assert tpe.journal_of("study") == before
    assert tpe.journal_of("other") != before
    monkeypatch.setattr(tpe, changed, lambda *_: "changed")
    assert tpe.journal_of("study") != before


def test_a_suggestion_that_was_cut_off_is_dropped_and_the_search_goes_on(tmp_path: Path) -> None:
    space, journal = make_space("sma_cross"), tmp_path / "cut.journal"

    def score(point: tuple[float, ...]) -> float:
        return -abs(point[0] - 20.0)

    suggested(space, score, trials=25, seed=3, journal=journal)
    tpe._opened(journal).ask()
    points = suggested(space, score, trials=40, seed=3, journal=journal)
    assert len({tuple(each) for each in points.tolist()}) == len(points) == 40
