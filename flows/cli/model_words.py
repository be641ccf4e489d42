"""The words of `tradeflows models`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

DEFAULT_PORT = 5000


def add_models_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    json_only: argparse.ArgumentParser,
) -> None:
    """Add `models` and its actions."""
    models = commands.add_parser("models", help="show models, go back to the one before, retire")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", parents=[json_only], help="list what is registered")
    show = actions.add_parser("show", parents=[json_only], help="show the versions of a model")
    back = actions.add_parser(
        "rollback", parents=[json_only], help="let the champion before trade again, in one step"
    )
    end = actions.add_parser(
        "retire", parents=[json_only], help="let the champion trade no more, and nobody instead"
    )
    for each in (show, back, end):
        each.add_argument("name", metavar="NAME", help="of the model, such as cross-section")
    for each in (back, end):
        each.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept")
    pages = actions.add_parser("ui", help="serve MLflow's pages on 127.0.0.1 until Ctrl-C")
    pages.add_argument(
        "--port", type=int, default=DEFAULT_PORT, metavar="N", help=f"(default {DEFAULT_PORT})"
    )
