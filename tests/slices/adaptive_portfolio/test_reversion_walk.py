from __future__ import annotations

import dataclasses
import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slices.adaptive_portfolio.mean_reversion.evidence import (
    adf_p_values,
    adf_statistics,
    half_lives,
)
from slices.adaptive_portfolio.mean_reversion.judging import end_summaries, reversion_evidence
from slices.adaptive_portfolio.mean_reversion.kernels import EXIT, STOP, TIME, ending, episodes
from slices.adaptive_portfolio.mean_reversion.sizing import position_weights
from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule, log_spreads
from slices.adaptive_portfolio.mean_reversion.walk import (
    decided,
    passing,
    selection_dates,
    walk_reversion,
)
from slices.adaptive_portfolio.walking import rows_of
from slices.domain.backtests import Trade
from slices.domain.errors import InsufficientHistoryError
from slices.domain.factor_portfolios import EpisodeEnd, ReversionEpisode
from slices.domain.portfolio import Allocator
from tests.slices.adaptive_portfolio.factor_panels import (
    another_future,
    factor_panel,
    made_panel,
    us_panel,
    with_gaps,
)
from tests.slices.quant.market import us_dataset

EAGER = ReversionRule(
    evidence_sessions=126, window_sessions=20, largest_p_value=0.5, longest_half_life=100.0
)
LEVELS = np.array([2.0, 0.5, 4.0])


def stepped(
    scores: list[float],
    *,
    candidates: list[bool] | None = None,
    most: int = 100,
    shorting: bool = False,
) -> tuple[list[int], list[int]]:
    column = np.array(scores)[:, None]
    marks = np.ones(column.shape, np.bool_) if candidates is None else np.array(candidates)[:, None]
    positions, ends = episodes(column, marks, LEVELS, most, shorting)
    plain = episodes.py_func(column, marks, LEVELS, most, shorting)
    assert np.array_equal(plain, (positions, ends))
    return positions[:, 0].tolist(), ends[:, 0].tolist()


@given(
    stretch=st.floats(-6, 6) | st.just(math.nan), held=st.integers(0, 12), most=st.integers(1, 10)
)
def test_the_compiled_levels_are_the_plain_ones(stretch: float, held: int, most: int) -> None:
    given_levels = (stretch, held, 0.5, 4.0, most)
    assert ending(*given_levels) == ending.py_func(*given_levels)


def test_a_stretched_spread_is_taken_and_let_go_when_it_has_come_back() -> None:
    positions, ends = stepped([-1.9, -2.1, -3.0, -0.6, -0.4, -0.4])
    assert positions == [0, 1, 1, 1, 0, 0]
    assert ends == [0, 0, 0, 0, EXIT, 0]


def test_a_level_that_is_only_touched_is_not_crossed() -> None:
    assert stepped([-2.0, -2.0 * (1 + 1e-14)])[0] == [0, 0]
    assert stepped([-2.5, -4.0, -0.5, -0.5 + 1e-14])[0] == [1, 1, 1, 1]


def test_a_stop_ends_it_and_is_not_followed_by_the_same_trade() -> None:
    positions, ends = stepped([-2.1, -4.1, -3.0, -2.5, -1.9, -2.2, -0.1])
    assert positions == [1, 0, 0, 0, 0, 1, 0]
    assert ends == [0, STOP, 0, 0, 0, 0, EXIT]


def test_what_is_beyond_the_stop_is_not_taken() -> None:
    assert stepped([-4.5, -5.0, -3.9])[0] == [0, 0, 1]


def test_nothing_is_held_longer_than_allowed() -> None:
    positions, ends = stepped([-2.1, -2.2, -2.3, -2.4, -2.5], most=3)
    assert positions == [1, 1, 1, 0, 0]
    assert ends == [0, 0, 0, TIME, 0]


def test_the_stop_comes_before_the_time() -> None:
    assert stepped([-2.1, -2.2, -4.4], most=2)[1] == [0, 0, STOP]


def test_without_a_score_only_time_lets_go() -> None:
    gone = math.nan
    positions, ends = stepped([-2.1, gone, gone, -0.1])
    assert positions == [1, 1, 1, 0]
    positions, ends = stepped([-2.1, gone, gone, gone, -2.2], most=2)
    assert positions == [1, 1, 0, 0, 0]
    assert ends[2] == TIME


def test_only_candidates_are_taken_but_others_are_not_thrown_out() -> None:
    scores = [-2.1, -2.2, -2.3, -0.1]
    assert stepped(scores, candidates=[False, True, False, False])[0] == [0, 1, 1, 0]


def test_spreads_above_the_mean_are_sold_short_only_where_asked() -> None:
    scores = [2.5, 1.0, 0.4, 2.5, 4.2]
    assert stepped(scores)[0] == [0, 0, 0, 0, 0]
    positions, ends = stepped(scores, shorting=True)
    assert positions == [-1, -1, 0, -1, 0]
    assert ends == [0, 0, EXIT, 0, STOP]


