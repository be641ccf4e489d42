"""The parts of reports on predictions, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import counted
from slices.domain.numbers import MINUS, written
from slices.domain.report import BarChart, LineChart, Note, Section, Series, Table, Tone, Unit

if TYPE_CHECKING:
    from slices.domain.forecasts import Forecast, Forecasts, ServingLimits
    from slices.domain.models import LoadedModel
    from slices.domain.prediction_trading import CalibrationCheck
    from slices.domain.rebalancing import RebalancePlan
    from slices.domain.report import Block

FORECASTS = "forecasts"
RELIABILITY = "reliability"


def forecast_section(newest: Forecasts, limits: ServingLimits) -> Section:
    """Show what was said of every symbol."""
    confidence = written(limits.decision_confidence, Unit.FRACTION)
    return Section(
        title="What the model says",
        intro=f"Said at the close of {newest.session}; it can be checked at the close of "
        f"{newest.matures}. Returns are relative to the mean of all symbols. A symbol abstains "
        f"unless its return exceeds the {written(newest.costs, Unit.FRACTION)} of a round trip, "
        f"and commissions per share if any, with a probability of {confidence}.",
        blocks=(forecast_chart(newest, confidence), forecast_table(newest, limits, confidence)),
    )


def forecast_chart(newest: Forecasts, confidence: str) -> BarChart:
    """Draw expectations beside what returns exceed with the confidence of the decision."""
    shown = _ranked(newest)
    return BarChart(
        key=FORECASTS,
        title="Expected relative return over the horizon",
        categories=tuple(each.symbol for each in shown),
        groups=(
            ("Expected", tuple(each.expected_return * 1e4 for each in shown)),
            (f"Exceeded with {confidence}", tuple(each.decision_lower * 1e4 for each in shown)),
        ),
        unit=Unit.BPS,
        caption="In basis points. Bought only where the second bar stands above the costs of a "
        f"round trip, {written(newest.costs * 1e4, Unit.BPS)}.",
    )


def forecast_table(newest: Forecasts, limits: ServingLimits, confidence: str) -> Table:
    """List every symbol, what is most expected first."""
    level = written(limits.interval_level, Unit.FRACTION)
    return Table(
        key="forecasts",
        title="Every symbol",
        columns=(
            "Symbol", "Score", "Above median", "Expected", f"{level} from", f"{level} to",
            f"Exceeded with {confidence}", "Says",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION, Unit.TEXT,
        ),
        rows=tuple(
            (
                each.symbol, f"{each.score:.4f}".replace("-", MINUS), each.probability,
                each.expected_return, each.lower, each.upper, each.decision_lower,
                verdict_of(each, newest.costs),
            )
            for each in _ranked(newest)
        ),
        caption="Above median: probability of a return above the median of the symbols.",
    )  # fmt: skip


def verdict_of(forecast: Forecast, costs: float) -> str:
    """Say what follows from a forecast for an account that only buys."""
    if forecast.abstains:
        return "abstains"
    return "buy" if forecast.decision_lower > costs else "avoid"


def _ranked(newest: Forecasts) -> list[Forecast]:
    return sorted(newest.forecasts, key=lambda each: (-each.expected_return, each.symbol))


def model_section(model: LoadedModel, *, age_sessions: int) -> Section:
    """Say who was asked, and how good it was out of sample."""
    bundle, skill = model.bundle, model.bundle.skill
    rows = (
        ("Version", f"{model.version}, {', '.join(model.version.aliases) or 'no alias'}"),
        ("Kind", bundle.predictor.kind.value.replace("_", " ")),
        ("Features", str(len(bundle.predictor.names))),
        ("Trained on", f"{bundle.trained_from} to {bundle.trained_until}"),
        ("Last session the training knew", str(bundle.known_until)),
        ("Sessions since", str(age_sessions)),
        ("Predicts", f"returns over {counted(bundle.label.horizon_sessions, 'session')}"),
        ("Out-of-sample sessions", f"{skill.sessions:,}"),
        ("Information coefficient", _three(skill.information_coefficient, skill.t_statistic)),
        ("Area under the curve", f"{skill.auc:.3f}"),
        ("Net Sharpe ratio, long and short", written(skill.net_sharpe_ratio, Unit.RATIO)),
        ("Configurations tried", f"{bundle.trials:,}"),
        ("Tracked at", model.version.url),
    )
    suspicions = tuple(Note(text=f"SUSPECT: {each}", tone=Tone.BAD) for each in skill.suspicions)
    table = Table(
        key="model",
        title="The model",
        columns=("What", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=tuple(each for each in rows if each[1]),
    )
    return Section(title="Who says it", blocks=(*suspicions, table))


def _three(coefficient: float, t_statistic: float) -> str:
    return f"{coefficient:.3f}, with a t-statistic of {t_statistic:.2f}"


def calibration_section(check: CalibrationCheck) -> Section:
    """Show whether probabilities and intervals came true where they were not fitted."""
    blocks: tuple[Block, ...] = (coverage_table(check),)
    if len(check.points) > 1:
        blocks = (reliability_chart(check), *blocks)
    if check.years:
        blocks = (*blocks, coverage_chart(check))
    return Section(
        title="May probabilities and intervals be believed?",
        intro="Measured on out-of-sample sessions, block after block, each with a calibration "
        "fitted on what was known before it. Brier score "
        f"{check.brier_score:.4f}, where a coin has 0.2500. The model would have abstained from "
        f"{written(check.abstaining, Unit.FRACTION)} of these predictions.",
        blocks=blocks,
    )


def reliability_chart(check: CalibrationCheck) -> LineChart:
    """Draw how often predictions came true by the probability they were given."""
    predicted = tuple(each.predicted for each in check.points)
    return LineChart(
        key=RELIABILITY,
        title="How often what was called likely came true",
        series=(
            Series(name="Came true", x=predicted, y=tuple(each.observed for each in check.points)),
            Series(name="As promised", x=predicted, y=predicted),
        ),
        y_unit=Unit.FRACTION,
        x_label="probability given",
        y_label="share that came true",
        caption=f"Each point stands on about {check.points[0].count:,} predictions.",
    )


def coverage_table(check: CalibrationCheck) -> Table:
    """Compare the shares of returns within their intervals with what was promised."""
    return Table(
        key="coverage",
        title="Returns within their interval",
        columns=("Promised", "Measured", "Difference"),
        units=(Unit.FRACTION, Unit.FRACTION, Unit.FRACTION),
        rows=tuple((level, found, found - level) for level, found in check.coverages),
    )


def coverage_chart(check: CalibrationCheck) -> BarChart:
    """Draw the share of returns within their interval year by year."""
    level = written(check.level, Unit.FRACTION)
    return BarChart(
        key="coverage-years",
        title=f"Returns within their {level} interval, by year",
        categories=tuple(str(each.year) for each in check.years),
        groups=(("Measured", tuple(each.coverage for each in check.years)),),
        unit=Unit.FRACTION,
        caption=f"Promised is {level}; intervals follow each symbol's volatility.",
    )


def trade_section(plan: RebalancePlan, *, is_refused: bool) -> Section:
    """Show weights and trades."""
    if is_refused:
        note = Note(
            text="Nothing is bought or sold: the account stays as it is until the model may be "
            "asked again.",
            tone=Tone.WARNING,
        )
        return Section(title="Trades", blocks=(note,))
    rows = tuple(
        (
            each.symbol, each.held_weight, each.target_weight, each.weight_after, each.quantity,
            each.costs, each.reason,
        )
        for each in plan.lines
        if each.held or each.target_weight
    )  # fmt: skip
    table = Table(
        key="trades",
        title="What is held and wanted",
        columns=("Symbol", "Held", "Wanted", "Afterwards", "Shares to trade", "Costs", "Because"),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.MONEY,
            Unit.TEXT,
        ),
        rows=rows,
        caption="Weights are fractions of equity; shares are signed.",
    )  # fmt: skip
    nothing = Note(text="Nothing is held and nothing is wanted: all is cash.")
    return Section(
        title="Trades", intro=plan.targets.basis, blocks=(table,) if rows else (nothing,)
    )
