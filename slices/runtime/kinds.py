"""The four kinds of task: what may be cached, repeated and run at once.

======= =========================== ======================================== ==================
kind    meaning                     cache                                    retries
======= =========================== ======================================== ==================
fetch   reads the outside world     by inputs and what the source has        3, if `retryable`
compute depends on inputs alone     by content and source code               0
train   compute, heavy and tracked  by content and source code               0
act     changes the outside world   never                                    0
======= =========================== ======================================== ==================

A kind is applied to a slice's own function, `run = compute(module.run)`, so that the function's
module says which sources the result depends on.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE, CachePolicy
from prefect.context import FlowRunContext
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff
from prefect.utilities.annotations import quote

from slices.domain.errors import TradingError
from slices.domain.fingerprint import fingerprint
from slices.runtime.deadline import deadline
from slices.runtime.locks import KernelLocks
from slices.runtime.progress import expected_runs, progress_finished, progress_started
from slices.runtime.results import CheckedText, ResultFolder
from slices.runtime.settings import load_settings
from slices.runtime.sources import library_versions, slice_digest

if TYPE_CHECKING:
    from prefect.client.schemas import TaskRun
    from prefect.client.schemas.objects import State
    from prefect.context import TaskRunContext

P = ParamSpec("P")
R = TypeVar("R")

Kind = Literal["fetch", "compute", "train", "act"]
RETRIES = 3
TRAINING_TIMEOUT_SECONDS = 4 * 3600.0


@dataclass
class ContentPolicy(CachePolicy):
    """Equal code, libraries and inputs give an equal key, in every process.

    Attributes:
        name: Qualified name of the function.
        code: Digest of the sources it was imported from; what is edited later is not what runs.
        version: For a fetch, what of the outside world the answer depends on, asked with the
            task's own arguments; a changed answer is a new key, so the old result has expired.
    """

    name: str = ""
    code: str = ""
    version: Callable[..., str] | None = field(default=None)

    def compute_key(
        self,
        task_ctx: TaskRunContext,  # noqa: ARG002 - given by Prefect
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002 - given by Prefect
        **kwargs: Any,  # noqa: ARG002 - given by Prefect
    ) -> str:
        """Digest everything the result depends on."""
        world = self.version(**inputs) if self.version else ""
        digest = fingerprint(self.code, library_versions(), inputs, world)
        return f"{self.name}-{digest}"


class CountedTask(Task[P, R]):
    """A task that says how many runs of it were ordered at once, for whoever shows progress.

    Prefect looks for futures inside every argument, several times a run; where there can be none,
    in this project's own values, it is told not to: that took most of the time of a cached run.
    The mark that says so is a tuple, which Dask takes apart, so what travels there has none.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run now; see Prefect."""
        return super().__call__(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Order a run; see Prefect."""
        if not _runs_here():
            return super().submit(*args, **kwargs)
        return super().submit(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})

    def map(self, *args: Any, **kwargs: Any) -> Any:
        """Order a run for each value; see Prefect."""
        ordered = super().map(*args, **kwargs)
        expected_runs[self.name] = expected_runs.get(self.name, 0) + len(ordered)
        return ordered


def _runs_here() -> bool:
    """Tell whether ordered tasks run in threads of this process."""
    run = FlowRunContext.get()
    return run is None or isinstance(run.task_runner, ThreadPoolTaskRunner)


def plain(argument: Any) -> Any:
    """Mark an argument that holds no future, so that Prefect does not look through it."""
    return quote(argument) if _is_value(argument) else argument


def _is_value(argument: Any) -> bool:
    if isinstance(argument, list | tuple):
        return bool(argument) and all(map(_is_value, argument))
    return dataclasses.is_dataclass(argument) and type(argument).__module__.startswith("slices.")


def task_name(run: Callable[..., object]) -> str:
    """Name a task by slice and verb.

    >>> def holdings_risk(): ...
    >>> holdings_risk.__module__ = "slices.analyze.holdings"
    >>> task_name(holdings_risk)
    'analyze.holdings_risk'
    """
    return f"{run.__module__.split('.')[1]}.{run.__name__}"


def is_retryable(_task: object, _task_run: TaskRun, state: State[Any]) -> bool:
    """Tell whether the error of a failed attempt says that trying again may help."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TradingError) and error.retryable


def _task(run: Callable[P, R], kind: Kind, **options: Any) -> Task[P, R]:
    made = CountedTask(
        run,
        name=task_name(run),
        description=(run.__doc__ or "").strip().partition("\n")[0],
        tags=[f"kind:{kind}", *options.pop("tags", ())],
        persist_result=kind != "act",
        result_serializer=CheckedText(),
        on_running=[progress_started],
        on_completion=[progress_finished],
        on_failure=[progress_finished],
        **options,
    )
    # Given as an option it would have to be registered with a server, at import.
    made.result_storage = ResultFolder(basepath=str(load_settings().results_folder))
    return made


def _content(
    run: Callable[..., object], version: Callable[..., str] | None = None
) -> ContentPolicy:
    return ContentPolicy(
        name=task_name(run),
        code=slice_digest(run.__module__),
        version=version,
        isolation_level="SERIALIZABLE",
        lock_manager=KernelLocks(load_settings().locks_folder),
    )


def fetch(run: Callable[P, R], *, version: Callable[..., str]) -> Task[P, R]:
    """Make a task that reads the outside world and is tried again where that may help."""
    return _task(
        run,
        "fetch",
        cache_policy=_content(run, version),
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=1),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_retryable,
    )


def compute(run: Callable[P, R], *, run_name: str | None = None) -> Task[P, R]:
    """Make a task whose result depends on its inputs alone.

    Args:
        run: The slice's own function.
        run_name: Name of each run, with the task's arguments in braces, to tell mapped runs apart.
    """
    return _task(run, "compute", cache_policy=_content(run), task_run_name=run_name)


def train(run: Callable[P, R]) -> Task[P, R]:
    """Make a heavy compute task, limited in number by the tag `training` and in time.

    Where it takes longer than four hours its process is ended.
    """
    bounded = _bounded(run, lambda: TRAINING_TIMEOUT_SECONDS)
    return _task(bounded, "train", cache_policy=_content(run), tags=["training"])


def act(run: Callable[P, R]) -> Task[P, R]:
    """Make a task that changes the outside world: never cached, never repeated.

    Where it takes longer than `TRADEFLOWS_ACT_TIMEOUT_SECONDS` its process is ended.
    """
    bounded = _bounded(run, lambda: load_settings().act_timeout_seconds)
    return _task(bounded, "act", cache_policy=NO_CACHE, retries=0)


def _bounded(run: Callable[P, R], seconds: Callable[[], float]) -> Callable[P, R]:
    """End the process of a function that takes too long; a thread cannot be interrupted."""

    @functools.wraps(run)
    def bounded(*args: P.args, **kwargs: P.kwargs) -> R:
        with deadline(task_name(run), seconds=seconds()):
            return run(*args, **kwargs)

    return bounded
