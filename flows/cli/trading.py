"""The words of the commands that have to do with accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

MODES = ("paper", "live")


def add_trading_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    json_only: argparse.ArgumentParser,
) -> None:
    """Add `halt`, `release`, `journal`, `explain` and `accounts`."""
    commands.add_parser("accounts", parents=[json_only], help="show accounts and what they may do")
    halt = commands.add_parser(
        "halt", parents=[json_only], help="stop all trading, or an account's; cancel open orders"
    )
    halt.add_argument("--account", metavar="NAME", help="only this one (default: everything)")
    halt.add_argument("--reason", default="", metavar="TEXT", help="why, for the journal")
    release = commands.add_parser(
        "release", parents=[json_only], help="let trading go on after a halt; it is recorded"
    )
    release.add_argument("--account", metavar="NAME", help="only this one (default: everything)")
    release.add_argument("--reason", required=True, metavar="TEXT", help="why, for the journal")
    _add_mode(release)
    explain = commands.add_parser(
        "explain", parents=[json_only], help="show everything about one order"
    )
    explain.add_argument("order_id", metavar="ORDER_ID", help="its name, or the beginning of it")
    _add_journal(commands, json_only)


def _add_journal(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    json_only: argparse.ArgumentParser,
) -> None:
    journal = commands.add_parser("journal", help="show what was written, or prove that it stands")
    actions = journal.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser(
        "verify", parents=[json_only], help="prove that nothing was changed since"
    )
    show = actions.add_parser("show", parents=[json_only], help="print the newest entries")
    show.add_argument("--account", metavar="NAME", help="only this one's (default: all)")
    show.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
    _add_mode(verify)
    _add_mode(show)


def _add_mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode", choices=MODES, default="paper", help="whose money (default paper)"
    )
