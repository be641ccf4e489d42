"""Search by a tree-structured Parzen estimator: each batch of trials learns from those before.

Every trial is written to a journal on disk before the next begins. A study that was killed goes on
from there: what was suggested is not suggested again, what was tried is not tried again, and as the
random numbers of a suggestion depend on its number alone, it ends where it would have ended.
"""

from __future__ import annotations

import fcntl
import math
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from slices.domain.fingerprint import fingerprint
from slices.optimize.trials import TrialBatch, tried
from slices.quant.panel import read_panel
from slices.runtime.artifacts import ProgressBar
from slices.runtime.settings import load_settings
from slices.runtime.sources import library_versions, slice_digest

if TYPE_CHECKING:
    from pathlib import Path

    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.storages import JournalStorage

    from slices.domain.dataset import DatasetRef
    from slices.optimize.plan import SearchPlan
    from slices.optimize.space import Space
    from slices.quant.signals.search import SearchDimension
    from slices.quant.simulation.sweeps import Sweep
    from slices.quant.types import FloatArray

BATCH = 20
"""Suggestions made before the first of them is tried."""

MOST_SUGGESTIONS = 3
"""Suggestions per trial wanted after which the search is taken as settled: it repeats itself."""

Point = tuple[float, ...]
Score = Callable[[Point], float]


def search_by_tpe(bars: DatasetRef, *, plan: SearchPlan) -> TrialBatch:
    """Let a Parzen estimator choose what to try; go on where an earlier run was stopped.

    Args:
        bars: The symbols.
        plan: Of the study; its key is in the name of its journal.

    Returns:
        The trials in the order in which they were suggested.
    """
    panel = read_panel(bars)

    def sweep_of(points: FloatArray) -> Sweep:
        return tried(
            panel, points, space=plan.space, costs=plan.costs, capital=plan.capital,
            first=plan.first, block_sessions=plan.block_sessions,
        )  # fmt: skip

    def score(point: Point) -> float:
        return searchable(sweep_of(np.array([point])))

    points = suggested(
        plan.space,
        score,
        trials=plan.asked,
        seed=plan.seed,
        journal=journal_of(plan.key),
    )
    return TrialBatch(points=points, sweep=sweep_of(points))


def journal_of(study: str) -> Path:
    """Return the file of a study's trials; other code or libraries begin another one."""
    made_with = fingerprint(slice_digest(__name__), library_versions())
    return load_settings().studies_folder / f"{study}-{made_with[:12]}.journal"


def searchable(found: Sweep) -> float:
    """Return the Sharpe ratio of a single trial: 0 where idle, minus infinity where ruined."""
    if not np.isfinite(found.block_squares).all():
        return -math.inf
    ratio = float(found.sharpe_ratio[0])
    return ratio if math.isfinite(ratio) else 0.0


def suggested(space: Space, score: Score, *, trials: int, seed: int, journal: Path) -> FloatArray:
    """Search until there are enough distinct allowed points.

    Args:
        space: What is varied.
        score: What is to be large, asked once for each point, ever.
        trials: Points wanted.
        seed: Of the suggestions; each depends on it, its number and the trials before it.
        journal: File that keeps the study; an existing one is continued.

    Returns:
        C x D points in the order in which they were first suggested.
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    search = _Search(space, _opened(journal), trials=trials, seed=seed)
    bar = ProgressBar("optimization-search", "Trials suggested and made")
    while not search.is_done:
        search.fill_batch()
        search.make_waiting(score)
        bar.show(len(search.known) / trials)
    return np.array(list(search.known), dtype=np.float64).reshape(-1, len(space.dimensions))


class _Search:
    """A study in progress, with what its journal knows."""

    def __init__(self, space: Space, study: optuna.Study, *, trials: int, seed: int) -> None:
        self.space = space
        self.study = study
        self.trials = trials
        self.seed = seed
        self.known: dict[Point, float] = {}
        for each in self.study.get_trials(deepcopy=False):
            if each.value is not None:
                self.known.setdefault(self._point(each.params), each.value)

    @property
    def is_done(self) -> bool:
        """Whether there are enough trials, or suggestions repeat themselves."""
        suggestions = len(self.study.get_trials(deepcopy=False))
        return len(self.known) >= self.trials or suggestions >= MOST_SUGGESTIONS * self.trials

    def fill_batch(self) -> None:
        """Suggest until a whole batch waits; one that was cut off is completed."""
        from optuna.samplers import TPESampler

        made = len(self.study.get_trials(deepcopy=False))
        if self._waiting() and made % BATCH == 0:
            return
        spaces = {each.name: _distribution(each) for each in self.space.dimensions}
        for number in range(made, (made // BATCH + 1) * BATCH):
            own = np.random.SeedSequence((self.seed, number)).generate_state(1)
            self.study.sampler = TPESampler(
                seed=int(own[0]), n_startup_trials=max(BATCH, self.trials // 20)
            )
            self.study.ask(spaces)

    def make_waiting(self, score: Score) -> None:
        """Make every suggested trial that was not made yet, one at a time."""
        from optuna.trial import TrialState

        for each in self._waiting():
            if not self._is_whole(each):
                self.study.tell(each.number, state=TrialState.FAIL)
                continue
            point = self._point(each.params)
            if len(self.known) >= self.trials:
                return
            if self.space.parameters(point) is None:
                self.study.tell(each.number, state=TrialState.PRUNED)
                continue
            if point not in self.known:
                self.known[point] = score(point)
            self.study.tell(each.number, self.known[point])

    def _waiting(self) -> list[optuna.trial.FrozenTrial]:
        """List what was suggested and not made yet."""
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _is_whole(self, trial: optuna.trial.FrozenTrial) -> bool:
        """Tell whether every value was suggested before a run was interrupted."""
        return {each.name for each in self.space.dimensions} <= set(trial.params)

    def _point(self, values: dict[str, float | str]) -> Point:
        return tuple(
            float(each.choices.index(str(values[each.name])))
            if each.choices
            else float(values[each.name])
            for each in self.space.dimensions
        )


def _distribution(dimension: SearchDimension) -> BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    if dimension.integer:
        step = int(dimension.step or 1)
        return IntDistribution(int(dimension.low), int(dimension.high), step=step)
    return FloatDistribution(dimension.low, dimension.high, step=dimension.step)


def _opened(journal: Path) -> optuna.Study:
    """Open or begin the study in a journal."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        study_name=journal.stem, storage=_storage(journal), direction="maximize",
        load_if_exists=True,
    )  # fmt: skip


def _storage(journal: Path) -> JournalStorage:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    class KernelLock(JournalFileOpenLock):
        """A lock of the operating system, which does not outlive a killed process."""

        def __init__(self) -> None:
            self.descriptor = -1

        def acquire(self) -> bool:
            self.descriptor = os.open(journal.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
            return True

        def release(self) -> None:
            os.close(self.descriptor)

    return JournalStorage(JournalFileBackend(str(journal), lock_obj=KernelLock()))
