"""Fills that could not have happened, and those that could."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from slices.domain.errors import BadDataError, ParameterError
from slices.domain.verdicts import Leak
from slices.quant.panel import Panel
from slices.quant.simulation.account import FillReason, Fills
from slices.quant.validity.look_ahead import audit_fills, probe_decisions, probe_universe
from tests.support.frames import sessions

OPEN, HIGH, LOW, CLOSE = 100.0, 104.0, 95.0, 102.0


class Account:
    """As much of a simulation as an audit looks at."""

    def __init__(self, fills: Fills) -> None:
        self.fills = fills


def bars(count: int = 6, *, with_opens: bool = True) -> Panel:
    level = np.arange(count, dtype=float)[:, None] * np.array([1.0, 10.0])
    prices = {"open": level + OPEN, "high": level + HIGH, "low": level + LOW}
    return Panel(
        symbols=("AAA", "BBB"),
        sessions=tuple(sessions(count)),
        close=level + CLOSE,
        periods_per_year=252,
        **(prices if with_opens else {}),
    )


def account(*fills: tuple[int, float, float, FillReason], decided: int | None = None) -> Account:
    """Fills of the first symbol: session, quantity, price above the session's level, reason."""
    rows = np.array([row for row, *_ in fills], dtype=np.int64)
    zeros = np.zeros(rows.size)
    return Account(
        Fills(
            rows=rows,
            columns=np.zeros(rows.size, dtype=np.int64),
            quantities=np.array([quantity for _, quantity, _, _ in fills]),
            prices=np.array([price + row for row, _, price, _ in fills]),
            commissions=zeros,
            spreads=zeros,
            impacts=zeros,
            reasons=np.array([reason for *_, reason in fills], dtype=np.int64),
            orders=np.full(rows.size, -1),
            decided=rows - 1 if decided is None else np.full(rows.size, decided),
        )
    )


def found(simulation: Account, panel: Panel, **options: np.ndarray) -> list[Leak]:
    return [each.leak for each in audit_fills(simulation, panel, **options)]


@pytest.mark.parametrize(
    ("fill", "leak"),
    [
        pytest.param((2, 1, LOW, FillReason.TARGET), Leak.CHOSEN_PRICE, id="at_the_low"),
        pytest.param((2, -1, HIGH, FillReason.MARKET), Leak.CHOSEN_PRICE, id="at_the_high"),
        pytest.param((2, -1, CLOSE, FillReason.TIME_LIMIT), Leak.CHOSEN_PRICE, id="at_the_close"),
        pytest.param((2, 1, 94.0, FillReason.LIMIT), Leak.PRICE_OUTSIDE_BAR, id="below_the_bar"),
        pytest.param((2, -1, 105.0, FillReason.TAKE_PROFIT), Leak.PRICE_OUTSIDE_BAR, id="above_it"),
        pytest.param((2, -1, 101.0, FillReason.STOP_LOSS), Leak.BETTER_THAN_STOP, id="stop_loss"),
        pytest.param((2, -1, 103.0, FillReason.TRAILING_STOP), Leak.BETTER_THAN_STOP, id="trail"),
        pytest.param((2, 1, 99.0, FillReason.STOP), Leak.BETTER_THAN_STOP, id="stop_to_buy"),
        pytest.param((2, -1, 103.0, FillReason.DELISTING), Leak.CHOSEN_PRICE, id="delisting"),
    ],
)
def test_an_impossible_fill_is_found(
    fill: tuple[int, float, float, FillReason], leak: Leak
) -> None:
    panel = bars()
    findings = audit_fills(account(fill), panel)
    assert [each.leak for each in findings] == [leak]
    assert findings[0].session == panel.sessions[2]
    assert "AAA" in findings[0].detail


@pytest.mark.parametrize("decided", [2, 3])
def test_a_fill_on_the_bar_of_its_decision_is_found(decided: int) -> None:
    simulation = account((2, 1, OPEN, FillReason.TARGET), decided=decided)
    assert found(simulation, bars()) == [Leak.SAME_BAR_FILL]


@pytest.mark.parametrize(
    "fill",
    [
        (2, 1, OPEN, FillReason.TARGET),
        (2, -1, OPEN, FillReason.TIME_LIMIT),
        (2, -1, OPEN, FillReason.STOP_LOSS),
        (2, -1, 96.0, FillReason.STOP_LOSS),
        (2, 1, 103.0, FillReason.STOP),
        (2, 1, 97.0, FillReason.LIMIT),
        (2, -1, 103.0, FillReason.TAKE_PROFIT),
        (2, -1, CLOSE, FillReason.DELISTING),
    ],
)
def test_a_possible_fill_is_not_accused(fill: tuple[int, float, float, FillReason]) -> None:
    assert audit_fills(account(fill), bars()) == ()


