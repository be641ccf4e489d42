"""How symbols move together, as report values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.report import Table, Unit

if TYPE_CHECKING:
    from slices.domain.portfolio import Diversification


def cluster_table(structure: Diversification) -> Table:
    """List the groups of symbols that move together, then those on their own."""
    groups = [members for members in structure.clusters if len(members) > 1]
    alone = tuple(members[0] for members in structure.clusters if len(members) == 1)
    named = [(f"Group {place}", members) for place, members in enumerate(groups, start=1)]
    named += [("On their own", alone)] if alone else []
    return Table(
        key="clusters",
        title="Groups that move together",
        columns=("Group", "Symbols", "Members"),
        units=(Unit.TEXT, Unit.COUNT, Unit.TEXT),
        rows=tuple((name, len(members), ", ".join(members)) for name, members in named),
        caption=(
            "Members correlate with 0.5 or more on average; the average over all pairs is "
            f"{structure.average_correlation:.2f}."
        ),
    )
