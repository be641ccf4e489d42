"""Storing what was chosen, where paper accounts that trade `selected` read it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal

from slices.domain.calendar import session_close
from slices.domain.choices import DEFAULT_SELECTION, ActiveChoice
from slices.domain.selection_parameters import DEFAULT_PERIODS, SelectionPeriods
from slices.domain.strategy_selection import Activation
from slices.ledger.choices import choice_at, record_choice
from slices.ledger.opening import books_of
from slices.runtime.artifacts import current_run

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.strategy_selection import SelectionDecision, SelectionEvidence

DAY = dt.timedelta(days=1)


def activate_choice(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    *,
    selection: str = DEFAULT_SELECTION,
    activate: Literal["paper", "plan"] = "paper",
    periods: SelectionPeriods = DEFAULT_PERIODS,
    run_id: str = "",
) -> Activation:
    """Store a choice in the books of paper accounts, once per series and session.

    Args:
        bars: What it was made on.
        evidence: What it stands on.
        decision: The choice; without a strategy nothing is stored.
        selection: Name of the series.
        activate: `plan` only shows it.
        periods: After how many sessions the next one is due.
        run_id: The tracked run.

    Raises:
        LedgerError: Where something else was chosen at that session under this name.
    """
    choice = active_choice(
        bars, evidence, decision, selection=selection, periods=periods, run_id=run_id
    )
    with books_of("paper") as ledger:
        before = choice_at(ledger, selection, decision.session - DAY)
        if choice is None:
            return Activation(outcome="nothing", choice=None, before=before)
        if activate == "plan":
            return Activation(outcome="planned", choice=choice, before=before)
        is_new = record_choice(ledger, choice)
        stored = choice_at(ledger, selection, decision.session)
    return Activation(outcome="stored" if is_new else "known", choice=stored, before=before)


def active_choice(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    *,
    selection: str,
    periods: SelectionPeriods,
    run_id: str,
) -> ActiveChoice | None:
    """Put a choice together as it is stored; None where nothing is to be traded."""
    if decision.strategy is None or decision.basis is None:
        return None
    return ActiveChoice(
        name=selection,
        session=decision.session,
        strategy=decision.strategy,
        parameters=tuple((name, str(value)) for name, value in decision.parameters),
        symbols=bars.symbols,
        basis=decision.basis,
        reason=decision.reason,
        regime=evidence.regime[0],
        probabilities=tuple((each.strategy.value, each.probability) for each in evidence.tallies),
        decision_sessions=periods.decision_sessions,
        data_fingerprint=bars.fingerprint,
        prefect_run_id=current_run().run_id,
        mlflow_run_id=run_id,
        recorded_at=session_close(decision.session, calendar=bars.calendar),
    )
