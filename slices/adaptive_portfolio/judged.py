"""What the reports of all factor portfolios say: what the rule made, and what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.data_report import data_caveats, data_notes
from slices.domain.errors import counted, listed
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.domain.verdict_report import verdict_figure, verdict_section, verdict_sentence

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef, LeftOut
    from slices.domain.report import Section

MOST_CAVEATS = 12
ENDING = "the account sells what it holds of it at its last close"


def headline(intro: str, tested: Backtest, bars: DatasetRef) -> str:
    """Say what a rule made, what holding everything made, and whether it may be believed.

    Args:
        intro: What was done, as the subject of "made".
        tested: What became of it.
        bars: The data; what it says of survivorship ends the answer.
    """
    mine, market = tested.performance, tested.benchmark_performance
    made = (
        f"lost everything on {tested.ruined}"
        if tested.ruined
        else f"made {written(mine.annualized_return, Unit.FRACTION)} a year net of costs "
        f"(Sharpe ratio {written(mine.sharpe_ratio, Unit.RATIO)})"
    )
    return (
        f"{intro} {made}; holding all of them made "
        f"{written(market.annualized_return, Unit.FRACTION)} "
        f"({written(market.sharpe_ratio, Unit.RATIO)}). {verdict_sentence(tested.verdict)} "
        f"{bars.universe_note.partition(':')[0].rstrip('.')}."
    )


def figures(tested: Backtest) -> tuple[KeyFigure, ...]:
    """Show what it made, what it risked, what it traded and the verdict."""
    mine, market, verdict = tested.performance, tested.benchmark_performance, tested.verdict
    low, high = (written(e, Unit.RATIO) for e in (verdict.sharpe_low, verdict.sharpe_high))
    confidence = written(verdict.confidence, Unit.FRACTION)
    return (
        KeyFigure(
            label="Return a year", value=mine.annualized_return, unit=Unit.FRACTION,
            note=f"net of costs; holding {written(market.annualized_return, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Sharpe ratio", value=mine.sharpe_ratio, unit=Unit.RATIO,
            note=f"{confidence} interval {low} to {high}",
        ),
        KeyFigure(
            label="Largest drawdown", value=mine.max_drawdown, unit=Unit.FRACTION,
            note=f"holding {written(market.max_drawdown, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Turnover a year", value=tested.annual_turnover, unit=Unit.FRACTION,
            note=f"one-way; costs in all {written(tested.costs.total, Unit.MONEY)}",
        ),
        verdict_figure(verdict),
    )  # fmt: skip


def summary(bars: DatasetRef, tested: Backtest) -> tuple[tuple[str, str], ...]:
    """List what it made beside holding everything."""
    mine, market = tested.performance, tested.benchmark_performance

    def beside(name: str, unit: Unit) -> str:
        values = (getattr(mine, name), getattr(market, name))
        return f"{written(values[0], unit):>7}   holding {written(values[1], unit)}"

    return (
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {counted(len(bars.symbols), 'symbol')}"),
        ("Judged out of sample", f"{tested.sessions[0]} to {tested.sessions[-1]}"),
        ("Return a year, net of costs", beside("annualized_return", Unit.FRACTION)),
        ("Volatility a year", beside("annualized_volatility", Unit.FRACTION)),
        ("Sharpe ratio", beside("sharpe_ratio", Unit.RATIO)),
        ("Largest drawdown", beside("max_drawdown", Unit.FRACTION)),
        ("Turnover a year, one-way", f"{written(tested.annual_turnover, Unit.FRACTION):>7}"),
        ("Verdict", tested.verdict.grade.value.upper()),
    )


def caveats(bars: DatasetRef, left_out: tuple[LeftOut, ...] = ()) -> tuple[str, ...]:
    """Name the symbols that could not be had, and what is wrong with the bars of the others."""
    found = (*(str(each) for each in left_out), *data_caveats(bars, ending=ENDING))
    if len(found) <= MOST_CAVEATS:
        return found
    rest = found[MOST_CAVEATS:]
    names = tuple(dict.fromkeys(each.partition(":")[0] for each in rest))
    return (*found[:MOST_CAVEATS], f"{len(rest)} more about {listed(names, most=20)}")


def late_notes(bars: DatasetRef, *, window_sessions: int) -> tuple[str, ...]:
    """Say which symbols begin later than the others, and what became of them before."""
    first = bars.first_session
    late = tuple(each.symbol for each in bars.quality if each.first_session > first)
    if not late:
        return ()
    return (
        f"{listed(late, most=8)} begin{'s' if len(late) == 1 else ''} later than {first}: a symbol "
        f"takes part once it has {window_sessions + 1:,} sessions of bars without a hole, and "
        "nothing is filled before.",
    )


def made_report(
    key: str,
    title: str,
    *,
    headline: str,
    tested: Backtest,
    sections: tuple[Section, ...],
    caveats: tuple[str, ...],
    notes: tuple[str, ...],
) -> Report:
    """Put a report together: its own sections first, the verdict where the reader looks for it."""
    own, *others = sections
    return Report(
        key=key,
        title=title,
        headline=headline,
        figures=figures(tested),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(
                Note(text=each, tone=Tone.WARNING if at == 0 else Tone.NEUTRAL)
                for at, each in enumerate(notes)
            ),
        ),
        sections=(own, verdict_section(tested.verdict), *others),
        chart="equity",
        provenance=(),
    )


def plain_notes(bars: DatasetRef, *own: str, window_sessions: int) -> tuple[str, ...]:
    """Say whether survivorship is controlled, what prices leave out, and what the rule assumes."""
    return (*data_notes(bars), *own, *late_notes(bars, window_sessions=window_sessions))
