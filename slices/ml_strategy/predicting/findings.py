"""The findings of trading on predictions: the answer in one sentence, the figures, the report."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.accounts import TradingState
from slices.domain.calendar import missed_sessions
from slices.domain.data_report import data_caveats, data_notes, data_section
from slices.domain.errors import counted, listed
from slices.domain.forecasts import DEFAULT_SERVING
from slices.domain.models import LoadedModel, ModelRefusal
from slices.domain.numbers import written
from slices.domain.orders import OrderState
from slices.domain.prediction_trading import PredictionTrading
from slices.domain.report import KeyFigure, Note, Report, Tone, Unit
from slices.ml_strategy.predicting.sections import (
    FORECASTS,
    RELIABILITY,
    calibration_section,
    forecast_section,
    model_section,
    trade_section,
)
from slices.ml_strategy.predicting.weighing import trading_weights

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook, Execution
    from slices.domain.dataset import DatasetRef
    from slices.domain.forecasts import Forecasts, ServingLimits
    from slices.domain.prediction_trading import CalibrationCheck, KeptPredictions
    from slices.domain.rebalancing import RebalancePlan
    from slices.domain.report import Section
    from slices.domain.trading import OrderPlan, Placement

Asked = LoadedModel | ModelRefusal
NOT_TAKEN = frozenset({OrderState.DENIED, OrderState.REJECTED})


def prediction_trading_findings(
    bars: DatasetRef,
    *,
    model: Asked,
    history: tuple[Forecasts, ...],
    check: CalibrationCheck | None,
    book: AccountBook,
    plan: RebalancePlan,
    orders: OrderPlan,
    placed: Placement,
    kept: KeptPredictions,
    execution: Execution,
    limits: ServingLimits = DEFAULT_SERVING,
) -> PredictionTrading:
    """Put together what was said, what it means for the account and what became of it.

    Args:
        bars: What the model was asked about.
        model: Who was asked, or why nobody was.
        history: What it said, the newest session last.
        check: How its calibration did out of sample.
        book: The account before.
        plan: Trades that bring it to what predictions ask for.
        orders: Those that were wanted; none where the model was not asked.
        placed: What became of them.
        kept: What was written down.
        execution: Whether orders were sent, or only looked at.
        limits: Beyond which the model says nothing.
    """
    newest = history[-1]
    caveats = (*_caveats(newest, book, orders, placed), *data_caveats(bars))
    notes = (*_notes(model, history, kept, execution), *data_notes(bars))
    report = Report(
        key="ml-prediction-trading",
        title="Trading on predictions",
        headline=headline(newest, orders, placed, execution=execution),
        figures=_figures(newest, plan, check),
        notes=(
            *(Note(text=each, tone=Tone.WARNING) for each in caveats),
            *(Note(text=each) for each in notes),
        ),
        sections=_sections(bars, model, newest, check=check, plan=plan, limits=limits),
        chart=FORECASTS if newest.forecasts else RELIABILITY,
        provenance=(),
    )
    return PredictionTrading(
        headline=report.headline,
        caveats=caveats,
        summary=_summary(bars, newest, book, plan, placed, kept),
        notes=notes,
        report=report,
        bars=bars,
        model=newest.model,
        history=history,
        book=book,
        plan=None if newest.refusals else plan,
        placed=placed,
        kept=kept,
        mlflow_run_id="" if newest.model is None else newest.model.run_id,
    )


def headline(
    newest: Forecasts, orders: OrderPlan, placed: Placement, *, execution: Execution
) -> str:
    """Say in one sentence what is traded, or why nothing is."""
    if newest.refusals:
        return f"Nothing is traded at the close of {newest.session}: {newest.refusals[0]}."
    wanted, said = len(trading_weights(newest)), len(newest.forecasts)
    opinion = (
        f"{newest.model} finds {wanted} of {counted(said, 'symbol')} worth their costs at the "
        f"close of {newest.session}"
        if wanted
        else f"{newest.model} finds nothing worth its costs at the close of {newest.session} and "
        f"would buy none of {counted(said, 'symbol')}"
    )
    if not orders.orders:
        return f"{opinion}; there is nothing to trade."
    count = counted(len(orders.orders), "order")
    if execution == "plan":
        return f"{opinion}; {count} would bring the account there, and none was sent."
    sent = sum(each.state not in NOT_TAKEN for each in placed.records)
    again = " before" if placed.is_repeated else ""
    return f"{opinion}; {sent} of {count} went through{again}."


def _caveats(
    newest: Forecasts, book: AccountBook, orders: OrderPlan, placed: Placement
) -> tuple[str, ...]:
    found = [f"the model was not asked: {each}" for each in newest.refusals]
    if orders.refusal:
        found.append(f"the orders were not approved: {orders.refusal}")
    if book.state is not TradingState.ACTIVE:
        found.append(f"the account is {book.state.value}: {book.state_reason}")
    found += [
        f"{each.order.symbol}: the order was {each.state.value}: {'; '.join(each.reasons)}"
        for each in placed.records
        if each.state in NOT_TAKEN
    ]
    if not placed.records:
        found += [
            f"the risk gate would deny {each.client_order_id}: {'; '.join(map(str, each.breaches))}"
            for each in placed.decisions
            if not each.is_accepted
        ]
    return tuple(found)


def _notes(
    model: Asked, history: tuple[Forecasts, ...], kept: KeptPredictions, execution: Execution
) -> tuple[str, ...]:
    silent = [each for each in history[:-1] if each.refusals]
    standing = [each for each in history[:-1] if each.forecasts and each.model != history[-1].model]
    found = []
    if isinstance(model, LoadedModel) and "champion" not in model.version.aliases:
        found.append("This version is no champion: it has not earned the right to trade.")
    if standing:
        names = listed(tuple(dict.fromkeys(_who(each) for each in standing)))
        found.append(
            f"At {len(standing)} of the {len(history) - 1} sessions before, what {names} had said "
            f"stands until it matures: {history[-1].model} knew these sessions from its training."
        )
    if silent and not history[-1].refusals:
        found.append(
            f"At {len(silent)} of the {len(history) - 1} sessions before, the model was not to be "
            f"asked ({silent[0].refusals[0]}): their parts of the account are cash."
        )
    if execution == "plan":
        found.append("A plan writes nothing, predictions included.")
    elif not history[-1].refusals:
        said = (
            f"{counted(kept.recorded, 'prediction')} written down"
            if kept.recorded
            else "The predictions of this session had been written down before"
        )
        found.append(
            f"{said}, to be checked on {history[-1].matures}; "
            f"{counted(kept.matured, 'outcome')} of earlier ones became known."
        )
    return tuple(found)


def _who(said: Forecasts) -> str:
    return "an earlier version" if said.model is None else str(said.model)


def _figures(
    newest: Forecasts, plan: RebalancePlan, check: CalibrationCheck | None
) -> tuple[KeyFigure, ...]:
    said = len(newest.forecasts)
    level, measured = _coverage(check)
    return (
        KeyFigure(
            label="Worth their costs", value=len(trading_weights(newest)), unit=Unit.COUNT,
            note=f"of {counted(said, 'symbol')} that could be scored",
        ),
        KeyFigure(
            label="Abstains", value=sum(each.abstains for each in newest.forecasts),
            unit=Unit.COUNT, note="the interval of the decision includes the costs",
        ),
        KeyFigure(
            label="To be invested",
            value=math.nan if newest.refusals else sum(plan.targets.weights),
            unit=Unit.FRACTION, note="of equity; the rest is cash",
        ),
        KeyFigure(
            label="Coverage", value=measured, unit=Unit.FRACTION,
            note=f"of {written(level, Unit.FRACTION)} intervals, where they were not fitted",
        ),
    )  # fmt: skip


def _coverage(check: CalibrationCheck | None) -> tuple[float, float]:
    if check is None:
        return DEFAULT_SERVING.interval_level, math.nan
    return check.level, dict(check.coverages)[check.level]


def _sections(
    bars: DatasetRef,
    model: Asked,
    newest: Forecasts,
    *,
    check: CalibrationCheck | None,
    plan: RebalancePlan,
    limits: ServingLimits,
) -> tuple[Section, ...]:
    found = [forecast_section(newest, limits)] if newest.forecasts else []
    found.append(trade_section(plan, is_refused=bool(newest.refusals)))
    if check is not None:
        found.append(calibration_section(check))
    if isinstance(model, LoadedModel):
        since = missed_sessions(model.bundle.known_until, newest.session, calendar=bars.calendar)
        found.append(model_section(model, age_sessions=since))
    return (*found, data_section(bars))


def _summary(
    bars: DatasetRef,
    newest: Forecasts,
    book: AccountBook,
    plan: RebalancePlan,
    placed: Placement,
    kept: KeptPredictions,
) -> tuple[tuple[str, str], ...]:
    sent = sum(each.state not in NOT_TAKEN for each in placed.records)
    invested = math.nan if newest.refusals else sum(plan.targets.weights)
    return (
        ("Account", f"{book.name}, {book.mode.value}, {book.state.value}"),
        ("Session", str(newest.session)),
        ("Data", f"{bars.source}/{Path(bars.feed).name}, {bars.adjustment} prices"),
        ("Model", "none" if newest.model is None else str(newest.model)),
        ("Symbols worth their costs", f"{len(trading_weights(newest))} of {len(newest.forecasts)}"),
        ("To be invested", written(invested, Unit.FRACTION)),
        ("Equity", written(float(book.equity), Unit.MONEY)),
        ("Orders that went through", f"{sent:,}"),
        ("Predictions written down", f"{kept.recorded:,}"),
        ("Outcomes that became known", f"{kept.matured:,}"),
        ("To be checked on", "–" if newest.refusals else str(newest.matures)),
    )