@given(
    scores=st.lists(st.floats(-6, 6) | st.just(math.nan), min_size=1, max_size=60),
    most=st.integers(1, 10),
)
def test_shorts_mirror_longs_and_obey_every_limit(scores: list[float], most: int) -> None:
    positions, ends = stepped(scores, most=most, shorting=True)
    mirrored, mirrored_ends = stepped([-each for each in scores], most=most, shorting=True)
    assert mirrored == [-each for each in positions]
    assert mirrored_ends == ends
    length = 0
    for position, score in zip(positions, scores, strict=True):
        length = length + 1 if position else 0
        assert length <= most
        if position and not math.isnan(score):
            assert -position * score <= 4.0 * (1 + 1e-12)
            assert -position * score >= 0.5 - 1e-12


@pytest.mark.parametrize("spread", ["residual", "log_price"])
@pytest.mark.parametrize("change", ["cut", "noise"])
def test_no_decision_looks_ahead(change: str, spread: str) -> None:
    panel = with_gaps(factor_panel())
    rule = dataclasses.replace(EAGER, spread=spread, shorting=True)
    dates = selection_dates(panel, rule, "monthly")
    whole = decided(panel, rule, dates).weights
    for known in (250, 333, 480, 655):
        other = panel.until(known) if change == "cut" else another_future(panel, known)
        again = decided(other, rule, dates).weights[:known]
        assert np.array_equal(again, whole[:known], equal_nan=True)
    assert (np.nan_to_num(whole) != 0).sum() > 20


def test_permuted_symbols_get_permuted_decisions() -> None:
    panel = with_gaps(factor_panel())
    order = np.random.default_rng(5).permutation(8)
    dates = selection_dates(panel, EAGER, "monthly")
    weights = decided(panel, EAGER, dates).weights
    found = decided(panel.columns(order.tolist()), EAGER, dates).weights
    assert np.allclose(found, weights[:, order], atol=1e-9, equal_nan=True)


def test_candidates_are_those_whose_evidence_passes_at_the_newest_selection() -> None:
    panel = with_gaps(us_panel(900, 6))
    rule = ReversionRule(largest_p_value=0.3, longest_half_life=60.0)
    spreads = log_spreads(panel.close, rule.spread)
    rows = rows_of(panel, selection_dates(panel, rule, "monthly"))
    marks = passing(panel, spreads, rule, rows)
    assert not marks[: rows[0]].any()
    for row, until in zip(rows, (*rows[1:], 900), strict=True):
        assert (marks[row:until] == marks[row]).all()
        for at in range(6):
            window = spreads[row - 252 : row + 1, at]
            if not np.isfinite(panel.close[row - 252 : row + 1, at]).all():
                assert not marks[row, at]
                continue
            half_life = half_lives(window[None])[0][0]
            p_value = adf_p_values(adf_statistics(window[None]))[0]
            assert marks[row, at] == (2 <= half_life <= 60 and p_value <= 0.3)
    assert marks.any()
    assert not marks.all()


def test_positions_are_weighed_once_and_left_alone() -> None:
    panel = us_panel(400, 4)
    positions = np.zeros((400, 4), np.int64)
    positions[300:340, 0] = 1
    positions[310:330, 1] = 1
    rule = dataclasses.replace(EAGER, largest_weight=0.3)
    weights, reasons = position_weights(panel, rule, positions)
    assert reasons == ()
    decisions = np.argwhere(np.isfinite(weights)).tolist()
    assert decisions == [[300, 0], [310, 1], [330, 1], [340, 0]]
    assert weights[[300, 310], [0, 1]] == pytest.approx(0.3)
    assert weights[[330, 340], [1, 0]].tolist() == [0.0, 0.0]


def test_many_positions_share_the_exposure_by_the_allocator() -> None:
    panel = us_panel(400, 4)
    positions = np.zeros((400, 4), np.int64)
    positions[300:] = [1, 1, -1, 0]
    weights, _ = position_weights(panel, dataclasses.replace(EAGER, largest_weight=0.6), positions)
    held = weights[300]
    assert np.isnan(held[3])
    returns = panel.close[175:301, :3] / panel.close[174:300, :3] - 1
    inverse = 1 / returns.std(axis=0, ddof=1)
    assert np.abs(held[:3]) == pytest.approx(inverse / inverse.sum())
    assert np.sign(held[:3]).tolist() == [1, 1, -1]


def test_min_variance_knows_that_a_short_hedges_a_long() -> None:
    random = np.random.default_rng(1)
    market = random.normal(0, 0.01, (300, 1))
    own = random.normal(0, 0.002, (300, 3))
    panel = made_panel(100 * np.cumprod(1 + market + own, axis=0))
    positions = np.zeros((300, 3), np.int64)
    positions[200:] = [1, 1, -1]
    rule = dataclasses.replace(EAGER, allocator=Allocator.MIN_VARIANCE, largest_weight=1.0)
    held = position_weights(panel, rule, positions)[0][200]
    assert held[2] == pytest.approx(-0.5, abs=0.05)
    assert held[:2].sum() == pytest.approx(0.5, abs=0.05)


