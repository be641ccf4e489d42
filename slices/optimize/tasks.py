"""The optimization work flows can order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.studies import SearchMethod
from slices.optimize import (
    combinatorial,
    findings,
    overfitting,
    plan,
    surface,
    tpe,
    tracked,
    trials,
    walk_forward,
)
from slices.runtime.artifacts import ProgressBar
from slices.runtime.kinds import act, compute
from slices.runtime.mapping import results_of

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef

check_search = plan.check_search
plan_search = compute(plan.plan_search)
try_batch = compute(trials.try_batch, run_name="try batch {batch}")
search_by_tpe = compute(tpe.search_by_tpe)
search_surface = compute(surface.search_surface)
walk = compute(walk_forward.walk_forward)
candidates = compute(walk_forward.candidates)
combinatorial_evidence = compute(combinatorial.combinatorial_evidence)
overfitting_evidence = compute(overfitting.overfitting_evidence)
optimization_findings = compute(findings.optimization_findings)
open_tracking = act(tracked.open_tracking)
track_study = act(tracked.track_study)


def search(bars: DatasetRef, planned: plan.SearchPlan) -> trials.Trials:
    """Try everything planned, in parallel; what an interrupted run has finished is not repeated."""
    if planned.method is SearchMethod.TPE:
        return trials.collected(bars, planned, [search_by_tpe(bars, plan=planned)])
    return _tried(bars, planned)


def validation(bars: DatasetRef, planned: plan.SearchPlan, made: trials.Trials) -> trials.Trials:
    """Return the trials choices are validated among: what was made, or random ones for TPE."""
    return _tried(bars, planned) if planned.method is SearchMethod.TPE else made


def _tried(bars: DatasetRef, planned: plan.SearchPlan) -> trials.Trials:
    batches = plan.batches(planned)
    found = results_of(
        try_batch,
        each={"points": batches, "batch": list(range(1, len(batches) + 1))},
        same={
            "bars": bars,
            "space": planned.space,
            "costs": planned.costs,
            "capital": planned.capital,
            "first": planned.first,
            "block_sessions": planned.block_sessions,
        },
        bar=ProgressBar("optimization-search", f"{len(batches)} batches of trials"),
    )
    return trials.collected(bars, planned, found)
