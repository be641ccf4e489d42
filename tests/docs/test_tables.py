"""Tables in documents say what is there: `python -m tests.docs.test_tables` writes them anew."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
README = TESTS / "README.md"
NAME = re.compile(r"test_r(\d{2})_\w+")
FIRST, LAST = "| row | fault or bad input | tests |", "\n\n"
ROWS = {
    1: "a price or volume that is missing, infinite, zero or negative; a high below the low",
    2: "duplicate or unsorted timestamps, several time zones, the day clocks change",
    3: "missing sessions, weekends, holidays",
    4: "a source that is down, slow, limiting, or answers with something else",
    5: "stale data",
    6: "a jump that is an unadjusted split",
    7: "a symbol that is unknown or renamed; no symbol at all",
    8: "looking ahead",
    9: "data changed under the same name",
    10: "a truncated or half-written file",
    11: "a worker or a run that is killed in the middle",
    12: "a server that is stopped and started again in the middle",
    13: "many runs at once on SQLite",
    14: "each step of each flow that fails",
    15: "a step that hangs",
    16: "the same flow started twice at once",
    17: "what is a cache hit and what a miss, in any process; a killed run",
    18: "a cached result that is tampered with, or holds a pickle",
    19: "a disk that is full or read-only",
    20: "a clock that jumps; the days clocks change",
    21: "parameters that are not allowed, before a run exists",
    22: "a run whose process is gone, and a heartbeat that comes late",
    23: "a crash between an order that was sent and one that is recorded",
    24: "an acknowledgement that is lost",
    25: "fills that come twice, late, in parts or beyond the order",
    26: "a restart with open positions",
    27: "a broker that omits what is held, or lists what is not",
    28: "an order without a size, or with one that is too large",
    29: "a price too far from the mark; a mark too old",
    30: "the same order twice",
    31: "too many orders",
    32: "limits on what would be held after the trade, open orders included",
    33: "a daily loss or a drawdown beyond its limit",
    34: "the kill switch, with nothing else working",
    35: "a price that gaps through a stop",
    36: "pattern day trading",
    37: "cash that is short or not settled; books that do not add up",
    38: "live trading without every switch; a ledger of the other mode",
    39: "two versions of code or limits at one account",
    40: "a model file that is tampered with, unknown, or a pickle",
    41: "features that are missing, renamed, of another type, or suddenly unknown",
    42: "labels in features, training that overlaps testing, inputs that see the future",
    43: "two trainings with one seed",
    44: "a model that is too old, has drifted, or is no better; stepping back",
    45: "requests without credentials or from elsewhere, paths that lead out, scripts in names",
    46: "secrets in anything that is written or printed",
}


def named_after_rows() -> Iterator[tuple[int, str, str]]:
    """List row, file and name of every test that names a row."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (match := NAME.fullmatch(node.name)):
                yield int(match[1]), file.relative_to(TESTS).as_posix(), node.name


def table() -> str:
    """Write the table of rows and their tests, by row and file."""
    found: dict[int, dict[str, list[str]]] = {}
    for row, file, name in named_after_rows():
        found.setdefault(row, {}).setdefault(file, []).append(f"`{name}`")
    lines = [FIRST, "|---|---|---|"]
    for row, files in sorted(found.items()):
        named = [f"[{file}]({file}): {', '.join(names)}" for file, names in sorted(files.items())]
        lines.append(f"| {row} | {ROWS.get(row, '')} | {'<br>'.join(named)} |")
    return "\n".join(lines)


def written() -> str:
    """Return the table that stands in the document."""
    text = README.read_text()
    return FIRST + text.partition(FIRST)[2].partition(LAST)[0].rstrip("\n")


def test_every_test_of_a_row_is_in_the_table_and_every_name_in_it_is_a_test() -> None:
    named = {match[0] for match in NAME.finditer(written())}
    existing = {name for _, _, name in named_after_rows()}
    assert named == existing, "write it anew: python -m tests.docs.test_tables"
    assert written() == table()


def test_every_row_has_its_words_and_a_test() -> None:
    assert {row for row, _, _ in named_after_rows()} == set(ROWS)


if __name__ == "__main__":
    README.write_text(README.read_text().replace(written(), table()))
    sys.stdout.write(f"{README.relative_to(TESTS.parent)} written\n")
