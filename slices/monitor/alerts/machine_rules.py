"""Rules about the machine and about watching itself."""

from __future__ import annotations

from slices.domain.alerts import AlertTested, Level
from slices.domain.monitoring import AlertRule, Part
from slices.monitor.alerts.hearing import ANY

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

MACHINE_RULES = (
    AlertRule(
        name="disk-full",
        level=Level.WARNING,
        title="The disk of the home fills up",
        next_step="`tradeflows clean --older-than-days 7` removes what can be computed anew;"
        " `tradeflows doctor` says how large the home is.",
        why="Databases and books stop at 100 %; at a few percent an hour each step leaves time.",
        metric="host.disk_used",
        threshold=0.85,
        worse=((Level.ERROR, 0.92), (Level.CRITICAL, 0.97)),
        clears=0.83,
        for_seconds=MINUTE / 2,
        cooldown_seconds=3 * HOUR,
    ),
    AlertRule(
        name="memory-short",
        level=Level.WARNING,
        title="Memory runs short",
        next_step="`tradeflows status` shows what runs; `prefect flow-run cancel ID` ends a run,"
        " TRADEFLOWS_MAX_WORKERS lets fewer tasks run at once.",
        why="Beyond 98 % the system ends processes; trainings reach 90 % for a minute.",
        metric="host.memory_used",
        threshold=0.9,
        worse=((Level.ERROR, 0.95), (Level.CRITICAL, 0.98)),
        clears=0.85,
        for_seconds=2 * MINUTE,
        cooldown_seconds=2 * HOUR,
    ),
    AlertRule(
        name="cpu-busy",
        level=Level.INFO,
        title="The processor has been busy for long",
        next_step="`tradeflows status` shows what runs. A training or a search may take hours;"
        " anything else may hang.",
        why="A search uses all cores by right, so it is told only after half an hour.",
        metric="host.cpu",
        threshold=0.95,
        clears=0.8,
        for_seconds=30 * MINUTE,
        calm_seconds=10 * MINUTE,
        cooldown_seconds=12 * HOUR,
    ),
    AlertRule(
        name="files-short",
        level=Level.WARNING,
        title="Processes of the system have nearly as many files open as they may",
        next_step="`make down` and `make up` close them; `ulimit -n` says how many there may be.",
        why="Whatever opens a file fails at 100 %; a leak takes hours to get there.",
        metric="host.open_files_used",
        threshold=0.8,
        worse=((Level.ERROR, 0.95),),
        clears=0.7,
        for_seconds=MINUTE,
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="not-looked-at",
        level=Level.ERROR,
        title="A part of the system cannot be looked at",
        next_step="The dashboard says why; `tradeflows doctor` checks the installation, `tradeflows"
        " journal verify` the books. Its incidents stay as they are until it is seen again.",
        why="What is not seen is not well; whatever restarts is back within minutes. The server has"
        " a rule of its own.",
        metric="watch.unseen",
        without=(("part", Part.ORCHESTRATION),),
        threshold=1.0,
        for_seconds=5 * MINUTE,
        calm_seconds=MINUTE,
        cooldown_seconds=2 * HOUR,
    ),
    AlertRule(
        name="delivery-failing",
        level=Level.ERROR,
        title="Alerts do not reach their receiver",
        next_step="`tradeflows alerts test WARNING` sends one; look at TRADEFLOWS_ALERTS_URL and at"
        " the receiver. Every alert is sent again until it is taken, and is on the dashboard.",
        why="A receiver that restarts is back within minutes; alerts are repeated by then.",
        metric="alerts.oldest_undelivered",
        threshold=5 * MINUTE,
        clears=1.0,
        cooldown_seconds=HOUR,
    ),
    AlertRule(
        name="alert-test",
        level=Level.INFO,
        title="Somebody tries whether alerts arrive",
        next_step="Nothing: it was a test.",
        why="A test has the level it was asked for, and is over after a minute.",
        events=(AlertTested.name,),
        cooldown_seconds=MINUTE,
        ends_after_seconds=MINUTE,
    ),
    AlertRule(
        name="event-unlisted",
        level=Level.INFO,
        title="An event came that no rule knows",
        next_step="Its message says what happened; `tradeflows alerts rules` lists what is known.",
        why="An event of another version is believed, not lost.",
        events=(ANY,),
        cooldown_seconds=6 * HOUR,
    ),
)
