"""The command line: `tradeflows`.

Nothing heavy is imported until a command needs it, so that help and lists appear at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from flows.cli.catalogue import flow_names
from flows.cli.dashboard_words import add_dashboard_commands
from flows.cli.exits import EXIT_CODES, Exit, exit_code
from flows.cli.model_words import add_models_command
from flows.cli.output import note, report_error
from flows.cli.trading import add_trading_commands
from flows.cli.watch_words import add_watch_commands
from slices.domain.errors import TradingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _list(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.catalogue import show_list

    return show_list(as_json=arguments.json)


def _run(arguments: argparse.Namespace, rest: list[str]) -> Exit:
    if arguments.flow is None and {"-h", "--help"} & set(rest):
        return _list(arguments, rest)
    from flows.cli.run import run_flow

    return run_flow(arguments.flow, rest, as_json=arguments.json, verbose=arguments.verbose)


def _status(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.status import show_status

    return show_status(last=arguments.last, as_json=arguments.json, is_watching=arguments.watch)


def _dashboard(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.dashboard import run_dashboard

    return run_dashboard(port=arguments.port)


def _doctor(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.doctor import show_checks

    return show_checks(as_json=arguments.json)


def _environment(_arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.environment import show_environment

    return show_environment()


def _clean(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.clean import show_cleaned

    return show_cleaned(older_than_days=arguments.older_than_days, as_json=arguments.json)


def _halt(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.halt import show_halted

    return show_halted(account=arguments.account, reason=arguments.reason, as_json=arguments.json)


def _release(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.release import show_released

    return show_released(
        account=arguments.account,
        mode=arguments.mode,
        reason=arguments.reason,
        as_json=arguments.json,
    )


def _journal(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.journal import show_entries, show_verified

    if arguments.action == "verify":
        return show_verified(mode=arguments.mode, as_json=arguments.json)
    return show_entries(
        account=arguments.account,
        mode=arguments.mode,
        last=arguments.last,
        as_json=arguments.json,
    )


def _explain(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.explain import show_explained

    return show_explained(arguments.order_id, as_json=arguments.json)


def _accounts(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.accounts import show_accounts

    return show_accounts(as_json=arguments.json)


def _live_check(arguments: argparse.Namespace, rest: list[str]) -> Exit:
    from flows.cli.live_check import show_live_check

    return show_live_check(rest, as_json=arguments.json)


def _models(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.models import run_models

    return run_models(arguments)


def _watch(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.watch import run_watch

    return run_watch(once=arguments.once, as_json=arguments.json)


def _alerts(arguments: argparse.Namespace, _rest: list[str]) -> Exit:
    from flows.cli.alerts import run_alerts

    return run_alerts(arguments)


TAKES_MORE = frozenset({"run", "live-check"})
"""Commands that read the rest of the words themselves."""

COMMANDS: dict[str, Callable[[argparse.Namespace, list[str]], Exit]] = {
    "list": _list,
    "run": _run,
    "status": _status,
    "dashboard": _dashboard,
    "doctor": _doctor,
    "clean": _clean,
    "environment": _environment,
    "halt": _halt,
    "release": _release,
    "journal": _journal,
    "explain": _explain,
    "accounts": _accounts,
    "live-check": _live_check,
    "models": _models,
    "watch": _watch,
    "alerts": _alerts,
}


def _parser() -> argparse.ArgumentParser:
    codes = "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    parser = argparse.ArgumentParser(
        prog="tradeflows",
        description="Trading research, risk and trading as Prefect flows.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    json_only = argparse.ArgumentParser(add_help=False)
    json_only.add_argument(
        "--json", action="store_true", help="one JSON document on stdout, logs on stderr"
    )
    commands.add_parser("list", parents=[json_only], help="list the flows")
    run = commands.add_parser(
        "run",
        parents=[json_only],
        add_help=False,
        help="run a flow here and now; `run FLOW --help` lists its parameters",
    )
    run.add_argument("flow", metavar="FLOW", nargs="?", help=", ".join(flow_names()))
    run.add_argument("--verbose", action="store_true", help="show the log of the run")
    add_dashboard_commands(commands, json_only)
    commands.add_parser("doctor", parents=[json_only], help="check this installation")
    clean = commands.add_parser(
        "clean", parents=[json_only], help="remove old cached results and unused bars"
    )
    clean.add_argument("--older-than-days", type=int, default=30, metavar="N", help="(default 30)")
    commands.add_parser(
        "environment", help="print the exports that let Prefect's and MLflow's own commands agree"
    )
    add_trading_commands(commands, json_only)
    add_models_command(commands, json_only)
    add_watch_commands(commands, json_only)
    commands.add_parser(
        "live-check",
        parents=[json_only],
        add_help=False,
        help="show what live trading takes, and the digest that confirms it",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after the program's name; those of this process where None.

    Returns:
        The exit code; see `tradeflows --help`.
    """
    parser = _parser()
    arguments, rest = parser.parse_known_args(sys.argv[1:] if argv is None else argv)
    if rest and arguments.command not in TAKES_MORE:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        code = COMMANDS[arguments.command](arguments, rest).value
        sys.stdout.flush()
    except TradingError as error:
        return report_error(
            error, exit_code(error), as_json=getattr(arguments, "json", False)
        ).value
    except KeyboardInterrupt:
        note("tradeflows: interrupted")
        return Exit.INTERRUPTED.value
    except BrokenPipeError:
        # What is still to be written must not fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.UNREAD.value
    return code
