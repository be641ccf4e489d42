from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.optimize.lattice import Lattice, lattice_of
from slices.optimize.surface import Region, find_plateau, search_surface
from slices.optimize.trials import Trials
from slices.quant.types import FloatArray
from slices.runtime.codec import decode, encode
from tests.slices.optimize.made_up import grid_points, made_up_trials, noise

SHAPE = (20, 24)


def lattice(*shape: int) -> Lattice:
    points = grid_points(*shape)
    return lattice_of(made_up_trials(noise(len(points), 20), points, shape).plan, points)


def judged(field: FloatArray) -> Region:
    return find_plateau(lattice(*field.shape), field.ravel())


def rough(*shape: int, seed: int = 1) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0, 0.1, shape)


def test_a_planted_plateau_is_found_and_its_middle_recommended() -> None:
    field = rough(*SHAPE)
    field[6:13, 8:19] += 1.0
    region = judged(field)
    assert region.reason == ""
    assert region.centre is not None
    row, column = divmod(region.centre, SHAPE[1])
    assert abs(row - 9) <= 1
    assert abs(column - 13) <= 1
    found = np.argwhere(region.cells)
    assert (found.min(axis=0) >= (6, 8)).all()
    assert (found.max(axis=0) <= (12, 18)).all()


@pytest.mark.parametrize("height", [1.5, 4.0, 20.0])
def test_a_planted_spike_is_rejected(height: float) -> None:
    field = rough(*SHAPE)
    field[11, 12] += height
    region = judged(field)
    assert region.centre is None
    assert region.reason != ""


def test_a_plateau_is_preferred_to_a_higher_spike() -> None:
    field = rough(*SHAPE)
    field[3:9, 3:10] += 0.9
    field[15, 18] = 3.0
    region = judged(field)
    assert region.centre is not None
    row, column = divmod(region.centre, SHAPE[1])
    assert 3 <= row < 9
    assert 3 <= column < 10


def test_of_two_plateaus_only_the_better_one_counts() -> None:
    field = np.zeros(SHAPE)
    field[2:8, 2:8] = 1.0
    field[12:18, 12:20] = 0.97
    cells = judged(field).cells
    assert cells[4, 4]
    assert not cells[12:].any()


def test_where_everything_loses_nothing_is_recommended() -> None:
    region = judged(rough(*SHAPE) - 1.0)
    assert region.centre is None
    assert not region.cells.any()


def test_a_corner_is_not_chosen_for_having_few_neighbours() -> None:
    field = np.full(SHAPE, 0.5)
    field[0, 0] = 5.0
    chosen = lattice(*SHAPE).best_trial(field.ravel())
    assert chosen != 0


@given(
    seed=st.integers(0, 1000),
    shape=st.sampled_from([(9,), (7, 8), (5, 4, 6)]),
    share=st.floats(0.3, 1.0),
)
def test_a_smoothed_score_is_the_mean_over_known_neighbours(
    seed: int, shape: tuple[int, ...], share: float
) -> None:
    random = np.random.default_rng(seed)
    points = grid_points(*shape)
    kept = points[random.random(len(points)) < share]
    if not len(kept):
        return
    scores = random.normal(size=len(kept))
    trials = made_up_trials(noise(len(kept), 20), kept, shape)
    found = lattice_of(trials.plan, kept)
    smoothed = found.at_trials(found.smoothed(scores))
    reach = np.array(found.reach)
    for place in range(len(kept)):
        near = (np.abs(kept - kept[place]) <= reach).all(axis=1)
        assert smoothed[place] == pytest.approx(scores[near].mean(), abs=1e-12)


def test_the_most_central_place_of_a_bent_region_lies_within_it() -> None:
    field = np.zeros(SHAPE)
    field[2:16, 2:5] = 1.0
    field[13:16, 2:18] = 1.0
    grid = lattice(*SHAPE)
    assert field[grid.most_central(field > 0)] == 1.0


def test_points_anywhere_fall_into_cells_with_two_trials_on_average() -> None:
    points = np.unique(np.random.default_rng(0).integers(0, (60, 80), (400, 2)), axis=0)
    trials = made_up_trials(noise(len(points), 20), points.astype(float), (60, 80), is_grid=False)
    found = lattice_of(trials.plan, trials.points)
    assert len(points) / np.prod(found.shape) == pytest.approx(2, rel=0.3)
    middles = np.stack([found.levels[d][found.cells[:, d]] for d in range(2)], axis=1)
    widths = np.array([np.diff(each)[0] for each in found.levels])
    assert (np.abs(points - middles) <= widths / 2 + 1e-9).all()


def steady(means: FloatArray, sessions: int = 300) -> Trials:
    """Trials whose Sharpe ratios are these, one per place of a lattice."""
    wave = np.tile([1.0, -1.0], sessions // 2) * 0.01
    returns = wave + (means.ravel() * 0.01 / np.sqrt(252))[:, None]
    return made_up_trials(returns, grid_points(*means.shape), means.shape)


def test_the_surface_tells_the_peak_from_the_plateau() -> None:
    means = np.zeros((14, 16))
    means[4:10, 5:13] = 1.0
    means[12, 2] = 2.5
    surface = search_surface(steady(means))
    assert dict(surface.best.parameters) == {"a": 12, "b": 2}
    assert not surface.best.in_plateau
    centre = surface.plateau.centre
    assert centre is not None
    assert centre.sharpe_ratio == pytest.approx(1.0, rel=0.01)
    assert all(4 <= dict(each.parameters)["a"] < 10 for each in surface.top[:10])  # type: ignore[operator]
    assert surface.map.values[7][9] == pytest.approx(1.0, rel=0.02)
    assert surface.map.marked_centre in surface.map.marked
    again = decode(encode(surface))
    assert again == surface


def test_without_a_plateau_nothing_is_marked() -> None:
    means = np.full((10, 10), -0.5)
    means[4, 4] = 2.0
    surface = search_surface(steady(means))
    assert surface.plateau.centre is None
    assert surface.map.marked == ()
    assert not any(each.in_plateau for each in surface.top)


def test_a_map_of_many_levels_and_dimensions_stays_readable() -> None:
    means = np.random.default_rng(2).normal(size=(3, 70, 50))
    shown = search_surface(steady(means, sessions=20)).map
    assert len(shown.values) == len(shown.row_labels) <= 24
    assert {len(row) for row in shown.values} == {len(shown.column_labels)}
    assert len(shown.column_labels) <= 26
    assert len(set(shown.column_labels)) == len(shown.column_labels)


def test_one_dimension_is_a_map_of_one_row() -> None:
    shown = search_surface(steady(np.linspace(0.1, 1.0, 12))).map
    assert len(shown.values) == 1
    assert shown.column_labels[0] == "0"
