"""What is known of a measured trouble besides its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.monitoring import Part
from slices.monitor.alerts.subjects import labels_of

if TYPE_CHECKING:
    from slices.domain.monitoring import AlertRule
    from slices.domain.observations import AccountFacts, Observation


def reason(rule: AlertRule, subject: str, observation: Observation) -> str:
    """Say why, where what was seen tells; empty where it does not."""
    labels = dict(labels_of(subject))
    if rule.metric == "account.state":
        account = _account(labels, observation)
        return account.state_reason if account else ""
    if rule.metric == "trading.halted":
        return observation.halted or ""
    if rule.metric == "server.up":
        return dict(observation.unknown).get(Part.ORCHESTRATION, "")
    if rule.metric == "watch.unseen":
        return dict(observation.unknown).get(labels.get("part", ""), "")
    return ""


def _account(labels: dict[str, str], observation: Observation) -> AccountFacts | None:
    named = (
        each
        for each in observation.accounts or ()
        if each.name == labels.get("account") and each.mode == labels.get("mode", each.mode)
    )
    return next(named, None)
