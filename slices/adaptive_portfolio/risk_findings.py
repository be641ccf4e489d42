"""The findings of risk monitoring: the answer in one sentence, the figures, the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.protection_sections import tier_section
from slices.adaptive_portfolio.risk_sections import (
    LIMIT_CHART,
    MEASURES,
    limit_label,
    limit_section,
    metric_section,
    stress_section,
)
from slices.domain.accounts import TradingState
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.risk_monitoring import RiskMonitoring

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook
    from slices.domain.dataset import DatasetRef
    from slices.domain.limits import LimitLine
    from slices.domain.risk_monitoring import RiskWatch


def risk_monitoring_findings(
    bars: DatasetRef, *, book: AccountBook, watch: RiskWatch
) -> RiskMonitoring:
    """Put together how far an account is from its limits, and what it risks.

    Args:
        bars: The universe, and what the account holds.
        book: The account.
        watch: What was measured.
    """
    caveats = (*_caveats(book, watch), *behind_caveats(book, bars), *data_caveats(bars))
    notes = (*_notes(book), *data_notes(bars))
    report = Report(
        key="risk-monitoring",
        title="Risk monitoring",
        headline=_headline(book, watch),
        figures=_figures(watch),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=(
            limit_section(watch),
            metric_section(watch),
            stress_section(watch),
            tier_section(watch.tier),
            data_section(bars),
        ),
        chart=LIMIT_CHART,
        provenance=(),
    )
    return RiskMonitoring(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(book, watch),
        notes=notes,
        report=report,
        bars=bars,
        book=book,
        watch=watch,
    )


def behind_caveats(book: AccountBook, bars: DatasetRef) -> tuple[str, ...]:
    """Say where the books stand at an earlier session than the bars."""
    if book.session is None or book.session >= bars.last_session:
        return ()
    return (
        f"account '{book.name}' stands at {book.session}, the bars at {bars.last_session}: what "
        "happened since is in no figure",
    )


def _tightest(watch: RiskWatch) -> LimitLine:
    """Return the limit with least left; one whose use is unknown comes first."""
    return min(
        watch.lines, key=lambda each: -1e300 if each.headroom != each.headroom else each.headroom
    )


def _headline(book: AccountBook, watch: RiskWatch) -> str:
    if not book.curve:
        return f"Account '{book.name}' has no history: no limit can be used yet."
    if watch.breached:
        names = listed(tuple(limit_label(each) for each in watch.breached), most=4)
        count = counted(len(watch.breached), "limit")
        return f"Account '{book.name}' is beyond {count} on {watch.session}: {names}."
    kept = f"Account '{book.name}' keeps to all {len(watch.lines)} limits on {watch.session}"
    return f"{kept}; {_least(watch)}."


def _least(watch: RiskWatch) -> str:
    tightest = _tightest(watch)
    if tightest.headroom >= 1:
        return "none of them is used"
    left = written(tightest.headroom, Unit.FRACTION)
    label = limit_label(tightest)
    return f"least is left of {label[0].lower()}{label[1:]}: {left}"


def _caveats(book: AccountBook, watch: RiskWatch) -> tuple[str, ...]:
    beyond = tuple(
        f"{limit_label(each)}: found {each.used:.6g}, allowed {each.allowed:.6g}"
        for each in watch.breached
    )
    if book.state is TradingState.ACTIVE:
        return beyond
    return (*beyond, f"account '{book.name}' is {book.state.value}: {book.state_reason}")


def _notes(book: AccountBook) -> tuple[str, ...]:
    if book.curve:
        return ()
    return (f"Account '{book.name}' has lived through no session: its own measures begin later.",)


def _figures(watch: RiskWatch) -> tuple[KeyFigure, ...]:
    metrics = watch.metrics
    return (
        KeyFigure(
            label="Limits beyond",
            value=float(len(watch.breached)),
            unit=Unit.COUNT,
            note=f"of {len(watch.lines)}; {_least(watch)}",
            tone=Tone.BAD if watch.breached else Tone.GOOD,
        ),
        KeyFigure(
            label="Sharpe ratio",
            value=metrics.sharpe_ratio,
            unit=Unit.RATIO,
            note=dict(metrics.undefined).get("sharpe_ratio", f"of {metrics.returns} returns"),
        ),
        KeyFigure(
            label="Largest drawdown",
            value=metrics.max_drawdown,
            unit=Unit.FRACTION,
            note=dict(metrics.undefined).get("max_drawdown", "of the account's closes"),
        ),
        KeyFigure(
            label="Value at risk of today's positions",
            value=watch.tail.value_at_risk,
            unit=Unit.FRACTION,
            note=watch.tail.unknown or "in one session, as their past was",
        ),
    )


def _summary(book: AccountBook, watch: RiskWatch) -> tuple[tuple[str, str], ...]:
    measured = tuple(
        (label, written(getattr(watch.metrics, name), unit)) for name, label, unit in MEASURES
    )
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Session", str(watch.session or "none yet")),
        ("Account value", written(float(book.equity), Unit.MONEY)),
        ("Positions", str(len(book.positions))),
        ("Limits beyond", f"{len(watch.breached)} of {len(watch.lines)}"),
        *measured,
        ("Value at risk of today's positions", written(watch.tail.value_at_risk, Unit.FRACTION)),
        ("Capital tier", watch.tier.tier.value),
    )
