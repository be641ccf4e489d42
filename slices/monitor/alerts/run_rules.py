"""Rules about flow runs, workers and the Prefect server."""

from __future__ import annotations

from slices.domain.alerts import Level
from slices.domain.monitoring import AlertRule, Comparison

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

RUN_RULES = (
    AlertRule(
        name="run-failed",
        level=Level.ERROR,
        title="A flow run failed",
        next_step="`tradeflows status` shows the run, its page in Prefect the log and the error;"
        " `prefect flow-run retry ID` goes on from its finished steps.",
        why="Each run counts once; a later run of the deployment that ends well ends it.",
        states=("Failed", "TimedOut"),
        cooldown_seconds=HOUR,
        ends_after_seconds=7 * DAY,
    ),
    AlertRule(
        name="run-crashed",
        level=Level.ERROR,
        title="The process of a flow run died",
        next_step="Look at the log of the run in Prefect and at memory and disk of the machine;"
        " `prefect flow-run retry ID` goes on from its finished steps.",
        why="Each run counts once; a later run of the deployment that ends well ends it.",
        states=("Crashed",),
        cooldown_seconds=HOUR,
        ends_after_seconds=7 * DAY,
    ),
    AlertRule(
        name="run-degraded",
        level=Level.INFO,
        title="A flow run ended with caveats",
        next_step="The report of the run lists them; `tradeflows status` shows where it is.",
        why="Caveats are for reading, once a day.",
        states=("Degraded",),
        cooldown_seconds=DAY,
        ends_after_seconds=2 * DAY,
    ),
    AlertRule(
        name="runs-late",
        level=Level.WARNING,
        title="Flow runs do not begin when they should",
        next_step="`prefect work-pool ls` and `prefect worker start --pool local` where none is"
        " online; `make up` starts everything that is missing.",
        why="A worker asks every ten seconds and starts a run within half a minute; five minutes"
        " later nobody takes it.",
        metric="runs.late",
        threshold=1.0,
        worse=((Level.ERROR, 10.0),),
        for_seconds=5 * MINUTE,
        cooldown_seconds=2 * HOUR,
    ),
    AlertRule(
        name="run-stuck",
        level=Level.ERROR,
        title="A flow run is not heard of any more",
        next_step="Its page in Prefect shows the last step; `prefect flow-run cancel ID` ends it,"
        " `prefect flow-run retry ID` goes on from its finished steps.",
        why="A run says every three minutes at the latest that it lives; after nine it is taken"
        " for dead, after fifteen that has not happened either.",
        metric="runs.stuck",
        threshold=15 * MINUTE,
        ends_when_gone=True,
        cooldown_seconds=2 * HOUR,
    ),
    AlertRule(
        name="worker-gone",
        level=Level.ERROR,
        title="No worker of a pool is online",
        next_step="`make up` starts it again; `prefect worker start --pool local` does so by hand."
        " Nothing scheduled runs meanwhile, the watching of stops included.",
        why="The server misses a worker after a minute and a half of silence; half a minute more"
        " lets one that is restarted come back.",
        metric="workers.online",
        comparison=Comparison.BELOW,
        threshold=0.0,
        for_seconds=MINUTE / 2,
        calm_seconds=MINUTE,
        ends_when_gone=True,
        cooldown_seconds=HOUR,
    ),
    AlertRule(
        name="server-down",
        level=Level.ERROR,
        title="The Prefect server does not answer",
        next_step="`make up` starts it again; its log is in the folder `run` of the home. Halting"
        " works without it: `tradeflows halt --reason TEXT`.",
        why="A restart takes half a minute.",
        metric="server.up",
        comparison=Comparison.BELOW,
        threshold=0.0,
        for_seconds=MINUTE,
        calm_seconds=MINUTE,
        cooldown_seconds=HOUR,
    ),
    AlertRule(
        name="server-slow",
        level=Level.WARNING,
        title="The Prefect server answers slowly",
        next_step="Look at CPU and disk on the dashboard; `tradeflows doctor` checks the server."
        " A database of PostgreSQL bears more runs at once than SQLite.",
        why="An answer takes a hundredth of a second; two seconds for five minutes are no peak.",
        metric="server.answer_seconds",
        threshold=2.0,
        clears=1.0,
        for_seconds=5 * MINUTE,
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="actions-failing",
        level=Level.WARNING,
        title="Actions of automations failed",
        next_step="`python -m deployments.apply` puts automations, blocks and deployments right;"
        " the event feed in Prefect names the action.",
        why="Counted over a day; each one is something that was asked for and did not happen.",
        metric="automations.failed_actions",
        threshold=1.0,
        cooldown_seconds=6 * HOUR,
    ),
)
