"""Trading what strategy selection has stored: the newest choice made by the deciding session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.calendar import missed_sessions
from slices.domain.choices import DEFAULT_SELECTION
from slices.domain.errors import ParameterError, counted, listed
from slices.domain.report import Note, Section, Table, Unit
from slices.ledger.choices import choice_at, choice_series
from slices.paper_trade.beginning import paper_ledger
from slices.quant.signals.catalogue import STRATEGIES

if TYPE_CHECKING:
    import datetime as dt

    from slices.domain.choices import ActiveChoice
    from slices.domain.dataset import DatasetRef
    from slices.domain.strategies import AccountStrategyOption

SELECTED = "selected"


def selected_choice(
    known: DatasetRef,
    *,
    strategy: AccountStrategyOption = "selected",
    selection: str = DEFAULT_SELECTION,
) -> ActiveChoice | None:
    """Read the choice that holds at the last session of some bars.

    Args:
        known: Bars up to the session that decides, or at which a replay begins; a choice made
            later is not seen.
        strategy: What is asked for; nothing is read for anything but `selected`.
        selection: Name of the series of choices.

    Returns:
        The newest choice made at that session or before; None where none is asked for.

    Raises:
        ParameterError: Where there is none, naming the series there are.
    """
    if strategy != SELECTED:
        return None
    with paper_ledger() as ledger:
        found = choice_at(ledger, selection, known.last_session)
        series = choice_series(ledger)
    if found is None:
        raise _missing(selection, known.last_session, series)
    return found


def _missing(
    selection: str, session: dt.date, series: tuple[tuple[str, dt.date], ...]
) -> ParameterError:
    offers = tuple(f"'{name}' from {first} on" for name, first in series)
    there = f"stored are {listed(offers)}" if offers else "none is stored yet"
    return ParameterError(
        parameter="strategy",
        found=f"'{SELECTED}', and no choice '{selection}' made by {session}",
        allowed=f"a stored choice ({there}); run ml_strategy_selection to make one, "
        "or name a strategy",
    )


def selected_section(choice: ActiveChoice) -> Section:
    """Show what was chosen, when and why."""
    return Section(
        title="How it was chosen",
        intro=(
            f"By strategy selection '{choice.name}' at the close of {choice.session}, for "
            f"{listed(choice.symbols, most=6)}: {choice.reason}"
        ),
        blocks=(
            Table(
                key="selected-probabilities",
                title="What the classifier said then",
                columns=("Strategy", "Probability of being the best"),
                units=(Unit.TEXT, Unit.FRACTION),
                rows=tuple(
                    (_named(name, choice), chance)
                    for name, chance in sorted(choice.probabilities, key=lambda each: -each[1])
                ),
                caption=f"The market was {choice.regime.replace('_', ' ') or 'unknown'}. Tracked "
                f"run {choice.mlflow_run_id or 'unknown'}, flow run "
                f"{choice.prefect_run_id or 'unknown'}.",
            ),
            Note(
                text=f"The next choice is due after {counted(choice.decision_sessions, 'session')}."
            ),
        ),
    )


def _named(name: str, choice: ActiveChoice) -> str:
    title = next((each.title for each in STRATEGIES.values() if each.name == name), name)
    return title + (", chosen" if name == choice.strategy else "")


def selected_caveats(
    choice: ActiveChoice | None, bars: DatasetRef, *, session: dt.date
) -> tuple[str, ...]:
    """Say where a stored choice is old, or was made for other symbols.

    Args:
        choice: What is traded; None where it was not stored.
        bars: What it is traded on.
        session: At whose close was decided.
    """
    if choice is None:
        return ()
    age = missed_sessions(choice.session, session, calendar=bars.calendar)
    found = []
    if age > choice.decision_sessions:
        found.append(
            f"The choice '{choice.name}' is of {choice.session}, {counted(age, 'session')} ago; "
            f"the next was due after {choice.decision_sessions}: run ml_strategy_selection again."
        )
    if set(choice.symbols) != set(bars.symbols):
        found.append(
            f"The choice '{choice.name}' was made for {listed(choice.symbols, most=6)} and is "
            f"traded on {listed(bars.symbols, most=6)}."
        )
    return tuple(found)
