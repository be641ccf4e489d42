"""Whether the choice of symbols knew which of them would do well, or be there at all."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError, TradingError, listed
from slices.domain.verdicts import Leak, LeakFinding, LookAheadProbe
from slices.quant.validity.futures import Future, with_future

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from slices.quant.panel import Panel

_OTHERS = (Future.NOISE, Future.SHUFFLED, Future.ABSENT)


def probe_universe(
    choose: Callable[[Panel], tuple[str, ...]],
    panel: Panel,
    *,
    first_session: dt.date,
    cuts: int = 8,
    seed: int = 0,
) -> LookAheadProbe:
    """Find out whether a choice of symbols could have been made when trading began.

    Args:
        choose: From a panel to the symbols that are traded.
        panel: T sessions, before and after trading began.
        first_session: At whose close the choice is made.
        cuts: How many different futures after it are tried, beside cutting it off.
        seed: Of these futures.

    Returns:
        A finding where another future changes which symbols are chosen; their order is free.

    Raises:
        ParameterError: Where the panel has no session up to the first.
    """
    known = bisect_right(panel.sessions, first_session)
    if known < 1:
        raise ParameterError(
            parameter="first_session",
            found=first_session.isoformat(),
            allowed=f"{panel.sessions[0]} or later",
        )
    decided = panel.sessions[known - 1]
    chosen = frozenset(choose(panel))
    if frozenset(choose(panel)) != chosen:
        return LookAheadProbe(cuts=(), findings=(_unrepeatable(decided),))
    compared = False
    for number, future in enumerate((Future.CUT, *(_OTHERS[i % 3] for i in range(cuts)))):
        try:
            others = frozenset(choose(with_future(panel, known, future, seed=seed + number)))
        except TradingError:
            continue
        compared = True
        if others != chosen:
            finding = _finding(chosen, others, decided, future)
            return LookAheadProbe(cuts=(decided,), findings=(finding,))
    return LookAheadProbe(cuts=(decided,) if compared else ())


def _finding(
    chosen: frozenset[str], others: frozenset[str], decided: dt.date, future: Future
) -> LeakFinding:
    changes = []
    if chosen - others:
        changes.append(f"{listed(tuple(sorted(chosen - others)), most=5)} not chosen")
    if others - chosen:
        changes.append(f"{listed(tuple(sorted(others - chosen)), most=5)} chosen instead")
    return LeakFinding(
        leak=Leak.UNIVERSE,
        session=decided,
        detail=f"with the bars after {decided} {future.value} the choice of symbols differs: "
        f"{' and '.join(changes)}; it could not have been made on {decided}.",
    )


def _unrepeatable(decided: dt.date) -> LeakFinding:
    return LeakFinding(
        leak=Leak.NOT_REPEATABLE,
        session=decided,
        detail="asked again with the same bars it chose other symbols; a choice that draws "
        "numbers needs a seed.",
    )
