"""A mean reversion portfolio as a whole: its answer, its figures and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.judged import caveats, headline, made_report, plain_notes, summary
from slices.adaptive_portfolio.mean_reversion.judging import end_summaries
from slices.adaptive_portfolio.mean_reversion.report import SPREADS, ends_section, evidence_section
from slices.domain.data_report import data_section
from slices.domain.errors import listed
from slices.domain.factor_portfolios import EpisodeEnd, MeanReversionPortfolio

if TYPE_CHECKING:
    from slices.adaptive_portfolio.mean_reversion.spreads import ReversionRule
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef, LeftOut
    from slices.domain.factor_portfolios import EndSummary, ReversionEvidence, ReversionWalk
    from slices.domain.report import Section

DATA_RULE = (
    "A symbol is a candidate while it has a bar of every session of its evidence window; a hole is "
    "never filled, and keeps no other symbol out."
)


def mean_reversion_findings(
    bars: DatasetRef,
    *,
    left_out: tuple[LeftOut, ...],
    rule: ReversionRule,
    evidence: tuple[ReversionEvidence, ...],
    walk: ReversionWalk,
    tested: Backtest,
    tearsheet: tuple[Section, ...],
) -> MeanReversionPortfolio:
    """Put the parts of a mean reversion portfolio together and say what they mean."""
    ends = end_summaries(walk.episodes, tested.trades, tested.open_trades)
    sentence = headline(_subject(rule, bars), tested, bars)
    missing = caveats(bars, left_out)
    notes = plain_notes(bars, *_notes(rule, walk), window_sessions=rule.evidence_sessions)
    report = made_report(
        "mean-reversion-portfolio",
        "Mean reversion portfolio",
        headline=sentence,
        tested=tested,
        sections=(
            evidence_section(evidence, rule),
            ends_section(ends, walk.episodes),
            *tearsheet,
            data_section(bars, rule=DATA_RULE),
        ),
        caveats=missing,
        notes=notes,
    )
    return MeanReversionPortfolio(
        headline=sentence,
        caveats=missing,
        summary=(*_summary(evidence, ends), *summary(bars, tested)),
        notes=notes,
        report=report,
        bars=bars,
        evidence=evidence,
        episodes=walk.episodes,
        ends=ends,
        backtest=tested,
    )


def _subject(rule: ReversionRule, bars: DatasetRef) -> str:
    act, side = ("Trading", "from") if rule.shorting else ("Buying", "below")
    return (
        f"{act} what was more than {rule.entry_z:g} deviations {side} its mean, among those of "
        f"{len(bars.symbols)} symbols whose deviations had come back before,"
    )


def _notes(rule: ReversionRule, walk: ReversionWalk) -> tuple[str, ...]:
    notes = [
        f"Spread: {SPREADS[rule.spread]}. Candidates were filtered {walk.selections:,} times; "
        f"{walk.average_candidates:.1f} symbols passed on average.",
        "Nothing is hedged: a position carries the market's risk as well, and money that is in no "
        "position earns the cash rate of the costs, 0 unless given.",
    ]
    if walk.undefined:
        notes.append(
            f"At {walk.undefined} decisions the allocator had no answer "
            f"({'; '.join(walk.reasons)}): positions were kept, and nothing new was bought."
        )
    return tuple(notes)


def _summary(
    evidence: tuple[ReversionEvidence, ...], ends: tuple[EndSummary, ...]
) -> tuple[tuple[str, str], ...]:
    passed = tuple(each.symbol for each in evidence if each.passes)
    counted = {each.end: each.trades for each in ends}
    return (
        ("Candidates now", listed(passed, most=8) or "none"),
        (
            "Trades ended",
            f"{counted[EpisodeEnd.EXIT]} came back, {counted[EpisodeEnd.STOP]} stopped, "
            f"{counted[EpisodeEnd.TIME]} held too long, {counted[None]} still open",
        ),
    )
