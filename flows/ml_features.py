"""Feature flow: which inputs carry information."""

from typing import Annotated

from pydantic import Field

from slices.data import tasks as data
from slices.domain.bars import Adjustment
from slices.domain.feature_evidence import ALL_FAMILIES, Families, FeatureEngineering
from slices.domain.learning import LEARNING_SYMBOLS, LabelSettings
from slices.domain.parameters import (
    PortfolioSymbols,
    ReturnAdjustment,
    Seed,
    SessionDate,
    SourceName,
)
from slices.ml_strategy import tasks as learning
from slices.monitor import tasks as monitor
from slices.runtime.workflow import workflow


@workflow()
def ml_feature_engineering(
    symbols: PortfolioSymbols = LEARNING_SYMBOLS,
    *,
    source: SourceName = "embedded",
    feed: str | None = None,
    start: SessionDate | None = None,
    end: SessionDate | None = None,
    adjustment: ReturnAdjustment = Adjustment.TOTAL,
    families: Families = ALL_FAMILIES,
    horizon_sessions: Annotated[int, Field(ge=1, le=63)] = 5,
    entry_lag_sessions: Annotated[int, Field(ge=1, le=5)] = 1,
    selection_fraction: Annotated[float, Field(ge=0.2, le=0.9)] = 0.6,
    largest_redundancy: Annotated[float, Field(ge=0.3, le=0.99)] = 0.8,
    seed: Seed = 0,
) -> FeatureEngineering:
    """Which inputs carry information?

    Builds about a hundred declared features, proves that none of them knows the future (the run
    fails otherwise), measures what each tells of the returns that follow, for how long and at what
    turnover, finds those that say the same, and keeps one of each group. The choice is made on the
    first part of the sessions; the rest shows what was left of it.

    Args:
        symbols: The universe, at least two tickers.
        source: Where bars come from; `embedded` is real data that needs no network.
        feed: Which data set, feed or file of the source; empty picks the source's own choice.
        start: First session to look at; empty takes all there is.
        end: Last session to look at; empty takes all there is.
        adjustment: What prices are corrected for; `total` counts dividends, `split` does not.
        families: Which families of features to build.
        horizon_sessions: Sessions over which the return that is told of is earned.
        entry_lag_sessions: Sessions from the decision to the close at which that return begins.
        selection_fraction: Share of the sessions, from the first on, to select features on.
        largest_redundancy: Mean rank correlation from which on two features say the same.
        seed: Start of the look-ahead proof.
    """
    loaded = data.load_available(
        symbols, source=source, feed=feed, start=start, end=end, adjustment=adjustment
    )
    data.check_sizing_allowed(loaded.bars)
    label = LabelSettings(horizon_sessions=horizon_sessions, entry_lag_sessions=entry_lag_sessions)
    technical = learning.technical_features.submit(loaded.bars, families=families)
    market = learning.market_features.submit(loaded.bars, families=families)
    interactions = learning.interaction_features.submit(loaded.bars, families=families)
    groups = (technical.result(), market.result(), interactions.result())
    names = learning.feature_names(groups)
    proof = learning.check_features(loaded.bars, names, seed=seed)
    study = learning.feature_evidence(
        loaded.bars, groups, label=label, selection_fraction=selection_fraction
    )
    selection = learning.select_features(study, largest_redundancy=largest_redundancy)
    features = learning.build_features(loaded.bars, names=selection.names)
    findings = learning.feature_findings(
        loaded.bars,
        left_out=loaded.left_out,
        features=features,
        study=study,
        selection=selection,
        proof=proof,
    )
    return monitor.publish(findings)
