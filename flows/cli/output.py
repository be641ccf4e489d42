"""What the command line writes: answers on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.cli.exits import Exit


def print_line(text: str) -> None:
    """Write one line of an answer."""
    sys.stdout.write(f"{text}\n")


def print_json(value: object) -> None:
    """Write the one JSON document of an answer."""
    sys.stdout.write(f"{json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)}\n")


def note(text: str) -> None:
    """Write one line beside the answer."""
    sys.stderr.write(f"{text}\n")


def report_error(error: BaseException, code: Exit, *, as_json: bool) -> Exit:
    """Say in one line, or one document, what went wrong."""
    if as_json:
        kind = type(error).__name__
        print_json({"error": {"kind": kind, "message": str(error)}, "exit_code": code.value})
    note(f"tradeflows: {error}")
    return code
