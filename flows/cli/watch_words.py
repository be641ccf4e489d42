"""The words of `tradeflows watch` and `tradeflows alerts`."""

from __future__ import annotations

import argparse

LEVELS = ("info", "warning", "error", "critical")


def add_watch_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    json_only: argparse.ArgumentParser,
) -> None:
    """Add `watch` and `alerts`."""
    watch = commands.add_parser(
        "watch", parents=[json_only], help="measure the system and raise alerts until Ctrl-C"
    )
    watch.add_argument("--once", action="store_true", help="look once, say what was found, end")
    alerts = commands.add_parser(
        "alerts",
        parents=[json_only],
        help="show what is wrong, take care of it, silence a rule, send a test",
    )
    actions = alerts.add_subparsers(dest="action", metavar="ACTION")
    # Before the action or behind it: what is not given behind it must not undo what is.
    either = argparse.ArgumentParser(add_help=False)
    either.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document on stdout"
    )
    shown = actions.add_parser(
        "list", parents=[either], help="show what is wrong now (the default)"
    )
    shown.add_argument(
        "--since", default="", metavar="TIME", help="also what ended in the last 90m, 12h, 7d ..."
    )
    actions.add_parser("rules", parents=[either], help="list what alerts are raised for")
    taken = actions.add_parser(
        "ack", parents=[either], help="take care of an alert, so that it is not repeated"
    )
    taken.add_argument("key", metavar="KEY", help="of the alert, as `alerts list` shows it")
    _add_silence(actions, either)
    test = actions.add_parser(
        "test", parents=[either], help="raise an alert to see whether it arrives"
    )
    test.add_argument(
        "level", metavar="LEVEL", type=str.lower, choices=LEVELS, help=", ".join(LEVELS)
    )


def _add_silence(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    either: argparse.ArgumentParser,
) -> None:
    quiet = actions.add_parser(
        "silence",
        parents=[either],
        help="hear nothing of a rule for a while; what is critical is said once all the same",
    )
    quiet.add_argument("rule", metavar="RULE", help="as `alerts rules` lists it")
    quiet.add_argument(
        "subject", metavar="SUBJECT", nargs="?", default="", help="only this (default: everything)"
    )
    quiet.add_argument(
        "--for",
        dest="period",
        required=True,
        metavar="TIME",
        help="such as 30m, 2h, 1d; 0m ends it",
    )
    quiet.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
