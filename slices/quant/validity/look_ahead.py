"""The look-ahead probe: change the future, decide again, and see whether the past changed.

A rule that decides by what is known decides the same whatever comes later. So its decisions are
made again on panels that end at a cut or go on differently after it, and every decision up to the
cut must stay. A rule that looks ahead on few sessions only would slip between the cuts; `scouting`
finds where to cut for it. What the probe cannot see is a rule that brings its knowledge of the
future along instead of taking it from the panel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.errors import BadDataError, TradingError
from slices.domain.verdicts import Leak, LeakFinding, LookAheadProbe
from slices.quant.panel import Panel
from slices.quant.types import BoolArray, FloatArray, IntArray
from slices.quant.validity.fill_audit import audit_fills
from slices.quant.validity.futures import Future, with_future
from slices.quant.validity.scouting import scouting
from slices.quant.validity.universe import probe_universe

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["audit_fills", "probe_decisions", "probe_universe"]

TOLERANCE = 1e-9
"""Sums over more rows may be taken in another order, which changes their last digits."""

ENOUGH_SESSIONS = 2000
"""Panels with fewer are scouted more often: each round changes fewer bars, and takes less time."""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A rule, the panel it is probed on, and what it decides there."""

    decide: Callable[[Panel], FloatArray]
    panel: Panel
    base: FloatArray

    def differences(self, other: Panel) -> BoolArray | None:
        """Mark the decisions that another panel changes, over the sessions it has.

        None where the rule refuses that panel, which says nothing about what it uses.
        """
        try:
            decisions = decided(self.decide, other)
        except TradingError:
            return None
        return changes(decisions, self.base[: decisions.shape[0]])


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A decision that another future changed.

    Attributes:
        row: Its session.
        column: Its symbol.
        count: How many decisions changed up to the cut.
        known: Sessions before the cut.
        cut: Makes the panel with that future after so many known sessions.
        future: What became of the bars after the cut.
    """

    row: int
    column: int
    count: int
    known: int
    cut: Callable[[int], Panel]
    future: Future


def probe_decisions(
    decide: Callable[[Panel], FloatArray], panel: Panel, *, cuts: int = 8, seed: int = 0
) -> LookAheadProbe:
    """Find out whether decisions use bars that were not known yet.

    The rule is asked twice for the same decisions, then at each of the cuts with the bars after it
    cut off, multiplied by noise, shuffled, and removed for half of the symbols, and then where
    scouting suspects it: up to 8 times `cuts` in all, 20 times in panels of few sessions. Decisions
    up to the cut must stay, to 1e-9. Of rules that look ahead on one session in a hundred it finds
    more than nine in ten; of those that do so for one symbol of twenty, a third.

    Args:
        decide: From a panel to T x N decisions, row t made at the close of session t. A
            `TradingError` it raises on a changed panel means that this future says nothing.
        panel: T sessions x N symbols.
        cuts: Places where the future is changed, spread over the sessions after the first
            decision; the last but one session is always among them.
        seed: Of places and noise.

    Returns:
        The cuts at which decisions could be compared, and a finding that names the first decision
        that changed and how far ahead it looked; or that the same input gave other decisions.

    Raises:
        BadDataError: Where decisions do not have the shape of the panel.
    """
    rule = _Rule(decide=decide, panel=panel, base=decided(decide, panel))
    again = changes(decided(decide, panel), rule.base)
    if again.any():
        return LookAheadProbe(cuts=(), findings=(_unrepeatable(panel, again),))
    compared: list[int] = []
    found: list[_Change] = []
    for row in cut_rows(rule.base, cuts=cuts, seed=seed):
        answers = list(_answers(rule, int(row) + 1, seed))
        compared += [int(row)] if answers else []
        found += [each for each in answers if each is not None]
    rounds = cuts * min(max(ENOUGH_SESSIONS // max(len(panel.sessions), 1), 1), 4)
    found = found or list(_scouted(rule, rounds=rounds, seed=seed))
    return LookAheadProbe(
        cuts=tuple(panel.sessions[row] for row in compared),
        findings=(_finding(rule, found),) if found else (),
    )


def decided(decide: Callable[[Panel], FloatArray], panel: Panel) -> FloatArray:
    """Ask a rule for its decisions and check their shape."""
    decisions = np.array(decide(panel), dtype=np.float64)
    if decisions.shape != panel.close.shape:
        raise BadDataError(
            dataset="decisions",
            problem=f"found shape {decisions.shape}, needed {panel.close.shape} as of the panel",
        )
    return decisions


def changes(first: FloatArray, second: FloatArray) -> BoolArray:
    """Mark decisions that differ by more than 1e-9; two NaN are alike.

    >>> changes(np.array([0.5, np.nan, 1.0]), np.array([0.5, np.nan, 0.0])).tolist()
    [False, False, True]
    """
    both_missing = np.isnan(first) & np.isnan(second)
    return np.asarray(~(both_missing | (np.abs(first - second) <= TOLERANCE)), dtype=np.bool_)


def cut_rows(decisions: FloatArray, *, cuts: int, seed: int) -> IntArray:
    """Choose the last known session of each cut, after the first decision that is not flat.

    Every other one lies where a decision changes, for there the next bar matters most.
    """
    last = decisions.shape[0] - 2
    if last < 0 or cuts < 1:
        return np.empty(0, dtype=np.int64)
    random = np.random.default_rng(seed)
    active = np.flatnonzero((np.nan_to_num(decisions) != 0).any(axis=1))
    first = min(int(active[0]), last) if active.size else 0
    rows = np.linspace(first, last, cuts).astype(np.int64)
    rows[:-1] += random.integers(0, np.maximum(np.diff(rows), 1))
    moves = 1 + np.flatnonzero(changes(decisions[1:-1], decisions[:-2]).any(axis=1))
    if moves.size:
        rows[:-1:2] = moves[np.searchsorted(moves, rows[:-1:2]) % moves.size]
    return np.unique(rows)


def _answers(rule: _Rule, known: int, seed: int) -> Iterator[_Change | None]:
    """Compare under each future that the rule accepts; a single session cannot be shuffled."""
    left = len(rule.panel.sessions) - known
    for future in (each for each in Future if left > 1 or each is not Future.SHUFFLED):

        def cut(rows: int, future: Future = future) -> Panel:
            return with_future(rule.panel, rows, future, seed=seed)

        differs = rule.differences(cut(known))
        if differs is not None:
            yield _change(differs[:known], cut, future)


def _scouted(rule: _Rule, *, rounds: int, seed: int) -> Iterator[_Change]:
    """Cut where scouting suspects a decision of looking ahead; stop at the first that does."""
    for number in range(rounds):
        round_ = scouting(rule.panel, number=number, seed=seed)
        try:
            decisions = decided(rule.decide, round_.other)
        except TradingError:
            continue
        for row in round_.suspects(rule.base, decisions):
            differs = rule.differences(round_.cut(int(row) + 1))
            change = (
                None if differs is None else _change(differs[: row + 1], round_.cut, Future.NOISE)
            )
            if change is not None:
                yield change
                return


def _change(differs: BoolArray, cut: Callable[[int], Panel], future: Future) -> _Change | None:
    if not differs.any():
        return None
    row = int(differs.any(axis=1).argmax())
    return _Change(
        row=row,
        column=int(differs[row].argmax()),
        count=int(differs.sum()),
        known=differs.shape[0],
        cut=cut,
        future=future,
    )


def _finding(rule: _Rule, found: list[_Change]) -> LeakFinding:
    """Describe the earliest decision that changed."""
    first = min(found, key=lambda each: each.row)
    sessions, symbol = rule.panel.sessions, rule.panel.symbols[first.column]
    ahead = _sessions_ahead(rule, first)
    more = f" and {first.count - 1:,} more decisions" if first.count > 1 else ""
    end = ", to the last bar" if 1 < ahead == len(sessions) - 1 - first.row else ""
    return LeakFinding(
        leak=Leak.FUTURE_BARS,
        session=sessions[first.row],
        detail=f"the decision for {symbol} on {sessions[first.row]}{more} changed when the bars "
        f"after {sessions[first.known - 1]} were {first.future.value}; it uses bars up to "
        f"{ahead:,} session{'' if ahead == 1 else 's'} ahead{end}.",
    )


def _sessions_ahead(rule: _Rule, change: _Change) -> int:
    """Search for the fewest later sessions that, put back, make the decision what it was."""

    def is_restored(ahead: int) -> bool:
        differs = rule.differences(change.cut(change.row + ahead + 1))
        return differs is not None and not differs[change.row, change.column]

    low = change.known - 1 - change.row
    high = len(rule.panel.sessions) - 1 - change.row
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_restored(middle) else (middle, high)
    return high


def _unrepeatable(panel: Panel, differs: BoolArray) -> LeakFinding:
    row = int(differs.any(axis=1).argmax())
    symbol = panel.symbols[int(differs[row].argmax())]
    return LeakFinding(
        leak=Leak.NOT_REPEATABLE,
        session=panel.sessions[row],
        detail=f"asked again with the same bars it decided otherwise, first for {symbol} on "
        f"{panel.sessions[row]}; a rule that draws numbers needs a seed.",
    )
