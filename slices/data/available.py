"""Loading what there is: symbols that cannot be had are left out by name, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.data.loading import configured_source
from slices.domain.dataset import LeftOut
from slices.domain.errors import SymbolNotFoundError, TradingError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from slices.data.ingest import IngestOutcome
    from slices.domain.dataset import DatasetRef

Outcomes = tuple["IngestOutcome", ...]
Parted = tuple[Outcomes, tuple[LeftOut, ...]]


def known_symbols(
    symbols: Sequence[str], *, source: str, feed: str | None
) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """Part what a source may have from what it says it does not.

    Raises:
        SymbolNotFoundError: Where it has none of them.
    """
    try:
        configured_source(source, feed=feed, symbols=tuple(symbols))
    except SymbolNotFoundError as error:
        known = tuple(each for each in symbols if each not in error.symbols)
        if not known:
            raise
        return known, tuple(
            LeftOut(symbol=each, reason=f"not found in source '{error.source}'")
            for each in error.symbols
        )
    return tuple(symbols), ()


def parted(
    groups: Sequence[tuple[str, ...]],
    answers: Sequence[object],
    *,
    start: dt.date | None,
    end: dt.date | None,
) -> Parted:
    """Part what parallel fetches delivered from what they could not.

    Args:
        groups: The symbols each fetch was asked for.
        answers: Outcomes or an error of each.
        start: First date wanted.
        end: Last date wanted.

    Returns:
        The outcomes that can be assembled; where there are none, all that were delivered, so that
        assembling them says why.

    Raises:
        TradingError: The first failure of a fetch, where nothing can be assembled.
    """
    good: list[IngestOutcome] = []
    delivered: list[IngestOutcome] = []
    left_out: list[LeftOut] = []
    errors = [each for each in answers if isinstance(each, BaseException)]
    foreign = [each for each in errors if not isinstance(each, TradingError)]
    if foreign:
        raise foreign[0]
    for group, answer in zip(groups, answers, strict=True):
        if isinstance(answer, BaseException):
            left_out += (LeftOut(symbol=each, reason=_plain(str(answer), each)) for each in group)
            continue
        for outcome in answer:  # type: ignore[attr-defined]
            delivered.append(outcome)
            reason = _reason(outcome, start, end)
            if reason:
                left_out.append(LeftOut(symbol=outcome.symbol, reason=reason))
            else:
                good.append(outcome)
    if not good and errors:
        raise errors[0]
    return tuple(good or delivered), tuple(left_out)


def suspects(bars: DatasetRef) -> tuple[LeftOut, ...]:
    """List the symbols with a jump that looks like a split nobody adjusted for."""
    return tuple(
        LeftOut(
            symbol=each.symbol,
            reason=(
                f"price changed {each.suspected_splits[-1].change:+.1%} on "
                f"{each.suspected_splits[-1].session}, which looks like an unadjusted split"
            ),
        )
        for each in bars.quality
        if each.suspected_splits
    )


def without(outcomes: Outcomes, left_out: tuple[LeftOut, ...]) -> Outcomes:
    """Drop the outcomes of symbols that were left out."""
    names = {each.symbol for each in left_out}
    return tuple(each for each in outcomes if each.symbol not in names)


def _reason(outcome: IngestOutcome, start: dt.date | None, end: dt.date | None) -> str:
    if outcome.failure is not None:
        return _plain(outcome.failure.reason, outcome.symbol)
    assert outcome.stored is not None  # noqa: S101 - an outcome is one or the other
    found = outcome.stored.quality
    if (start and found.last_session < start) or (end and found.first_session > end):
        return f"no bars between the dates; it has {found.first_session} to {found.last_session}"
    return ""


def _plain(reason: str, symbol: str) -> str:
    return reason.removeprefix(f"{symbol}: ")
