"""Every alert rule: when somebody has to know, and what to do then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError
from slices.monitor.alerts.knowing_rules import KNOWING_RULES
from slices.monitor.alerts.machine_rules import MACHINE_RULES
from slices.monitor.alerts.run_rules import RUN_RULES
from slices.monitor.alerts.trading_rules import TRADING_RULES

if TYPE_CHECKING:
    from slices.domain.monitoring import AlertRule

RULES: tuple[AlertRule, ...] = (*TRADING_RULES, *RUN_RULES, *KNOWING_RULES, *MACHINE_RULES)


def rule(name: str) -> AlertRule:
    """Find a rule by its name.

    Raises:
        ParameterError: There is none; the names there are are listed.
    """
    found = next((each for each in RULES if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in RULES)
        raise ParameterError(parameter="rule", found=name, allowed=names)
    return found
