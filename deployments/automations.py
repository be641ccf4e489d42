"""The automations of Prefect that do what alerts ask for.

All of ours are named `tradeflows: ...`; whatever bears that name and is not listed here is deleted,
whatever bears another is left alone. What is asked for stands in the labels of an alert; an alert
is done once for each of its attempts, so that one that was not delivered is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import (
    ActionTypes,
    ChangeFlowRunState,
    DoNothing,
    PauseDeployment,
    RunDeployment,
    SendNotification,
)
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from deployments import messages
from deployments.receivers import Tone, block_name, tone
from slices.domain.alerts import AlertFired, AlertResolved, Level, WatchBeat
from slices.runtime.events import LEVEL_LABEL

if TYPE_CHECKING:
    from deployments.messages import Message
    from slices.domain.monitoring import AlertRule

PREFIX = "tradeflows: "
ATTEMPT = ("tradeflows.incident", "tradeflows.attempt")
ONCE = timedelta(minutes=5)
"""An attempt that arrives twice, as after a lost answer, is done once."""

A_DAY = timedelta(days=1)
FAILURES = 3
BROKEN = ("prefect.flow-run.Failed", "prefect.flow-run.Crashed", "prefect.flow-run.TimedOut")
RUN_SILENCE = timedelta(seconds=540)
"""Three heartbeats of a run, which come every 180 seconds."""

WATCH_SILENCE = timedelta(seconds=120)
TRADING = "trading"
WHAT_IS_PASSED = {"drawdown-protection": "account", "ml-model-training": "model"}
"""Which parameter of a flow takes what an alert is about."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What actions point to on a server.

    Attributes:
        deployments: Ids by flow and name.
        blocks: Ids of the notification blocks by name; empty where nobody is to be told.
        tags: Full names of the deployments by tag.
    """

    deployments: Mapping[str, UUID]
    blocks: Mapping[str, UUID]
    tags: Mapping[str, tuple[str, ...]]

    def tell(self, of: Tone, message: Message) -> ActionTypes:
        """Send a message, or do nothing where there is nobody to send it to."""
        if not self.blocks:
            return DoNothing()
        block = self.blocks[block_name(of)]
        return SendNotification(block_document_id=block, subject=message.title, body=message.text)

    def pause(self, tag: str) -> list[ActionTypes]:
        """Pause every deployment with a tag."""
        return [PauseDeployment(deployment_id=self.deployments[each]) for each in self.tags[tag]]

    def run(self, name: str) -> ActionTypes:
        """Start a deployment with what the alert is about."""
        return RunDeployment(deployment_id=self.deployments[name], parameters=passed(name))


def passed(deployment: str) -> dict[str, object]:
    """Say which parameters of a deployment come from an alert, as Prefect fills them in.

    The subject of an alert is a name, such as `daily`, or labels, `account=daily,mode=live`.

    >>> passed("quick-test/adhoc")
    {}
    """
    parameter = WHAT_IS_PASSED.get(deployment.partition("/")[0])
    if parameter is None:
        return {}
    own = f'(event.payload.subject ~ ",").split("{parameter}=")[-1].split(",")[0]'
    given: dict[str, object] = {parameter: f"{{{{ {own} }}}}"}
    if parameter == "account":
        live = '"live" if "mode=live" in event.payload.subject else "paper"'
        given["execution"] = f"{{{{ ({live}) }}}}"
    return given


def desired_automations(
    rules: Iterable[AlertRule],
    known: Known,
    *,
    run_silence: timedelta = RUN_SILENCE,
    watch_silence: timedelta = WATCH_SILENCE,
) -> tuple[AutomationCore, ...]:
    """List every automation there should be.

    Args:
        rules: Whose deployments and tags there are automations for.
        known: What actions point to.
        run_silence: How long a run may be silent before it counts as crashed.
        watch_silence: How long the watch may be silent before somebody is told.
    """
    rules = tuple(rules)
    return (
        *(_notification(level, known) for level in Level),
        _end_of_alert(known),
        *(_start(each, known) for each in sorted({each.runs for each in rules} - {""})),
        *(_pause(each, known) for each in sorted({each.pauses for each in rules} - {""})),
        _kill_switch(known),
        _repeated_failure(known),
        _zombies(run_silence),
        _dead_watch(known, watch_silence),
        _failed_actions(known),
    )


def _alert_trigger(
    *labels: tuple[str, str], event: str = AlertFired.name, within: timedelta = ONCE,
    each: tuple[str, ...] = ATTEMPT,
) -> EventTrigger:  # fmt: skip
    return EventTrigger(
        match={"prefect.resource.id": f"{event}.*", **dict(labels)},
        expect={event},
        for_each=set(each),
        posture=Posture.Reactive,
        threshold=1,
        within=within,
    )


def _notification(level: Level, known: Known) -> AutomationCore:
    return AutomationCore(
        name=f"{PREFIX}tell {level.value}",
        description=f"Sends each alert of level {level.value} to the receiver, once per attempt.",
        trigger=_alert_trigger((LEVEL_LABEL, level.value)),
        actions=[known.tell(tone(level), messages.FIRED)],
    )


def _end_of_alert(known: Known) -> AutomationCore:
    return AutomationCore(
        name=f"{PREFIX}tell resolved",
        description="Says that what an alert was about is over.",
        trigger=_alert_trigger(event=AlertResolved.name),
        actions=[known.tell(Tone.RESOLVED, messages.RESOLVED)],
    )


def _start(deployment: str, known: Known) -> AutomationCore:
    return AutomationCore(
        name=f"{PREFIX}run {deployment}",
        description="Starts this deployment where an alert asks for it, about what the alert is.",
        trigger=_alert_trigger(("tradeflows.runs", deployment)),
        actions=[known.run(deployment)],
    )


def _pause(tag: str, known: Known) -> AutomationCore:
    return AutomationCore(
        name=f"{PREFIX}pause {tag}",
        description=f"Pauses the deployments tagged {tag} where an alert asks for it.",
        trigger=_alert_trigger(("tradeflows.pauses", tag)),
        actions=known.pause(tag),
    )


def _kill_switch(known: Known) -> AutomationCore:
    """Act once a day for an incident: what a person resumes meanwhile stays resumed."""
    halts = ((LEVEL_LABEL, Level.CRITICAL.value), ("tradeflows.halts", "yes"))
    return AutomationCore(
        name=f"{PREFIX}stop trading",
        description=(
            "Pauses everything that trades when a critical alert halted trading, which the watch"
            " did already before it sent the alert."
        ),
        trigger=_alert_trigger(*halts, within=A_DAY, each=("tradeflows.incident",)),
        actions=known.pause(TRADING),
    )


def _repeated_failure(known: Known) -> AutomationCore:
    return AutomationCore(
        name=f"{PREFIX}pause what keeps failing",
        description=f"Pauses a deployment that trades and failed {FAILURES} times within a day.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related=[
                {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TRADING}"},
                {"prefect.resource.role": "deployment"},
            ],
            expect=set(BROKEN),
            for_each={"related:deployment:prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=FAILURES,
            within=A_DAY,
        ),
        actions=[
            PauseDeployment(source="inferred"),
            known.tell(Tone.ERROR, messages.FAILING),
        ],
    )


def _zombies(silence: timedelta) -> AutomationCore:
    """Mark runs whose process is gone; Prefect refuses to crash a run that has ended."""
    return AutomationCore(
        name=f"{PREFIX}zombie runs",
        description="Marks a run crashed when neither it nor its worker is heard of any more.",
        trigger=EventTrigger(
            match={"prefect.resource.id": "prefect.flow-run.*"},
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=messages.CRASHED)],
    )


def _dead_watch(known: Known, silence: timedelta) -> AutomationCore:
    beat = WatchBeat.name
    return AutomationCore(
        name=f"{PREFIX}silence of the watch",
        description="Says that nobody watches, where the watch has been heard of and is no more.",
        trigger=EventTrigger(
            match={"prefect.resource.id": f"{beat}.*"},
            after={beat},
            expect={beat},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[known.tell(Tone.CRITICAL, messages.silent(silence))],
    )


def _failed_actions(known: Known) -> AutomationCore:
    """Tell of our own automations alone, and not of all of them.

    This one would follow itself for ever; a message that was not taken is sent again by the watch,
    which knows; crashing a run that ended in the meantime is refused by the server, as it should
    be. Labels know `or` but no `and`, so these are told apart by the first letter of their names.
    """
    return AutomationCore(
        name=f"{PREFIX}failed actions",
        description="Says that an automation could not do what it is there for.",
        trigger=EventTrigger(
            match={
                "prefect.resource.id": "prefect.automation.*",
                "prefect.resource.name": f"{PREFIX}[!ftz]*",
            },
            expect={"prefect.automation.action.failed"},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=ONCE,
        ),
        actions=[known.tell(Tone.ERROR, messages.UNDONE)],
    )
