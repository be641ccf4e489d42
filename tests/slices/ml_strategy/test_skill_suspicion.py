"""When figures are too good to be believed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from slices.domain.learning import Skill
from slices.ml_strategy.skill.suspicion import suspicions


def believed(**changes: float) -> Skill:
    return replace(
        Skill(
            sessions=1000,
            information_coefficient=0.06,
            icir=1.0,
            t_statistic=8.0,
            auc=0.53,
            hit_rate=0.5,
            gross_sharpe_ratio=9.0,
            net_sharpe_ratio=1.5,
            annual_turnover=20.0,
        ),
        **changes,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("information_coefficient", 0.0601),
        ("auc", 0.5301),
        ("t_statistic", 8.01),
        ("t_statistic", -8.01),
        ("net_sharpe_ratio", 1.501),
    ],
)
def test_beyond_its_limit_a_figure_is_suspect(name: str, value: float) -> None:
    assert suspicions(believed()) == ()
    assert len(suspicions(believed(**{name: value}))) == 1
    assert suspicions(believed(**{name: math.nan})) == ()
