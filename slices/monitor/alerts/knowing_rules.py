"""Rules about data, models and stored results."""

from __future__ import annotations

from slices.domain.alerts import (
    ChampionChanged,
    DataStale,
    FeatureDrifted,
    Level,
    ModelAged,
    PredictionRefused,
    ResultRefused,
    RowsQuarantined,
    SkillDecayed,
    SplitSuspected,
)
from slices.domain.model_monitoring import DEFAULT_MONITOR_LIMITS
from slices.domain.monitoring import AlertRule

HOUR, DAY = 3600.0, 86_400.0
WEEKEND = 4 * DAY
"""From a daily look before a long weekend to the one after it."""

KNOWING_RULES = (
    AlertRule(
        name="data-stale",
        level=Level.WARNING,
        title="A flow was given bars that are too old",
        next_step="`tradeflows doctor` asks the source; run the flow again once it delivers. No new"
        " position is opened on such bars, closing is allowed.",
        why="One session missing is a warning and three are critical, which the event says itself;"
        " a source that stands still concerns all its symbols, so they are one incident.",
        events=(DataStale.name,),
        is_joint=True,
        cooldown_seconds=6 * HOUR,
        ends_after_seconds=26 * HOUR,
    ),
    AlertRule(
        name="feed-old",
        level=Level.WARNING,
        title="A feed has not grown for sessions",
        next_step="`tradeflows run full_analysis --source SOURCE` loads what is new; a feed that"
        " nobody needs is kept quiet by `tradeflows alerts silence feed-old SUBJECT --for 90d"
        " --reason TEXT`.",
        why="The daily runs load every session; three missing are more than one failed evening.",
        metric="data.age_sessions",
        threshold=3.0,
        worse=((Level.ERROR, 10.0),),
        clears=1.0,
        ends_when_gone=True,
        cooldown_seconds=DAY,
    ),
    AlertRule(
        name="rows-quarantined",
        level=Level.WARNING,
        title="Rows of bars were set aside",
        next_step="The report of the run names rows and reasons; put the file right, or take"
        " another source. Nothing that was set aside is traded on.",
        why="One bad delivery concerns many symbols, so they are one incident.",
        events=(RowsQuarantined.name,),
        is_joint=True,
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="split-suspected",
        level=Level.ERROR,
        title="A price jump looks like a split nobody adjusted for",
        next_step="Look the split up; load the symbol from a source that says where splits are, or"
        " leave it out with `--symbols`. Sizing is blocked until then.",
        why="Orders sized on such prices are wrong by the split.",
        events=(SplitSuspected.name,),
        is_joint=True,
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="source-failing",
        level=Level.WARNING,
        title="Fetches from sources failed for good",
        next_step="`tradeflows doctor` asks the sources; the log of the run in Prefect names symbol"
        " and answer. Flows go on once the source delivers.",
        why="Counted over a day, after three retries each; ten are no single symbol.",
        metric="tasks.failed_fetches",
        threshold=1.0,
        worse=((Level.ERROR, 10.0),),
        cooldown_seconds=6 * HOUR,
    ),
    AlertRule(
        name="model-drifted",
        level=Level.WARNING,
        title="Features no longer look as they did in training",
        next_step="The report of `tradeflows run ml_model_monitoring` lists them; a training of its"
        " own accord follows, `tradeflows models show NAME` says how it ended.",
        why="Looked at every evening; a weekend without a look ends nothing.",
        events=(FeatureDrifted.name,),
        cooldown_seconds=DAY,
        ends_after_seconds=WEEKEND,
    ),
    AlertRule(
        name="model-decayed",
        level=Level.ERROR,
        title="A model no longer predicts as it did out of sample",
        next_step="`tradeflows models rollback NAME --reason TEXT` brings back the one before,"
        " `tradeflows models retire NAME --reason TEXT` lets nobody trade.",
        why="The test behind it raises a false alarm once in twenty lives of a model.",
        events=(SkillDecayed.name,),
        cooldown_seconds=DAY,
        ends_after_seconds=WEEKEND,
    ),
    AlertRule(
        name="model-aged",
        level=Level.WARNING,
        title="A champion was trained too long ago",
        next_step="`tradeflows run ml_model_training` trains anew.",
        why="More sessions than its limit; beyond it the model is not asked.",
        metric="model.age_sessions",
        where=(("alias", "champion"),),
        threshold=DEFAULT_MONITOR_LIMITS.most_age_sessions + 1.0,
        ends_when_gone=True,
        events=(ModelAged.name,),
        cooldown_seconds=3 * DAY,
    ),
    AlertRule(
        name="prediction-refused",
        level=Level.ERROR,
        title="A model was not asked, or not listened to",
        next_step="The report of the run names the refusal; `tradeflows models show NAME` shows"
        " versions and checks. Nothing is traded on the model meanwhile.",
        why="A model that trades is asked every session.",
        events=(PredictionRefused.name,),
        cooldown_seconds=6 * HOUR,
        ends_after_seconds=26 * HOUR,
    ),
    AlertRule(
        name="champion-changed",
        level=Level.INFO,
        title="Another version of a model trades from now on, or none does",
        next_step="`tradeflows models show NAME` says why; `tradeflows models rollback NAME"
        " --reason TEXT` takes it back.",
        why="Good to know; a change is over once it was made.",
        events=(ChampionChanged.name,),
        ends_after_seconds=HOUR,
    ),
    AlertRule(
        name="result-refused",
        level=Level.CRITICAL,
        title="A stored result is not what was written",
        next_step="It was thrown away and is computed anew. Find out who writes into the folder"
        " `results` of the home, then `python -m deployments.resume` lets schedules trade again.",
        why="Damage or tampering: nobody trades on results of this folder until somebody looked.",
        events=(ResultRefused.name,),
        cooldown_seconds=HOUR,
        pauses="trading",
    ),
)
