"""The findings of strategy selection: the answer, the figures, the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import ParameterError, listed
from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Section, Tone, Unit
from slices.domain.selection_parameters import SelectionRule
from slices.domain.strategies import StrategyName
from slices.domain.strategy_selection import StrategySelection
from slices.domain.verdict_report import verdict_section
from slices.ml_strategy.selecting.tables import (
    ACCOUNTS,
    account_chart,
    decision_table,
    newest_table,
    probability_chart,
    regime_chart,
    regret_table,
    result_table,
    tally_table,
    tuning_table,
)
from slices.ml_strategy.selecting.wording import (
    NEEDED_T,
    OUTCOMES,
    choice_warnings,
    regime_words,
    selection_headline,
    selection_notes,
    settings_text,
    span_text,
    title,
)
from slices.quant.signals.catalogue import check_symbols

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest
    from slices.domain.dataset import DatasetRef
    from slices.domain.strategy_selection import Activation, SelectionDecision, SelectionEvidence


def check_selection(parameters: dict[str, Any]) -> None:
    """Check a flow's `strategies` against its `symbols`, and its `fallback` against both.

    Raises:
        ParameterError: Where a strategy compares symbols and there is one, or the fallback is not
            among the strategies.
    """
    names = [StrategyName(each) for each in parameters["strategies"]]
    for name in names:
        check_symbols(name, parameters["symbols"])
    fallback = parameters["fallback"]
    allowed = ("leader", "none", *(each.value for each in names))
    if fallback not in allowed:
        raise ParameterError(parameter="fallback", found=fallback, allowed=listed(allowed))


def selection_findings(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    activation: Activation,
    *,
    tested: Backtest,
    run_id: str = "",
) -> StrategySelection:
    """Put together what was found, what was chosen and what became of it.

    Args:
        bars: The data.
        evidence: Whether choosing has paid.
        decision: What was chosen.
        activation: Whether it was stored.
        tested: The account that followed the model out of sample.
        run_id: The tracked run.
    """
    caveats = (*_suspicions(evidence), *data_caveats(bars))
    said = (*data_notes(bars), *selection_notes(evidence))
    headline = selection_headline(evidence, decision)
    tone = Tone.GOOD if evidence.is_better else Tone.NEUTRAL
    return StrategySelection(
        headline=headline,
        caveats=caveats,
        summary=_summary(evidence, decision, activation),
        notes=said,
        report=Report(
            key="ml-strategy-selection",
            title="Which strategy now?",
            headline=headline,
            figures=_figures(evidence),
            notes=(
                Note(text=decision.reason, tone=tone),
                *(Note(text=each, tone=Tone.WARNING) for each in choice_warnings(evidence)),
                *(Note(text=each, tone=Tone.WARNING) for each in caveats),
                *(Note(text=each) for each in said),
            ),
            sections=_sections(bars, evidence, decision, activation, tested),
            chart=ACCOUNTS,
            provenance=(),
        ),
        bars=bars,
        mlflow_run_id=run_id,
        evidence=evidence,
        decision=decision,
        activation=activation,
        tested=tested,
    )


def _suspicions(evidence: SelectionEvidence) -> tuple[str, ...]:
    return (f"SUSPECT: {evidence.suspicion}.",) if evidence.suspicion else ()


def _figures(evidence: SelectionEvidence) -> tuple[KeyFigure, ...]:
    model, mix = (evidence.result_of(each) for each in (SelectionRule.MODEL, SelectionRule.MIX))
    often = max(each.best for each in evidence.tallies) / max(1, evidence.known)
    now = evidence.decisions[-1]
    return (
        KeyFigure(
            label="Over the equal mix a year", value=model.excess.value, unit=Unit.FRACTION,
            note=f"at equal risk; 95 % interval {span_text(model.excess)}, "
            f"t = {written(model.excess.t_statistic, Unit.RATIO)}, needed {NEEDED_T}",
            tone=Tone.GOOD if evidence.is_better else Tone.NEUTRAL,
        ),
        KeyFigure(
            label="Regret a year", value=model.regret.value, unit=Unit.FRACTION,
            note="against the best single strategy in hindsight; of the mix: "
            f"{written(mix.regret.value, Unit.FRACTION)}",
        ),
        KeyFigure(
            label="Chose the best one", value=evidence.hit_rate, unit=Unit.FRACTION,
            note=f"of {evidence.known:,} decisions; blindly {evidence.chance:.1%}, always the one "
            f"that turned out best most often {often:.1%}",
        ),
        KeyFigure(
            label="Sharpe ratio by the model", value=model.performance.sharpe_ratio,
            unit=Unit.RATIO,
            note=f"equal mix {written(mix.performance.sharpe_ratio, Unit.RATIO)}, net of costs",
        ),
        KeyFigure(
            label="Probability of its choice now", value=now.probability, unit=Unit.FRACTION,
            note=f"{title(now.chosen)}; the market is {regime_words(evidence.regime[0])}",
        ),
    )  # fmt: skip


def _sections(
    bars: DatasetRef,
    evidence: SelectionEvidence,
    decision: SelectionDecision,
    activation: Activation,
    tested: Backtest,
) -> tuple[Section, ...]:
    tuning = decision.tuning
    return (
        Section(
            title="Which strategy now",
            blocks=(
                decision_table(decision, activation),
                *((tuning_table(tuning, decision),) if tuning else ()),
                probability_chart(evidence),
                regime_chart(evidence),
            ),
        ),
        Section(
            title="Has choosing paid?",
            intro=(
                "Every way of choosing is one account that trades what the strategy in force wants "
                "and pays for switching. The equal mix holds the mean of what all want."
            ),
            blocks=(account_chart(evidence), regret_table(evidence), result_table(evidence)),
        ),
        Section(
            title="Did it choose the best?",
            intro=(
                f"The chosen strategy had rank {evidence.mean_rank:.1f} of "
                f"{len(evidence.strategies)} on average; choosing blindly comes to "
                f"{(len(evidence.strategies) + 1) / 2:.1f} where none are alike."
            ),
            blocks=(tally_table(evidence), newest_table(evidence)),
        ),
        _believed(tested),
        data_section(bars),
    )


def _believed(tested: Backtest) -> Section:
    section = verdict_section(tested.verdict)
    return Section(
        title="May the model's account be believed?", blocks=section.blocks, intro=section.intro
    )


def _summary(
    evidence: SelectionEvidence, decision: SelectionDecision, activation: Activation
) -> tuple[tuple[str, str], ...]:
    model, now = evidence.result_of(SelectionRule.MODEL), evidence.decisions[-1]
    chosen = "nothing new" if decision.strategy is None else title(decision.strategy)
    return (
        ("Strategy", chosen),
        ("Parameters", settings_text(decision.parameters) or "none to set"),
        ("Session", str(decision.session)),
        ("Why", decision.reason),
        *(("Beware", each) for each in choice_warnings(evidence)),
        ("Stored", OUTCOMES[activation.outcome]),
        ("Regime", f"{regime_words(evidence.regime[0])}, {evidence.regime[1]:.0%}"),
        ("The model's choice", f"{title(now.chosen)}, {now.probability:.0%}"),
        ("Out of sample", f"{model.sessions[0]} to {model.sessions[-1]}"),
        ("Over the equal mix", f"{model.excess.value:+.2%} a year at equal risk"),
        ("t-statistic of that", f"{model.excess.t_statistic:.2f}, needed {NEEDED_T}"),
        ("Regret", f"{model.regret.value:.2%} a year against the best in hindsight"),
        ("Chose the best one", f"{evidence.hit_rate:.1%}; blindly {evidence.chance:.1%}"),
    )
