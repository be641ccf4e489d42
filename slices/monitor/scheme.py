"""What costs health, and how much: one row for each reason, held against a metric.

Points are bounds that a value reaches: the worst that is reached counts. A value that is undefined
costs nothing; a part that was not seen has no score at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from slices.domain.alerts import Level
from slices.domain.monitoring import Comparison

INCIDENT_POINTS = {Level.INFO: 0.0, Level.WARNING: 5.0, Level.ERROR: 15.0, Level.CRITICAL: 40.0}
"""What an open incident that nobody has acknowledged or silenced costs the part `alerting`."""

UNSEEN_POINTS = 20.0
"""What a part that could not be looked at costs the overall score."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A reason to lose points.

    Attributes:
        metric: Name of a metric type; its part loses the points.
        words: The reason, with `{about}` for the labels and `{value}` for what was measured.
        steps: Bounds with the points that reaching them costs, the worst last.
        each: Points for each one that is counted, in place of steps.
        most: That all of this reason may cost together.
        comparison: Whether values are bad above or below the bounds.
        where: Labels that a value must have.
    """

    metric: str
    words: str
    steps: tuple[tuple[float, float], ...] = ()
    each: float = 0.0
    most: float = 100.0
    comparison: Comparison = Comparison.ABOVE
    where: tuple[tuple[str, str], ...] = ()

    def points(self, value: float) -> float:
        """Return what a value costs; nothing where it is undefined.

        >>> memory = Loss(metric="host.memory_used", words="", steps=((0.8, 10.0), (0.9, 30.0)))
        >>> [memory.points(used) for used in (0.79, 0.8, 0.95, float("nan"))]
        [0.0, 10.0, 30.0, 0.0]
        """
        if self.each:
            return max(0.0, self.each * value) if value == value else 0.0  # noqa: PLR0124 - NaN
        reached = [points for bound, points in self.steps if self._is_beyond(value, bound)]
        return max(reached, default=0.0)

    def _is_beyond(self, value: float, bound: float) -> bool:
        return value >= bound if self.comparison is Comparison.ABOVE else value <= bound


CHAMPION = (("alias", "champion"),)

SCHEME = (
    Loss(metric="host.cpu", words="all cores are {value} busy", steps=((0.95, 10.0),)),
    Loss(
        metric="host.load_per_core",
        words="{value} processes want each core",
        steps=((2.0, 10.0), (4.0, 20.0)),
    ),
    Loss(
        metric="host.memory_used",
        words="{value} of memory is used",
        steps=((0.85, 10.0), (0.95, 30.0)),
    ),
    Loss(metric="host.swap_used", words="{value} of swap space is used", steps=((0.5, 10.0),)),
    Loss(
        metric="host.disk_used",
        words="{value} of the disk is used",
        steps=((0.8, 10.0), (0.9, 30.0), (0.95, 60.0)),
    ),
    Loss(
        metric="host.open_files_used",
        words="{value} of the file handles are used",
        steps=((0.7, 10.0), (0.9, 30.0)),
    ),
    Loss(
        metric="runs.failed_of_five",
        words="{about} failed {value} of its last 5 runs",
        each=10.0,
    ),
    Loss(metric="runs.late", words="runs that should have begun: {value}", each=5.0, most=30.0),
    Loss(
        metric="runs.stuck",
        words="{about} has not been heard of for {value}",
        steps=((600.0, 20.0),),
        most=60.0,
    ),
    Loss(
        metric="workers.online",
        words="pool {about} has no worker",
        steps=((0.0, 40.0),),
        comparison=Comparison.BELOW,
    ),
    Loss(
        metric="server.answer_seconds",
        words="the Prefect server took {value} to answer",
        steps=((2.0, 10.0), (5.0, 25.0)),
    ),
    Loss(
        metric="automations.failed_actions",
        words="actions of automations that failed: {value}",
        each=5.0,
        most=30.0,
    ),
    Loss(
        metric="data.age_sessions",
        words="{about} lacks {value}",
        steps=((1.0, 10.0), (2.0, 25.0), (5.0, 50.0)),
    ),
    Loss(
        metric="data.quarantine_ratio",
        words="{value} of the bars of {about} were set aside",
        steps=((1e-9, 5.0), (0.01, 20.0)),
        most=40.0,
    ),
    Loss(
        metric="data.suspected_splits",
        words="price jumps of {about} that look like splits: {value}",
        each=10.0,
        most=40.0,
    ),
    Loss(
        metric="data.gap_ratio",
        words="{value} of the sessions of {about} are missing",
        steps=((0.01, 10.0),),
        most=30.0,
    ),
    Loss(metric="trading.halted", words="all trading is halted", steps=((1.0, 50.0),)),
    Loss(
        metric="account.state",
        words="{about} may only reduce, or is halted",
        steps=((1.0, 20.0), (2.0, 40.0)),
    ),
    Loss(
        metric="account.unknown_orders",
        words="orders of {about} whose fate nobody knows: {value}",
        each=25.0,
        most=50.0,
    ),
    Loss(
        metric="account.breached_limits",
        words="limits that {about} is beyond: {value}",
        each=15.0,
        most=45.0,
    ),
    Loss(
        metric="account.drawdown",
        words="{about} is {value} below its peak",
        steps=((0.1, 10.0), (0.2, 30.0)),
    ),
    Loss(
        metric="account.day_loss",
        words="{about} lost {value} today",
        steps=((0.02, 10.0), (0.05, 30.0)),
    ),
    Loss(
        metric="account.reject_ratio",
        words="{value} of the orders of {about} were refused",
        steps=((0.1, 10.0),),
        most=20.0,
    ),
    Loss(
        metric="model.drifted",
        words="{value} of the features of {about} have drifted",
        steps=((0.1, 10.0), (0.3, 25.0)),
        where=CHAMPION,
    ),
    Loss(
        metric="model.ic_kept",
        words="{about} keeps {value} of the skill it was trained with",
        steps=((0.5, 15.0), (0.0, 30.0)),
        comparison=Comparison.BELOW,
        where=CHAMPION,
    ),
    Loss(
        metric="model.age_sessions",
        words="{about} was trained {value} ago",
        steps=((63.0, 10.0), (126.0, 25.0)),
        where=CHAMPION,
    ),
    Loss(
        metric="model.coverage_gap",
        words="{about} covers {value} less than it promised",
        steps=((0.05, 5.0), (0.1, 15.0)),
        where=CHAMPION,
    ),
    Loss(
        metric="alerts.oldest_undelivered",
        words="a notification has waited {value} for a receiver",
        steps=((60.0, 20.0), (900.0, 50.0)),
    ),
)


def scheme_table() -> str:
    """Write the scheme as Markdown."""
    head = "| Metric | Points lost | Reason |\n|---|---|---|"
    return "\n".join((head, *map(_row, SCHEME))) + "\n"


def _row(loss: Loss) -> str:
    sign = "≥" if loss.comparison is Comparison.ABOVE else "≤"
    steps = [f"{points:g} from {sign} {bound:g}" for bound, points in loss.steps]
    cost = ", ".join(steps) or f"{loss.each:g} each"
    most = f"; at most {loss.most:g}" if loss.most < 100 else ""
    words = loss.words.format(about="…", value="…")
    return f"| `{loss.metric}` | {cost}{most} | {words} |"
