"""What is predicted: kinds of label and the settings of each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from slices.domain.parameters import ParameterGroup

OWN_FIELDS = (
    ("triple_barrier", ("profit_multiple", "stop_multiple")),
    ("meta", ("side_lookback_sessions", "side_skip_sessions", "side_costs_bps")),
)
"""Fields of label settings that one kind alone has a meaning for."""

LabelKind = Literal["rank", "triple_barrier", "meta"]
"""What a label says of a symbol: its place by what it earned, by what it earned until a barrier, or
whether the side that momentum takes paid its costs."""


class LabelSettings(ParameterGroup):
    """What is predicted.

    Labels of kind `rank` are the places of the returns over the horizon within their session. Of
    `triple_barrier` they are the places of the returns until a position leaves: at its profit, at
    its stop, or at the end of the horizon. Of `meta` they say of a side taken before, the half of
    the symbols with more or with less momentum, whether it was right: half the side where it
    earned its costs over the horizon, half the other side where that one did, 0 where neither did,
    and nothing where no side is taken.
    """

    horizon_sessions: int = Field(
        default=5, ge=1, le=63, description="Sessions over which the predicted return is earned."
    )
    entry_lag_sessions: int = Field(
        default=1,
        ge=1,
        le=5,
        description="Sessions from the decision to the close at which the return begins.",
    )
    kind: LabelKind = Field(
        default="rank",
        description="Of the label: `rank` of the return over the horizon, `triple_barrier` for the "
        "rank of the return until profit, stop or the horizon, `meta` for whether the side of "
        "momentum earned its costs. Only a model of `rank` is asked by flows that trade.",
    )
    profit_multiple: float = Field(
        default=1.0,
        gt=0,
        le=20,
        description="How far up the profit of `triple_barrier` is, in deviations of a return over "
        "the horizon.",
    )
    stop_multiple: float = Field(
        default=1.0,
        gt=0,
        le=20,
        description="How far down the stop of `triple_barrier` is, likewise; one unlike the profit "
        "tells volatile symbols from calm ones where nothing else is known.",
    )
    side_lookback_sessions: int = Field(
        default=252,
        ge=5,
        le=504,
        description="Sessions back at which the momentum that takes the side of `meta` begins.",
    )
    side_skip_sessions: int = Field(
        default=21, ge=0, le=63, description="Sessions back at which that momentum ends."
    )
    side_costs_bps: float = Field(
        default=20.0,
        ge=0,
        le=1000,
        description="What a side of `meta` has to earn to be right: a round trip, in basis points.",
    )

    @model_validator(mode="after")
    def _fitting(self) -> LabelSettings:
        if self.side_skip_sessions >= self.side_lookback_sessions:
            message = (
                f"side_skip_sessions {self.side_skip_sessions} is not below side_lookback_sessions "
                f"{self.side_lookback_sessions}"
            )
            raise ValueError(message)
        for name in (each for kind, names in OWN_FIELDS if kind != self.kind for each in names):
            found, default = getattr(self, name), type(self).model_fields[name].default
            if found != default:
                message = f"{name} {found} means nothing for labels of kind {self.kind}"
                raise ValueError(message)
        return self

    @property
    def reach(self) -> int:
        """Most sessions from the decision until the label is known."""
        return self.horizon_sessions + self.entry_lag_sessions

    @property
    def subject(self) -> str:
        """What is predicted, in words."""
        over = f"over {self.horizon_sessions} sessions"
        momentum = f"{self.side_lookback_sessions}-{self.side_skip_sessions} momentum"
        words: tuple[tuple[LabelKind, str], ...] = (
            ("rank", f"returns {over}"),
            ("triple_barrier", f"returns until a profit or stop within {self.horizon_sessions} "
                               "sessions"),
            ("meta", f"whether the side of {momentum} pays {over}"),
        )  # fmt: skip
        return dict(words)[self.kind]