@pytest.mark.parametrize(
    ("fill", "level", "leaks"),
    [
        ((2, -1, 98.0, FillReason.STOP_LOSS), 97.0, [Leak.BETTER_THAN_STOP]),
        ((2, -1, 97.0, FillReason.STOP_LOSS), 97.0, []),
        ((2, 1, 101.0, FillReason.STOP), 102.0, [Leak.BETTER_THAN_STOP]),
        ((2, 1, 96.0, FillReason.LIMIT), 98.0, [Leak.BETTER_THAN_STOP]),
        ((2, 1, 98.0, FillReason.LIMIT), 98.0, []),
        ((2, -1, OPEN, FillReason.TAKE_PROFIT), 98.0, []),
        ((2, -1, 103.0, FillReason.TAKE_PROFIT), 101.0, [Leak.BETTER_THAN_STOP]),
        ((2, -1, 97.0, FillReason.STOP_LOSS), np.nan, []),
    ],
)
def test_a_fill_is_held_against_its_level(
    fill: tuple[int, float, float, FillReason], level: float, leaks: list[Leak]
) -> None:
    assert found(account(fill), bars(), levels=np.array([level + 2])) == leaks


def test_a_stop_of_a_position_entered_within_the_session_is_not_bound_by_the_open() -> None:
    simulation = account((2, 1, 103.0, FillReason.STOP), (2, -1, 101.0, FillReason.STOP_LOSS))
    assert found(simulation, bars()) == []
    assert found(simulation, bars(), levels=np.array([105.0, 102.0])) == [Leak.BETTER_THAN_STOP]


def test_where_there_are_closes_alone_every_fill_is_at_the_close() -> None:
    panel = bars(with_opens=False)
    assert found(account((2, 1, CLOSE, FillReason.TARGET)), panel) == []
    assert found(account((2, 1, OPEN, FillReason.TARGET)), panel) == [Leak.PRICE_OUTSIDE_BAR]


def test_a_fill_without_a_bar_is_found_and_a_delisting_after_it_is_not() -> None:
    panel = bars()
    for values in (panel.close, panel.open, panel.high, panel.low):
        values[3:, 0] = np.nan
    assert found(account((3, 1, OPEN, FillReason.TARGET)), panel) == [Leak.PRICE_OUTSIDE_BAR]
    assert found(account((3, -1, CLOSE - 1, FillReason.DELISTING)), panel) == []


def test_findings_count_the_fills_alike() -> None:
    simulation = account(*((row, 1, LOW, FillReason.TARGET) for row in (1, 2, 4)))
    (finding,) = audit_fills(simulation, bars())
    assert "2 other fills" in finding.detail
    assert finding.session == bars().sessions[1]


def test_nothing_traded_is_nothing_found() -> None:
    assert audit_fills(account(), bars()) == ()


def test_fills_that_do_not_belong_to_the_panel_are_refused() -> None:
    simulation = account((7, 1, OPEN, FillReason.TARGET))
    with pytest.raises(BadDataError):
        audit_fills(simulation, bars())
    with pytest.raises(BadDataError):
        audit_fills(account((2, 1, OPEN, FillReason.TARGET)), bars(), levels=np.zeros(2))


def test_decisions_of_another_shape_are_refused() -> None:
    with pytest.raises(BadDataError):
        probe_decisions(lambda panel: panel.close[:, :1], bars())


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_short_panels_can_be_probed(count: int) -> None:
    probe = probe_decisions(lambda panel: np.ones(panel.close.shape), bars(6).until(count))
    assert probe.findings == ()
    assert len(probe.cuts) == max(0, count - 1)


def test_a_choice_before_the_first_session_is_refused() -> None:
    panel = bars().between(2, 6)
    with pytest.raises(ParameterError):
        probe_universe(lambda each: each.symbols, panel, first_session=bars().sessions[0])


def test_a_choice_that_draws_without_a_seed_is_reported() -> None:
    turns = itertools.cycle((("AAA",), ("BBB",)))
    probe = probe_universe(lambda panel: next(turns), bars(), first_session=bars().sessions[2])
    assert [each.leak for each in probe.findings] == [Leak.NOT_REPEATABLE]


def test_a_rule_that_refuses_changed_bars_is_compared_with_none() -> None:
    panel = bars(40)

    def decide(each: Panel) -> np.ndarray:
        if not np.array_equal(each.close, panel.close):
            raise BadDataError(dataset="bars", problem="not the ones that were given")
        return each.close - each.close.mean(axis=0)

    assert probe_decisions(decide, panel).cuts == ()
    assert probe_decisions(decide, panel).findings == ()


def test_a_choice_that_refuses_changed_bars_is_compared_with_none() -> None:
    panel = bars()

    def choose(each: Panel) -> tuple[str, ...]:
        if not np.array_equal(each.close, panel.close):
            raise BadDataError(dataset="bars", problem="not the ones that were given")
        return each.symbols

    assert probe_universe(choose, panel, first_session=panel.sessions[2]).cuts == ()


def test_a_choice_that_leaves_out_what_will_fall_is_found() -> None:
    """Nothing is chosen in place of it once the future is another."""
    panel = bars()

    def choose(each: Panel) -> tuple[str, ...]:
        return each.symbols[: 1 if len(each.sessions) == 6 else 2]

    (finding,) = probe_universe(choose, panel, first_session=panel.sessions[2]).findings
    assert "BBB chosen" in finding.detail
