"""What is said of a training, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.report import Note, Tone, Unit

if TYPE_CHECKING:
    from slices.domain.learning import LabelSettings, ModelKind
    from slices.domain.model_training import ModelTraining

NAMES = (
    ("always_equal", "always equal"),
    ("linear", "linear"),
    ("random_forest", "random forest"),
    ("lightgbm", "LightGBM"),
)
OUTCOMES = (
    ("promoted", "promoted to champion"),
    ("challenger", "not promoted, kept as challenger"),
    ("known", "trained before, nothing changed"),
)

LATELY = "Alive lately"
PROVEN = 0.95


def kind_text(kind: ModelKind) -> str:
    """Name a kind of model.

    >>> from slices.domain.learning import LabelSettings, ModelKind
    >>> kind_text(ModelKind.RANDOM_FOREST)
    'random forest'
    """
    return dict(NAMES)[kind.value]


def begun(text: str) -> str:
    """Write a text as a sentence begins.

    >>> begun("random forest")
    'Random forest'
    """
    return text[:1].upper() + text[1:]


def outcome_text(training: ModelTraining) -> str:
    """Say what became of the trained version."""
    promotion = training.promotion
    return dict(OUTCOMES)[promotion.outcome] if promotion else "not judged yet"


def headline(training: ModelTraining) -> str:
    """Answer in a sentence."""
    skill = training.best.skill
    suspect = "SUSPECT: " if skill.suspicions else ""
    version = f" as {training.version}" if training.version else ""
    return (
        f"{suspect}{begun(kind_text(training.chosen))} predicts "
        f"{training.settings.label.subject} with an information coefficient of "
        f"{skill.information_coefficient:.4f} out of sample (t "
        f"{training.evidence.judged_t:.2f}), net "
        f"Sharpe ratio {skill.net_sharpe_ratio:.2f}; {outcome_text(training)}{version}."
    )


def summary(training: ModelTraining) -> tuple[tuple[str, str], ...]:
    """List the figures that matter most, as text."""
    skill, evidence = training.best.skill, training.evidence
    promotion = training.promotion
    return (
        ("Model", f"{training.settings.model}, {kind_text(training.chosen)}"),
        ("Information coefficient", f"{skill.information_coefficient:.4f}"),
        ("t-statistic", f"{evidence.judged_t:.2f}, needed {evidence.needed_t:.2f}"),
        ("ICIR, annualized", written(skill.icir, Unit.RATIO)),
        ("AUC", f"{skill.auc:.4f}"),
        ("Net Sharpe ratio, long-short", written(skill.net_sharpe_ratio, Unit.RATIO)),
        ("Deflated Sharpe ratio", written(evidence.deflated_sharpe_ratio, Unit.FRACTION)),
        ("Trials", f"{evidence.trials:,}"),
        ("Believable", "SUSPECT" if skill.suspicions else "yes"),
        ("Outcome", outcome_text(training)),
        ("Champion", str(promotion.champion or "nobody") if promotion else "not judged yet"),
    )


def notes(training: ModelTraining) -> tuple[str, ...]:
    """Say what must be known to read the figures right."""
    label, splits = training.settings.label, training.settings.splits
    promotion = training.promotion
    return (
        *((f"{promotion.reason}.",) if promotion else ()),
        *doubts(training),
        f"Scores are of sessions no model had learnt from: {splits.folds} test blocks, each after "
        f"its training, whose labels end before the block begins; {label.reach} sessions are purged"
        f" and {splits.embargo_sessions} embargoed.",
        f"A decision at a close is entered {label.entry_lag_sessions} session later and held for "
        f"{label.horizon_sessions}. Parameters were tuned on the sessions before the first test "
        "block alone.",
        *_label_notes(label),
    )


def doubts(training: ModelTraining) -> tuple[str, ...]:
    """Say what a promotion does not prove: a profit after costs, and skill that lasts."""
    deflated = training.evidence.deflated_sharpe_ratio
    tests = training.promotion.tests if training.promotion else ()
    coefficient = training.best.skill.information_coefficient
    return (
        *(
            f"Lately there is less: an IC of {each.found:.4f} over the newest {each.sessions} "
            f"sessions, {coefficient:.4f} over all."
            for each in tests
            if each.name == LATELY and each.found < coefficient / 2
        ),
        *(
            (
                "Ranks come true more often than not, a profit after costs is not proven: that the "
                "test portfolio's Sharpe ratio is above what the best trial shows by luck has a "
                f"probability of {written(deflated, Unit.FRACTION)}.",
            )
            if deflated < PROVEN
            else ()
        ),
    )


def _label_notes(label: LabelSettings) -> tuple[str, ...]:
    """Say what labels that are no ranks of returns over the horizon mean."""
    untraded = (
        "Flows that trade or write predictions down refuse a model of such labels, champion or not."
    )
    if label.kind == "triple_barrier":
        return (
            f"A label is the rank of the return at which a position left: {label.profit_multiple:g}"
            f" deviations up, {label.stop_multiple:g} down, or at the end. It is known when all "
            "symbols of its session have left, which can be earlier than the purge assumes. The "
            "test portfolio holds for the whole horizon and leaves at no barrier.",
            untraded,
        )
    if label.kind == "meta":
        return (
            f"A label says which side paid {label.side_costs_bps:g} bps, the one momentum took or "
            "the other; 0 is neither. Skill is judged against these labels.",
            untraded,
        )
    return ()


def report_notes(training: ModelTraining, said: tuple[str, ...]) -> tuple[Note, ...]:
    """Put what is said in order of weight; what cannot be believed comes first."""
    suspicions = training.best.skill.suspicions
    loud = (
        "SUSPECT: these figures are too good to be believed of prices anybody can see, so look for"
        f" a leak before anything else: {'; '.join(suspicions)}."
    )
    others = [
        f"SUSPECT: {kind_text(each.kind)}, {'; '.join(each.skill.suspicions)}."
        for each in training.candidates
        if each.skill.suspicions and each.kind is not training.chosen
    ]
    return (
        *((Note(text=loud, tone=Tone.BAD),) if suspicions else ()),
        *(Note(text=each, tone=Tone.BAD) for each in others),
        *(Note(text=each, tone=Tone.WARNING) for each in (*training.caveats, *doubts(training))),
        *(Note(text=each) for each in said if each not in doubts(training)),
    )
