"""What the date alone says; it was known long before.

Weekdays stand in for sessions: holidays would need no look-ahead, but an exchange's history also
lists closures that nobody knew of in advance, and a count of sessions left in a month would tell.
"""

from __future__ import annotations

import math

import polars as pl

from slices.domain.learning import FeatureFamily
from slices.ml_strategy.features.declaring import Column, Feature, Stage

SESSION = pl.col("session")
ANGLE = (SESSION.dt.ordinal_day().cast(pl.Float64) - 1) * (2 * math.pi / 365.25)

CALENDAR_COLUMNS = (
    Column(
        name="weekdays_gone", stage=Stage.SESSION,
        expression=pl.business_day_count(SESSION.dt.month_start(), SESSION).cast(pl.Float64),
    ),
    Column(
        name="weekdays_left", stage=Stage.SESSION,
        expression=pl.business_day_count(
            SESSION + pl.duration(days=1), SESSION.dt.month_end() + pl.duration(days=1)
        ).cast(pl.Float64),
    ),
)  # fmt: skip
GONE, LEFT = pl.col("weekdays_gone"), pl.col("weekdays_left")


def _calendar(
    name: str, expression: pl.Expr, title: str, formula: str, lookback: int = 1, reference: str = ""
) -> Feature:
    return Feature(
        name=name, stage=Stage.SESSION, family=FeatureFamily.CALENDAR, expression=expression,
        title=title, formula=formula, lookback_sessions=lookback, reference=reference,
    )  # fmt: skip


def _third_friday() -> pl.Expr:
    friday = SESSION + pl.duration(days=5 - SESSION.dt.weekday().cast(pl.Int64))
    return friday.dt.day().is_between(15, 21).cast(pl.Float64)


CALENDAR = (
    _calendar(
        "weekday", (SESSION.dt.weekday().cast(pl.Float64) - 3) / 2,
        "Day of the week, -1 on Mondays to 1 on Fridays", "(weekday - 3) / 2",
        reference="French (1980), Stock Returns and the Weekend Effect",
    ),
    _calendar(
        "month_sine", ANGLE.sin(), "Time of the year, sine", "sin(2 pi day / 365.25)",
        reference="Bouman, Jacobsen (2002), The Halloween Indicator",
    ),
    _calendar(
        "month_cosine", ANGLE.cos(), "Time of the year, cosine", "cos(2 pi day / 365.25)",
    ),
    _calendar(
        "month_place", pl.when(GONE + LEFT > 0).then(GONE / (GONE + LEFT)),
        "Weekdays gone of the month, 0 to 1", "weekdays before / other weekdays of the month",
    ),
    _calendar(
        "turn_of_month", ((LEFT == 0) | (GONE < 3)).cast(pl.Float64),
        "Last weekday or one of the first three of a month", "[none left or fewer than 3 gone]",
        reference="Lakonishok, Smidt (1988), Are Seasonal Anomalies Real?",
    ),
    _calendar(
        "expiry_week", _third_friday(), "Week of a month's third Friday",
        "[the week's Friday is the 15th to 21st]",
    ),
    _calendar(
        "closed_days", (SESSION - SESSION.shift(1)).dt.total_days().cast(pl.Float64),
        "Days since the session before", "session - session[-1]", 2,
    ),
)  # fmt: skip
