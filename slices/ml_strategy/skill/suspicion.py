"""Figures that are too good to be believed of prices anybody can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slices.domain.learning import Skill

MOST_IC = 0.06
MOST_AUC = 0.53
MOST_T = 8.0
MOST_NET_SHARPE = 1.5


def suspicions(skill: Skill) -> tuple[str, ...]:
    """Say which figures of a skill are beyond what honest scores of daily bars reach.

    The limits stand above everything that was measured without a leak, and below what a leak of
    one day gives; a figure at its limit is still believed, and one that is not known says nothing.
    """
    checked = (
        ("information coefficient", skill.information_coefficient, MOST_IC),
        ("area under the curve", skill.auc, MOST_AUC),
        ("size of the t-statistic", abs(skill.t_statistic), MOST_T),
        ("net Sharpe ratio", skill.net_sharpe_ratio, MOST_NET_SHARPE),
    )
    return tuple(
        f"{name} {found:.3f}, above {limit:g}" for name, found, limit in checked if found > limit
    )
