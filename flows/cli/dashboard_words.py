"""The words of `tradeflows dashboard` and `tradeflows status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_dashboard_commands(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    json_only: argparse.ArgumentParser,
) -> None:
    """Add `status` and `dashboard`."""
    status = commands.add_parser(
        "status", parents=[json_only], help="show health and the latest runs"
    )
    status.add_argument("--last", type=int, default=10, metavar="N", help="how many (default 10)")
    status.add_argument(
        "--watch", action="store_true", help="show health, runs, accounts and alerts until q"
    )
    dashboard = commands.add_parser(
        "dashboard", help="serve the pages that show the system, to this machine, until Ctrl-C"
    )
    dashboard.add_argument(
        "--port", type=int, metavar="N", help="(default: TRADEFLOWS_DASHBOARD_PORT, or 4300)"
    )
