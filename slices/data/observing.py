"""What the store holds of each feed, and how old that is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from slices.data.loading import source_delay
from slices.data.store import BarStore
from slices.domain.calendar import last_completed_session, missed_sessions
from slices.domain.observations import FeedFacts
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from slices.data.manifest import StoredBars

FINAL = "embedded"


def feed_facts(*, at: dt.datetime) -> tuple[FeedFacts, ...]:
    """Look at every feed the store holds bars of; of each symbol its newest bars count.

    Embedded prices are final and do not age. Neither do bars that were asked for up to a date
    somebody chose, unless the symbol's newest bars were asked for too.

    Args:
        at: Now (UTC).

    Raises:
        IntegrityError: The store cannot be read.
    """
    entries = BarStore(load_settings().store_folder).manifest().entries
    feeds: defaultdict[tuple[str, str], list[StoredBars]] = defaultdict(list)
    for each in entries:
        feeds[(each.origin.provider, each.origin.feed)].append(each)
    expected = last_completed_session(at, delay=source_delay())
    return tuple(_facts(feeds[each], expected=expected) for each in sorted(feeds))


def _facts(entries: Sequence[StoredBars], *, expected: dt.date) -> FeedFacts:
    origin = entries[0].origin
    newest = _newest(entries)
    open_ended = _newest(each for each in entries if each.origin.end is None)
    is_final = origin.provider == FINAL or not open_ended
    last = min(each.quality.last_session for each in (open_ended or newest))
    return FeedFacts(
        source=origin.provider,
        feed=origin.feed,
        symbols=len(newest),
        rows=sum(each.quality.rows for each in newest),
        last_session=last,
        is_final=is_final,
        age_sessions=0 if is_final else missed_sessions(last, expected),
        gaps=sum(len(each.quality.missing_sessions) for each in newest),
        quarantined=sum(each.quality.quarantined_rows for each in newest),
        suspected_splits=sum(len(each.quality.suspected_splits) for each in newest),
        ingested=max(each.ingested_at for each in entries),
    )


def _newest(entries: Iterable[StoredBars]) -> tuple[StoredBars, ...]:
    """Return the entry of each symbol that reaches farthest, the last written of several."""
    found: dict[str, StoredBars] = {}
    for each in sorted(entries, key=lambda e: (e.quality.last_session, e.ingested_at)):
        found[each.symbol] = each
    return tuple(found.values())
