"""A selection as one tracked run: what was compared, how choosing did, every decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from slices.domain.fingerprint import fingerprint
from slices.domain.selection_parameters import DEFAULT_PERIODS, SelectionPeriods, SelectionRule
from slices.ml_strategy.selecting.wording import title
from slices.runtime import tracking
from slices.runtime.sources import code_version
from slices.runtime.tracking import TrackedData, TrackedPart, TrackedRun

if TYPE_CHECKING:
    from slices.domain.dataset import DatasetRef
    from slices.domain.strategy_selection import RuleResult, SelectionDecision, SelectionEvidence

EXPERIMENT = "strategy-selection"


def track_selection(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    *,
    periods: SelectionPeriods = DEFAULT_PERIODS,
    seed: int = 0,
) -> str:
    """Keep a selection as one tracked run, or find the one there is.

    Args:
        bars: What it was made on.
        evidence: What it stands on.
        decision: What was chosen.
        periods: When is decided.
        seed: Of everything random.

    Returns:
        The run's id.

    Raises:
        SettingsError: Where the server cannot be reached.
    """
    return tracking.track(selection_run(bars, evidence, decision, periods=periods, seed=seed))


def selection_run(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    *,
    periods: SelectionPeriods,
    seed: int,
) -> TrackedRun:
    """Describe a selection as a tracked run with its ways of choosing below it."""
    chosen = "nothing" if decision.strategy is None else decision.strategy.value
    return TrackedRun(
        experiment=EXPERIMENT,
        key=fingerprint(bars.fingerprint, evidence, decision, periods, seed, code_version()),
        main=TrackedPart(
            name=f"{decision.session} {chosen}",
            parameters=_parameters(bars, evidence, decision, periods=periods, seed=seed),
            metrics=_metrics(evidence),
            tags=(
                ("tradeflows.data", bars.fingerprint),
                ("tradeflows.code", code_version()),
                ("tradeflows.session", str(decision.session)),
            ),
            note=f"**{chosen}** from {decision.session} on. {decision.reason}",
        ),
        tables=(("decisions", decision_frame(evidence)), ("accounts", account_frame(evidence))),
        nested=tuple(_nested(each) for each in evidence.rules),
        datasets=(
            TrackedData(
                name=f"{bars.source} {bars.feed}",
                digest=bars.fingerprint,
                source=f"{bars.source}/{bars.feed}",
                columns=bars.shape.values,
                profile=(("rows", str(bars.rows)), ("symbols", str(len(bars.symbols)))),
            ),
        ),
    )


def _parameters(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    *,
    periods: SelectionPeriods,
    seed: int,
) -> tuple[tuple[str, str], ...]:
    return (
        ("model", evidence.model.value),
        ("strategies", " ".join(each.value for each in evidence.strategies)),
        ("symbols", " ".join(bars.symbols)),
        *((name, str(value)) for name, value in periods.model_dump().items()),
        ("seed", str(seed)),
        ("chosen", "" if decision.strategy is None else decision.strategy.value),
        ("basis", "" if decision.basis is None else decision.basis.value),
        *((f"chosen.{name}", str(value)) for name, value in decision.parameters),
    )


def _metrics(evidence: SelectionEvidence) -> tuple[tuple[str, float], ...]:
    model, mix = (evidence.result_of(each) for each in (SelectionRule.MODEL, SelectionRule.MIX))
    return (
        ("hit_rate", evidence.hit_rate),
        ("chance", evidence.chance),
        ("mean_rank", evidence.mean_rank),
        ("excess_over_mix", model.excess.value),
        ("excess_t_statistic", model.excess.t_statistic),
        ("regret", model.regret.value),
        ("sharpe_ratio", model.performance.sharpe_ratio),
        ("mix_sharpe_ratio", mix.performance.sharpe_ratio),
        ("is_better", float(evidence.is_better)),
    )


def _nested(result: RuleResult) -> TrackedPart:
    measured = result.performance
    metrics = (
        ("annualized_return", measured.annualized_return),
        ("sharpe_ratio", measured.sharpe_ratio),
        ("max_drawdown", measured.max_drawdown),
        ("annual_turnover", result.annual_turnover),
        ("regret", result.regret.value),
        ("excess_over_mix", result.excess.value),
    )
    return TrackedPart(
        name=result.label, parameters=(("rule", result.rule.value),), metrics=metrics
    )


def decision_frame(evidence: SelectionEvidence) -> pl.DataFrame:
    """Tabulate every decision out of sample, oldest first."""
    made = evidence.decisions
    return pl.DataFrame(
        {
            "session": [each.session for each in made],
            "regime": [each.regime for each in made],
            "chosen": [title(each.chosen) for each in made],
            "probability": [each.probability for each in made],
            "best": [None if each.best is None else title(each.best) for each in made],
            "chosen_return": [each.chosen_return for each in made],
            "best_return": [each.best_return for each in made],
            "mean_return": [each.mean_return for each in made],
        }
    )


def account_frame(evidence: SelectionEvidence) -> pl.DataFrame:
    """Tabulate the account values of every way of choosing."""
    values = {each.rule.value: list(each.equity) for each in evidence.rules}
    return pl.DataFrame({"session": list(evidence.rules[0].sessions)} | values)