def test_an_allocator_without_an_answer_keeps_what_is_held_and_still_sells() -> None:
    closes = us_panel(400, 3).close.copy()
    closes[:, 1] = 50.0
    positions = np.zeros((400, 3), np.int64)
    positions[300:350, 0] = 1
    positions[310:360, 1] = 1
    weights, reasons = position_weights(made_panel(closes), EAGER, positions)
    assert len(reasons) == 2
    assert weights[300, 0] == pytest.approx(0.2)
    assert weights[350, 0] == 0.0
    assert np.isnan(weights[:, 1]).all()


def test_a_position_with_a_hole_in_its_window_keeps_its_weight() -> None:
    panel = us_panel(400, 3)
    closes = panel.close.copy()
    closes[305, 0] = np.nan
    positions = np.zeros((400, 3), np.int64)
    positions[300:, 0] = 1
    positions[310:, 1:] = 1
    rule = dataclasses.replace(EAGER, largest_weight=0.6, gross_exposure=1.0)
    weights, _ = position_weights(dataclasses.replace(panel, close=closes), rule, positions)
    assert weights[300, 0] == pytest.approx(0.6)
    assert np.isnan(weights[310, 0])
    assert weights[310, 1:].sum() == pytest.approx(0.4)


def test_episodes_tell_what_was_decided(tmp_path: Path) -> None:
    bars = us_dataset(tmp_path, symbols=8, sessions=900)
    rule = dataclasses.replace(EAGER, shorting=True, stop_z=2.8)
    walk = walk_reversion(bars, rule=rule)
    assert walk.targets.probe.findings == ()
    assert len(walk.targets.probe.cuts) > 0
    assert walk.targets.sessions[0] >= walk.targets.first_session
    assert {each.end for each in walk.episodes} >= {EpisodeEnd.EXIT, EpisodeEnd.STOP}
    for each in walk.episodes:
        assert (each.entry_z < -2) if each.is_long else (each.entry_z > 2)
        assert each.sessions_held <= rule.most_sessions
        stretch = -each.exit_z if each.is_long else each.exit_z
        if each.end is EpisodeEnd.EXIT:
            assert stretch < 0.5
        if each.end is EpisodeEnd.STOP:
            assert stretch > 2.8
        assert (each.decided_out is None) == (each.end is None)
    evidence = reversion_evidence(bars, rule=rule)
    assert tuple(each.symbol for each in evidence) == bars.symbols
    average = sum(each.candidate_share for each in evidence)
    assert average == pytest.approx(walk.average_candidates)


def test_too_short_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InsufficientHistoryError):
        walk_reversion(us_dataset(tmp_path, symbols=3, sessions=170), rule=EAGER)


def episode(symbol: str, day: int, end: EpisodeEnd | None) -> ReversionEpisode:
    return ReversionEpisode(
        symbol=symbol,
        is_long=True,
        decided_in=dt.date(2024, 1, day),
        decided_out=None if end is None else dt.date(2024, 1, day + 3),
        end=end,
        entry_z=-2.5,
        exit_z=0.0,
        sessions_held=3,
    )


def trade(symbol: str, day: int, gained: float, *, is_open: bool = False) -> Trade:
    return Trade(
        symbol=symbol,
        is_long=True,
        entry_session=dt.date(2024, 1, day),
        exit_session=None if is_open else dt.date(2024, 1, day + 3),
        sessions_held=3,
        quantity=1.0,
        entry_price=100.0,
        exit_price=100.0 * (1 + gained),
        pnl=100.0 * gained,
        costs=0.0,
        return_on_entry=gained,
        exit_reason="",
    )


def test_trades_are_counted_by_the_end_of_their_own_episode() -> None:
    ends = {
        each.end: each
        for each in end_summaries(
            [
                episode("A", 2, EpisodeEnd.EXIT),
                episode("B", 2, EpisodeEnd.STOP),
                episode("A", 9, EpisodeEnd.EXIT),
                episode("A", 20, None),
            ],
            [trade("A", 3, 0.1), trade("B", 3, -0.2), trade("A", 10, -0.04)],
            [trade("A", 21, 0.01, is_open=True)],
        )
    }
    assert ends[EpisodeEnd.EXIT].trades == 2
    assert ends[EpisodeEnd.EXIT].average_return == pytest.approx(0.03)
    assert ends[EpisodeEnd.EXIT].hit_rate == 0.5
    assert ends[EpisodeEnd.STOP].pnl == pytest.approx(-20)
    assert ends[EpisodeEnd.TIME].trades == 0
    assert math.isnan(ends[EpisodeEnd.TIME].average_return)
    assert ends[None].trades == 1
