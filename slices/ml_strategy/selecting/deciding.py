"""From evidence to what is traded: the strategy, and parameters found before the decision alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.strategy_selection import SelectionDecision, SelectionTuning
from slices.domain.verdicts import NEEDED_PROBABILITY
from slices.quant.signals.catalogue import checked_parameters, default_parameters, search_space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.dataset import DatasetRef
    from slices.domain.strategies import StrategyName
    from slices.domain.strategy_selection import SelectionEvidence
    from slices.domain.studies import OverfittingEvidence, SearchSurface

FEWEST_TRIALS = 2


def tunable(evidence: SelectionEvidence, *, trials: int) -> list[StrategyName]:
    """List the strategy whose parameters are to be searched; nothing where there is none.

    Args:
        evidence: With the strategy that follows.
        trials: Sets of parameters to try; fewer than two keep the defaults.
    """
    chosen = evidence.strategy
    if chosen is None or trials < FEWEST_TRIALS or not search_space(chosen):
        return []
    return [chosen]


def settle_choice(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    *,
    surfaces: Sequence[SearchSurface] = (),
    luck: Sequence[OverfittingEvidence] = (),
) -> SelectionDecision:
    """Say what to trade from the newest session on, and with which parameters.

    The centre of the plateau is taken where the search found one and its best trial is beyond the
    luck of so many; otherwise the defaults stay. The search saw bars up to the decision alone; how
    its parameters do afterwards nobody knows yet, and the accounts out of sample had the defaults.

    Args:
        bars: Their last session is the one that decides.
        evidence: Which strategy follows.
        surfaces: What the search of its parameters looks like; none where nothing was searched.
        luck: How likely the best trial is only the luckiest; likewise.
    """
    tuning = next((tuned(*each) for each in zip(surfaces, luck, strict=True)), None)
    parameters: tuple[tuple[str, float | str | bool], ...] = ()
    if evidence.strategy is not None:
        taken = tuning is not None and tuning.is_taken
        chosen = (
            checked_parameters(evidence.strategy, dict(tuning.found))
            if tuning is not None and taken
            else default_parameters(evidence.strategy)
        )
        parameters = tuple(chosen.model_dump().items())
    return SelectionDecision(
        session=bars.last_session,
        strategy=evidence.strategy,
        basis=evidence.basis,
        reason=evidence.reason,
        parameters=parameters,
        tuning=tuning,
    )


def tuned(surface: SearchSurface, luck: OverfittingEvidence) -> SelectionTuning:
    """Say what a search found, and whether it is believed."""
    centre = surface.plateau.centre
    probability = luck.deflated_sharpe_ratio
    is_sure = probability >= NEEDED_PROBABILITY
    if centre is None:
        reason = f"The defaults stay: {surface.plateau.reason}."
    elif not is_sure:
        reason = (
            f"The defaults stay: the best of {luck.trials:,} trials is beyond luck with a "
            f"probability of {probability:.1%} only."
        )
    else:
        reason = (
            f"The centre of the plateau is taken: the best of {luck.trials:,} trials is beyond "
            f"luck with a probability of {probability:.1%}."
        )
    return SelectionTuning(
        trials=luck.trials,
        best_sharpe=luck.best_sharpe,
        deflated_sharpe_ratio=probability,
        found=() if centre is None else centre.parameters,
        is_taken=centre is not None and is_sure,
        reason=reason,
    )
