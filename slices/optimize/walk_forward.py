"""Walk-forward: parameters chosen on one window, traded on the next, again and again.

A choice is made at the close of the last session it knows, by the best neighbourhood on its window,
and its decisions count from that close on. It is made among points that were set before any was
scored: points that scores over the whole history have led to would bring the future along. What the
accounts held before is held until a decision differs, so a change of parameters costs what it
trades.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.backtests import TargetWeights
from slices.domain.errors import InfeasibleError, InsufficientHistoryError
from slices.domain.studies import DEFAULT_WINDOWS, Fold, SearchSurface, ValidationWindows
from slices.domain.verdicts import LookAheadProbe
from slices.optimize.lattice import lattice_of
from slices.optimize.trials import Trials, scores
from slices.quant.panel import read_panel
from slices.quant.signals.catalogue import strategy
from slices.quant.signals.strategy import changes
from slices.quant.validity.look_ahead import probe_decisions

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.quant.panel import Panel
    from slices.quant.types import FloatArray, IntArray

WALK_FORWARD = "Walk-forward"
HINDSIGHT = "Best in hindsight"
RECOMMENDED = "Plateau's centre"


def walk_forward(
    bars: DatasetRef, trials: Trials, *, windows: ValidationWindows = DEFAULT_WINDOWS
) -> tuple[Fold, ...]:
    """Choose parameters on each window in turn.

    Args:
        bars: What the trials were made on.
        trials: Of points that were set before any was scored.
        windows: Rounded to whole blocks of the study, at least one.

    Returns:
        One fold per choice, in order; the last may be shorter.

    Raises:
        InsufficientHistoryError: Where there are fewer than two.
        InfeasibleError: Where every trial had lost everything before a choice.
    """
    sessions = read_panel(bars).sessions
    rows = trials.plan.first + block_ends(trials)
    lattice = lattice_of(trials.plan, trials.points)
    folds = []
    for known, traded in spans(trials, windows):
        own = scores(trials, known)
        chosen = lattice.best_trial(own)
        if chosen is None:
            raise InfeasibleError(
                problem=f"no trial has a Sharpe ratio before {sessions[rows[known.stop]]}"
            )
        folds.append(
            Fold(
                in_sample_first=sessions[rows[known.start] + 1],
                decided=sessions[rows[known.stop]],
                out_of_sample_last=sessions[rows[traded.stop]],
                trial=chosen,
                parameters=trials.plan.space.values(trials.points[chosen].tolist()),
                in_sample_sharpe=float(lattice.at_trials(lattice.smoothed(own))[chosen]),
                out_of_sample_sharpe=float(scores(trials, traded)[chosen]),
            )
        )
    return tuple(folds)


def block_ends(trials: Trials) -> IntArray:
    """Return B + 1 sessions of the accounts: where the first block begins and where each ends."""
    ends = np.cumsum(trials.sweep.block_lengths)
    return np.concatenate([[0], ends]).astype(np.int64)


def spans(trials: Trials, windows: ValidationWindows) -> list[tuple[slice, slice]]:
    """Return the blocks each choice knows and those it is traded on.

    Raises:
        InsufficientHistoryError: Where there are fewer than two choices.
    """
    length, blocks = trials.plan.block_sessions, trials.sweep.block_lengths.size
    inside = max(1, round(windows.in_sample_sessions / length))
    outside = max(1, round(windows.out_of_sample_sessions / length))
    found = [
        (slice(0 if windows.anchored else start - inside, start), slice(start, start + outside))
        for start in range(inside, blocks, outside)
    ]
    if len(found) < 2:
        raise InsufficientHistoryError(
            symbol=trials.plan.space.strategy.value,
            needed=trials.plan.first + 1 + (inside + 2 * outside) * length,
            found=trials.plan.first + 1 + int(trials.sweep.block_lengths.sum()),
        )
    return [(known, slice(traded.start, min(traded.stop, blocks))) for known, traded in found]


def candidates(
    bars: DatasetRef,
    trials: Trials,
    *,
    validation: Trials,
    folds: tuple[Fold, ...],
    surface: SearchSurface,
) -> tuple[TargetWeights, ...]:
    """Return what to compare: the walk-forward, the best in hindsight, the plateau's centre.

    All begin where the first choice was made. The walk-forward's choices saw none of what they are
    judged on, so it is one trial; the others were picked from all of them with hindsight. The
    walk-forward's decisions are probed for look-ahead, with its choices as they are; a probe of
    those picked with hindsight would be clean and say nothing, so there is none.

    Args:
        bars: What the trials were made on.
        trials: All of them.
        validation: Those the folds chose among.
        folds: The choices.
        surface: The best trial, and the plateau where there is one.
    """
    panel, first = read_panel(bars), folds[0].decided
    choices = tuple((each.decided, each.trial) for each in folds)
    walked = Stitched(study=validation, choices=choices)
    picked = {HINDSIGHT: surface.best, RECOMMENDED: surface.plateau.centre}
    return (
        _targets(
            panel,
            walked,
            WALK_FORWARD,
            trials=1,
            probe=probe_decisions(walked.weights, panel, seed=trials.plan.seed),
        ),
        *(
            _targets(
                panel,
                Stitched(study=trials, choices=((first, each.number),)),
                label,
                trials=len(trials.points),
                probe=LookAheadProbe(cuts=()),
            )
            for label, each in picked.items()
            if each is not None
        ),
    )


def _targets(
    panel: Panel, rule: Stitched, label: str, *, trials: int, probe: LookAheadProbe
) -> TargetWeights:
    first = panel.sessions.index(rule.choices[0][0])
    return TargetWeights(
        label=label,
        symbols=panel.symbols,
        sessions=panel.sessions[first:],
        weights=changes(rule.weights(panel)[first:]),
        first_session=panel.sessions[first],
        trials=trials,
        probe=probe,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Stitched:
    """One rule out of several sets of parameters, each in force from a session on.

    Attributes:
        study: The trials they were chosen from.
        choices: Session of the choice and number of the trial, in order of time.
    """

    study: Trials
    choices: tuple[tuple[dt.date, int], ...]

    def weights(self, panel: Panel) -> FloatArray:
        """Return T x N target weights; none before the first choice."""
        plan = self.study.plan
        rule = strategy(plan.space.strategy)
        numbers = sorted({number for _, number in self.choices})
        known = dict(
            zip(numbers, plan.space.configurations(self.study.points[numbers]), strict=True)
        )
        stitched = np.zeros(panel.close.shape)
        for session, number in self.choices:
            start = bisect_left(panel.sessions, session)
            stitched[start:] = rule.target_weights(panel, known[number])[start:]
        return stitched
