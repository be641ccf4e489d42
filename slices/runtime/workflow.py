"""The flow decorator: parameters are checked before a run exists, results say what is missing."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, get_type_hints

import pydantic
from prefect import Flow
from prefect.client.schemas import State
from prefect.states import Completed
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from slices.domain.errors import ParameterError, SettingsError
from slices.domain.results import CLOSED, FlowResult
from slices.runtime.closed import closed_day
from slices.runtime.results import CheckedText, unmarked
from slices.runtime.settings import Settings, load_settings

P = ParamSpec("P")
R = TypeVar("R", bound=FlowResult)

DEGRADED = "Degraded"
LONGEST_VALUE = 80
PHRASES = {
    "too_short": "at least {min_length} values",
    "too_long": "at most {max_length} values",
    "date_from_datetime_parsing": "a date written YYYY-MM-DD ({error})",
    "date_parsing": "a date written YYYY-MM-DD",
    "extra_forbidden": "a parameter this flow has",
    "missing": "a value, because it has no default",
}
Check = Callable[[dict[str, Any]], None]


def parameter_model(run: Callable[..., object]) -> type[pydantic.BaseModel]:
    """Build the model of a function's parameters; unknown names are refused."""
    hints = get_type_hints(run, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if each.default is inspect.Parameter.empty else each.default)
        for name, each in inspect.signature(run).parameters.items()
    }
    config = pydantic.ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, validate_default=True
    )
    return pydantic.create_model(f"{run.__name__}_parameters", __config__=config, **fields)


def described(invalid: pydantic.ValidationError) -> ParameterError:
    """Turn the first problem of a validation into one readable line."""
    first = invalid.errors()[0]
    phrase = PHRASES.get(first["type"])
    plain = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    unknown = first["type"] == "extra_forbidden"
    return ParameterError(
        parameter=".".join(str(part) for part in first["loc"]) or "parameters",
        found="an unknown parameter" if unknown else _shortened(repr(first["input"])),
        allowed=phrase.format(**first.get("ctx", {})) if phrase else plain[:1].lower() + plain[1:],
    )


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 3]}..."


def check_period(parameters: dict[str, Any]) -> None:
    """Check that `start` lies before `end` where both are given."""
    start, end = parameters.get("start"), parameters.get("end")
    if start is not None and end is not None and start >= end:
        raise ParameterError(parameter="start", found=str(start), allowed=f"a date before {end}")


def check_feed(parameters: dict[str, Any]) -> None:
    """Check that files are named where bars come from files."""
    if parameters.get("source") == "files" and not parameters.get("feed"):
        raise ParameterError(
            parameter="feed", found="nothing", allowed="a file or folder, with source 'files'"
        )


def runner(settings: Settings) -> TaskRunner[Any]:
    """Choose where parallel tasks run; of processes there are no more than cores.

    Raises:
        SettingsError: Dask is wanted and has no address, or is not installed.
    """
    match settings.task_runner:
        case "threads":
            return ThreadPoolTaskRunner(max_workers=settings.max_workers)
        case "processes":
            most = min(settings.max_workers, os.cpu_count() or 1)
            return ProcessPoolTaskRunner(max_workers=most)
        case "dask":
            return _dask_runner(settings.dask_address)


def _dask_runner(address: str) -> TaskRunner[Any]:
    if not address:
        raise SettingsError(
            setting="TRADEFLOWS_DASK_ADDRESS", found="nothing", needed="a scheduler's address"
        )
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # an extra, for this setting only
    except ModuleNotFoundError:
        raise SettingsError(
            setting="TRADEFLOWS_TASK_RUNNER", found="dask", needed="pip install 'tradeflows[dask]'"
        ) from None
    return DaskTaskRunner(address=address)


class Workflow(Flow[P, R]):
    """A Prefect flow that refuses bad parameters before a run is created.

    A result with caveats ends its run in the completed state "Degraded", which lists them. What a
    schedule orders for a day of trading ends at once as "Closed" where there is no trading.

    Prefect looks for futures inside every result, number by number. There are none in this
    project's own, so they are handed to it marked as not to be looked through. Calling the flow
    takes the mark off again; its bare function `fn` does not.
    """

    def __init__(
        self, fn: Callable[P, R], *, checks: tuple[Check, ...] = (), **options: Any
    ) -> None:
        @functools.wraps(fn)
        def concluded(*args: P.args, **kwargs: P.kwargs) -> Any:
            if closed := closed_day():
                return Completed(name=CLOSED, message=closed)
            # Two threads that import it first at once may end in KeyError: 'scipy'.
            importlib.import_module("scipy")
            result = fn(*args, **kwargs)
            if result.caveats:
                message = "; ".join(result.caveats)
                return Completed(name=DEGRADED, message=message, data=quote(result))
            return quote(result)

        super().__init__(concluded, **options)
        self.checks: tuple[Check, ...] = (check_period, check_feed, *checks)
        self.model = parameter_model(fn)

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Check and convert parameters.

        Raises:
            ParameterError: Naming the first bad parameter, what was found and what is allowed.
        """
        try:
            model = self.model(**parameters)
        except pydantic.ValidationError as invalid:
            raise described(invalid) from None
        checked = {name: getattr(model, name) for name in type(model).model_fields}
        for check in self.checks:
            check(checked)
        return checked

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the parameters, then run the flow."""
        options = {k: kwargs.pop(k) for k in ("return_state", "wait_for") if k in kwargs}
        given = inspect.signature(self.fn).bind_partial(*args).arguments | kwargs
        ended: Any = super().__call__(**self.validate_parameters(given), **options)
        kept: Any = ended.data if isinstance(ended, State) else None
        if isinstance(getattr(kept, "result", None), quote):
            kept.result = unmarked(kept.result)
        return unmarked(ended)


def workflow(*checks: Check) -> Callable[[Callable[P, R]], Workflow[P, R]]:
    """Make a function a workflow.

    Args:
        *checks: Functions of all parameters that raise `ParameterError` where values do not fit
            together.
    """

    def made(fn: Callable[P, R]) -> Workflow[P, R]:
        settings = load_settings()
        return Workflow(
            fn,
            checks=checks,
            name=fn.__name__.replace("_", "-"),
            task_runner=runner(settings),
            persist_result=True,
            result_storage=settings.results_folder,
            result_serializer=CheckedText(),
        )

    return made
