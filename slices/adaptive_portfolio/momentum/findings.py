"""A momentum portfolio as a whole: its answer in one sentence, its figures and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.judged import caveats, headline, made_report, plain_notes, summary
from slices.adaptive_portfolio.momentum.report import choice_section, decay_section
from slices.domain.data_report import data_section
from slices.domain.errors import listed
from slices.domain.factor_portfolios import MomentumPortfolio
from slices.domain.numbers import written
from slices.domain.report import Unit

if TYPE_CHECKING:
    from slices.adaptive_portfolio.momentum.scores import MomentumRule
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef, LeftOut
    from slices.domain.factor_portfolios import HorizonCoefficient, MomentumSelection
    from slices.domain.report import Section

DATA_RULE = (
    "A symbol is a candidate while it has a bar of every session since its formation window began; "
    "a hole is never filled, and keeps no other symbol out."
)
SURVIVORS = (
    "A momentum rule lives on who is in the universe: shares that collapsed and were delisted are "
    "missing from a list made today, so its winners look safer than they were."
)


def momentum_findings(
    bars: DatasetRef,
    *,
    left_out: tuple[LeftOut, ...],
    rule: MomentumRule,
    selection: MomentumSelection,
    decay: tuple[HorizonCoefficient, ...],
    tested: Backtest,
    tearsheet: tuple[Section, ...],
) -> MomentumPortfolio:
    """Put the parts of a momentum portfolio together and say what they mean."""
    sentence = headline(_subject(rule, bars), tested, bars)
    missing = caveats(bars, left_out)
    notes = plain_notes(
        bars, SURVIVORS, *_notes(rule, selection), window_sessions=rule.lookback_sessions
    )
    report = made_report(
        "momentum-portfolio",
        "Momentum portfolio",
        headline=sentence,
        tested=tested,
        sections=(
            choice_section(selection),
            decay_section(decay),
            *tearsheet,
            data_section(bars, rule=DATA_RULE),
        ),
        caveats=missing,
        notes=notes,
    )
    return MomentumPortfolio(
        headline=sentence,
        caveats=missing,
        summary=(*_summary(selection, decay), *summary(bars, tested)),
        notes=notes,
        report=report,
        bars=bars,
        selection=selection,
        decay=decay,
        backtest=tested,
    )


def _subject(rule: MomentumRule, bars: DatasetRef) -> str:
    count, of = rule.wanted(len(bars.symbols)), len(bars.symbols)
    gained = " that had gained" if rule.absolute else ""
    return (
        f"Holding the {count} best of {of} symbols{gained} by their return over "
        f"{rule.lookback_sessions} sessions without the newest {rule.skip_sessions}"
    )


def _notes(rule: MomentumRule, found: MomentumSelection) -> tuple[str, ...]:
    notes = []
    if rule.per_volatility:
        notes.append("Returns are divided by their volatility before they are ranked.")
    if rule.target_volatility is not None:
        scaled = written(rule.target_volatility, Unit.FRACTION)
        notes.append(
            f"The whole is scaled to a volatility of {scaled} a year, estimated from "
            f"{rule.volatility_sessions} returns; exposure ends at "
            f"{written(rule.gross_exposure, Unit.FRACTION)}."
        )
    if found.in_cash:
        notes.append(
            f"At {found.in_cash} of {found.decisions} choices no symbol had gained: all was cash."
        )
    if found.undefined:
        notes.append(
            f"At {found.undefined} of {found.decisions} choices the allocator had no answer "
            f"({'; '.join(found.reasons)}). Positions were kept."
        )
    return tuple(notes)


def _summary(
    found: MomentumSelection, decay: tuple[HorizonCoefficient, ...]
) -> tuple[tuple[str, str], ...]:
    held = tuple(
        f"{each.symbol} {written(each.weight, Unit.FRACTION)}"
        for each in found.scores
        if each.weight > 0
    )
    month = min(decay, key=lambda each: abs(each.horizon_sessions - 21))
    coefficient = f"{month.information_coefficient:.3f} (t {month.t_statistic:.1f})"
    return (
        ("Held now", listed(held, most=8) or "nothing"),
        ("New at each choice", written(found.average_replaced, Unit.FRACTION)),
        (f"Information coefficient, {month.horizon_sessions} sessions", coefficient),
    )
