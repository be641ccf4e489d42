"""`tradeflows run`: one flow, here and now, with progress on stderr and the answer on stdout."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from flows.cli.catalogue import flow_entries
from flows.cli.exits import Exit, exit_code
from flows.cli.output import print_json, print_line, report_error
from flows.cli.server import prefect_api
from slices.domain.errors import ParameterError, TradingError
from slices.runtime.environment import check_home

if TYPE_CHECKING:
    from slices.domain.results import FlowResult
    from slices.runtime.workflow import Workflow

CONSOLE_LEVEL = "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"
"""Prefect's own variable for the terminal alone; the log that the server keeps stays complete."""


def load_flow(name: str | None) -> Workflow[..., Any]:
    """Import a flow by its name.

    Raises:
        ParameterError: Where there is no such flow, listing those there are.
    """
    entries = {entry.name: entry for entry in flow_entries()}
    plain = (name or "").replace("-", "_")
    if plain not in entries:
        raise ParameterError(
            parameter="FLOW", found=repr(name) if name else "nothing", allowed=", ".join(entries)
        )
    module = importlib.import_module(entries[plain].module)
    flow: Workflow[..., Any] = getattr(module, plain)
    return flow


def run_flow(name: str | None, words: list[str], *, as_json: bool, verbose: bool) -> Exit:
    """Check the words, run the flow, print its result."""
    os.environ.setdefault(CONSOLE_LEVEL, "INFO" if verbose else "CRITICAL")
    check_home()
    flow = load_flow(name)
    from flows.cli.options import build_parser, given_parameters
    from flows.cli.progress import shown_progress

    chosen = build_parser(flow.fn.__name__, flow).parse_args(words)
    parameters = flow.validate_parameters(given_parameters(flow, chosen))
    with shown_progress(flow.fn.__name__), prefect_api():
        state = flow(**parameters, return_state=True)
    if not state.is_completed():
        return _failed(state, as_json=as_json)
    return _done(state, as_json=as_json)


def _done(state: Any, *, as_json: bool) -> Exit:  # noqa: ANN401 - a Prefect state
    result: FlowResult = state.result()
    code = Exit.DEGRADED if result.caveats else Exit.OK
    if as_json:
        print_json({"state": state.name, "exit_code": code.value, "result": result.to_dict()})
    else:
        print_line(repr(result))
    sys.stdout.flush()
    return code


def _failed(state: Any, *, as_json: bool) -> Exit:  # noqa: ANN401 - a Prefect state
    error = state.result(raise_on_failure=False)
    if not isinstance(error, BaseException):
        error = RuntimeError(f"the run ended as {state.name}: {state.message}")
    if not isinstance(error, TradingError):
        first_line = str(error).partition("\n")[0]
        error = RuntimeError(f"{type(error).__name__}: {first_line} (--verbose shows the log)")
    return report_error(error, exit_code(error), as_json=as_json)
