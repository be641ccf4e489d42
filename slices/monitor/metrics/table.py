"""The metric types as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from slices.monitor.metrics.registering import MetricType

UNITS = {
    "ratio": "fraction",
    "currency": "account currency",
    "basis_points": "basis points",
    "count": "number",
}
HEAD = "| Metric | Unit | Source | What it says |\n|---|---|---|---|"


def table(types: Iterable[MetricType]) -> str:
    """Write the metric types as Markdown, under a heading for each part.

    Args:
        types: In the order in which they appear.
    """
    by_part: dict[str, list[MetricType]] = {}
    for each in types:
        by_part.setdefault(each.part.value, []).append(each)
    blocks = [_block(part, kinds) for part, kinds in by_part.items()]
    return "\n\n".join(("# Metrics", *blocks)) + "\n"


def _block(part: str, types: list[MetricType]) -> str:
    return "\n".join((f"## {part.capitalize()}\n", HEAD, *map(_row, types)))


def _row(kind: MetricType) -> str:
    unit = UNITS.get(kind.unit.value, kind.unit.value)
    return f"| `{kind.name}` | {unit} | {kind.source} | {kind.description} |"
