"""Tables and charts of a mean reversion portfolio, as values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slices.adaptive_portfolio.charts import MOST_SHOWN
from slices.domain.factor_portfolios import EpisodeEnd
from slices.domain.numbers import MINUS
from slices.domain.report import BarChart, Section, Table, Unit

if TYPE_CHECKING:
    from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
    from slices.domain.factor_portfolios import EndSummary, ReversionEpisode, ReversionEvidence

MOST_ROWS = 60
MOST_EPISODES = 25
ENDS = {
    EpisodeEnd.EXIT: "Came back",
    EpisodeEnd.STOP: "Stopped",
    EpisodeEnd.TIME: "Held too long",
    None: "Still open",
}
SPREADS = {
    "residual": "the log price against the equal-weight market",
    "log_price": "the log price",
}


def evidence_section(evidence: tuple[ReversionEvidence, ...], rule: ReversionRule) -> Section:
    """Show which spreads come back, and how stretched they are."""
    passed = sum(each.passes for each in evidence)
    return Section(
        title="Does it come back?",
        intro=(
            f"What is watched is {SPREADS[rule.spread]}. A symbol is a candidate while its "
            f"half-life, over {rule.evidence_sessions} sessions, is {rule.shortest_half_life:g} to "
            f"{rule.longest_half_life:g} sessions and the unit root test's p-value at most "
            f"{rule.largest_p_value:g}. Now {passed} of {len(evidence)} pass. With so many tests, "
            f"{rule.largest_p_value:.0%} of random walks pass as well."
        ),
        blocks=(stretch_chart(evidence, rule), evidence_table(evidence)),
    )


def stretch_chart(evidence: tuple[ReversionEvidence, ...], rule: ReversionRule) -> BarChart:
    """Draw how far each spread is from its mean."""
    known = [each for each in evidence if math.isfinite(each.z_score)]
    far = sorted(known, key=lambda each: -abs(each.z_score))[:MOST_SHOWN]
    shown = sorted(far, key=lambda each: each.z_score)
    return BarChart(
        key="stretch",
        title=f"Deviations from the mean of {rule.window_sessions} sessions, now",
        categories=tuple(each.symbol for each in shown),
        groups=(("z-score", tuple(each.z_score for each in shown)),),
        unit=Unit.RATIO,
        caption=(
            f"Taken below {MINUS}{rule.entry_z:g}"
            + (f" and above {rule.entry_z:g}" if rule.shorting else "")
            + f" if a candidate; let go within {rule.exit_z:g}, beyond {rule.stop_z:g}, or after "
            f"{rule.most_sessions} sessions."
        ),
    )


def evidence_table(evidence: tuple[ReversionEvidence, ...]) -> Table:
    """List the evidence per symbol: those that pass first, then by the test."""

    def rank(each: ReversionEvidence) -> tuple[bool, float, str]:
        p_value = each.adf_p_value
        return not each.passes, p_value if math.isfinite(p_value) else math.inf, each.symbol

    shown = sorted(evidence, key=rank)[:MOST_ROWS]
    rest = len(evidence) - len(shown)
    return Table(
        key="reversion-evidence",
        title="Evidence per symbol, on the newest window",
        columns=(
            "Symbol", "z now", "Half-life", "± error", "ADF t", "p-value", "Variance ratio",
            "its z", "Hurst", "Passed so far", "Now",
        ),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.RATIO,
            Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol,
                each.z_score,
                each.half_life_sessions,
                each.half_life_error,
                each.adf_statistic,
                each.adf_p_value,
                each.variance_ratio,
                each.variance_ratio_z,
                each.hurst,
                each.candidate_share,
                "candidate" if each.passes else each.reason,
            )
            for each in shown
        ),
        caption=(
            "Half-lives in sessions, from a regression of changes on levels; ADF: augmented "
            "Dickey-Fuller with a constant; variance ratio of ten sessions to one and Hurst "
            "exponent are below 1 and 0.5 where a spread comes back. Too slow, too fast: the "
            "half-life is out of bounds; may be a walk: the unit root is not rejected."
            + (f" {rest} symbols with weaker evidence are not shown." if rest else "")
        ),
    )  # fmt: skip


def ends_section(ends: tuple[EndSummary, ...], episodes: tuple[ReversionEpisode, ...]) -> Section:
    """Show how trades ended and what each way to end made."""
    return Section(
        title="How trades ended",
        blocks=(ends_table(ends), *(() if not episodes else (episode_table(episodes),))),
    )


def ends_table(ends: tuple[EndSummary, ...]) -> Table:
    """Compare the ways to end."""
    return Table(
        key="trade-ends",
        title="What each end made",
        columns=("End", "Trades", "Average sessions", "Average return", "Gained", "Money"),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.MONEY,
        ),
        rows=tuple(
            (
                ENDS[each.end],
                each.trades,
                each.average_sessions,
                each.average_return,
                each.hit_rate,
                each.pnl,
            )
            for each in ends
        ),
        caption="Net of costs. A spread can come back while the price itself fell.",
    )  # fmt: skip


def episode_table(episodes: tuple[ReversionEpisode, ...]) -> Table:
    """List the newest decisions."""
    shown = episodes[::-1][:MOST_EPISODES]
    newest = f" The newest {len(shown)} of {len(episodes):,}." if len(shown) < len(episodes) else ""
    return Table(
        key="episodes",
        title="Decisions, newest first",
        columns=("Symbol", "Side", "Decided in", "Decided out", "Sessions", "z in", "z out", "End"),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.COUNT, Unit.RATIO, Unit.RATIO,
            Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol,
                "long" if each.is_long else "short",
                str(each.decided_in),
                "" if each.decided_out is None else str(each.decided_out),
                each.sessions_held,
                each.entry_z,
                each.exit_z,
                ENDS[each.end],
            )
            for each in shown
        ),
        caption=f"Each was traded at the next session.{newest}",
    )  # fmt: skip
