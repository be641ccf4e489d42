"""`tradeflows clean`: give disk space back."""

from __future__ import annotations

from dataclasses import asdict

from flows.cli.exits import Exit
from flows.cli.output import print_json, print_line
from slices.domain.clock import SystemClock
from slices.domain.errors import ParameterError
from slices.runtime.environment import check_home

MIB = 1024**2


def show_cleaned(*, older_than_days: int, as_json: bool) -> Exit:
    """Remove what can be made again and has not been written for some days."""
    if older_than_days < 0:
        raise ParameterError(
            parameter="--older-than-days", found=str(older_than_days), allowed="0 or more"
        )
    check_home()
    from slices.data.cleaning import clean

    cleaned = clean(older_than_days=older_than_days, clock=SystemClock())
    if as_json:
        print_json([asdict(each) for each in cleaned])
    for each in () if as_json else cleaned:
        print_line(f"{each.kind:<9} {each.files:>6} files  {each.freed_bytes / MIB:>8.1f} MiB")
    return Exit.OK
