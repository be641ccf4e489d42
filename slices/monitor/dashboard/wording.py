"""How the pages write numbers, times and states for a person."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from slices.domain.alerts import Level
from slices.domain.monitoring import Unit
from slices.domain.numbers import UNDEFINED, signed, written
from slices.domain.report import Unit as Written

if TYPE_CHECKING:
    from decimal import Decimal

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = 60, 3600, 86_400
SIZES = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
GOOD, FAIR = 90.0, 70.0
SHAPES = {"good": "●", "warning": "▲", "bad": "■", "neutral": "○", "busy": "◆"}
"""A tone is never colour alone: each has a shape, and a word stands beside it."""

LEVEL_TONES = {
    Level.INFO: "neutral",
    Level.WARNING: "warning",
    Level.ERROR: "bad",
    Level.CRITICAL: "bad",
}
RUN_TONES = {
    "COMPLETED": "good",
    "RUNNING": "busy",
    "FAILED": "bad",
    "CRASHED": "bad",
    "CANCELLING": "warning",
    "PAUSED": "warning",
}
WRITTEN_UNITS = {
    Unit.FRACTION: Written.FRACTION,
    Unit.SESSIONS: Written.SESSIONS,
    Unit.COUNT: Written.COUNT,
    Unit.MONEY: Written.MONEY,
    Unit.BASIS_POINTS: Written.BPS,
    Unit.STATE: Written.COUNT,
}


def measured(value: float, unit: Unit) -> str:
    """Write a measured value with its unit.

    >>> measured(0.372, Unit.FRACTION), measured(75.0, Unit.SECONDS), measured(2048, Unit.BYTES)
    ('37.20%', '1 min 15 s', '2.0 KiB')
    """
    match unit:
        case Unit.SECONDS:
            return duration(value)
        case Unit.BYTES:
            return size(value)
    return written(value, WRITTEN_UNITS[unit])


def money(value: float | Decimal) -> str:
    """Write an amount in account currency, with cents below 1,000."""
    return written(float(value), Written.MONEY)


def price(value: float | Decimal | None) -> str:
    """Write a price with two decimals; a dash where there is none.

    >>> price(191.5), price(None)
    ('191.50', '–')
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    return signed(f"{value:,.2f}")


def gain(value: float) -> str:
    """Write money with its sign, so that gains and losses differ by more than colour.

    >>> gain(412.0), gain(-412.35)
    ('+412.00', '−412.35')
    """
    return f"+{money(value)}" if value > 0 else money(value)


def percent(value: float) -> str:
    """Write a fraction as a percentage with one decimal.

    >>> percent(0.0462), percent(float("nan"))
    ('4.6%', '–')
    """
    return UNDEFINED if math.isnan(value) else signed(f"{value * 100:,.1f}") + "%"


def ratio(value: float, decimals: int = 3) -> str:
    """Write a plain number."""
    return UNDEFINED if math.isnan(value) else signed(f"{value:,.{decimals}f}")


def quantity(value: float | Decimal) -> str:
    """Write shares without zeros that say nothing.

    >>> quantity(100.0), quantity(-2.5)
    ('100', '−2.5')
    """
    return signed(f"{value:,.6f}".rstrip("0").rstrip("."))


def size(value: float) -> str:
    """Write bytes in the largest unit that leaves at least one of it."""
    if math.isnan(value):
        return UNDEFINED
    for factor, word in SIZES:
        if abs(value) >= factor:
            return signed(f"{value / factor:,.1f} {word}")
    return signed(f"{value:,.0f} B")


def duration(seconds: float) -> str:
    """Write a time span in its two largest units.

    >>> duration(9.4), duration(0.021), duration(4325), duration(200_000)
    ('9 s', '21 ms', '1 h 12 min', '2 d 7 h')
    """
    if math.isnan(seconds):
        return UNDEFINED
    if seconds < 1:
        return "0 s" if seconds <= 0 else f"{seconds * 1000:.0f} ms"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return _two(whole, MINUTE, 1, ("min", "s"))
    if whole < DAY:
        return _two(whole, HOUR, MINUTE, ("h", "min"))
    return _two(whole, DAY, HOUR, ("d", "h"))


def _two(whole: int, larger: int, smaller: int, words: tuple[str, str]) -> str:
    many, rest = divmod(whole, larger)
    few = rest // smaller
    return f"{many} {words[0]} {few} {words[1]}" if few else f"{many} {words[0]}"


def moment(at: dt.datetime | None) -> Markup:
    """Write an instant in New York time; UTC and the date are in its title."""
    if at is None:
        return Markup('<span class="none">never</span>')
    there, utc = at.astimezone(NEW_YORK), at.astimezone(dt.UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        utc.isoformat(timespec="seconds"),
        f"{there:%Y-%m-%d %H:%M:%S} New York, {utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{there:%b %d, %H:%M:%S}",
    )


def coded(text: str) -> Markup:
    """Set what stands between backticks as code; everything is escaped.

    >>> str(coded("Run `tradeflows watch` <now>"))
    'Run <code class="command">tradeflows watch</code> &lt;now&gt;'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    code = Markup('<code class="command">{}</code>')
    return Markup("").join(
        code.format(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces)
    )


def link(address: str) -> str:
    """Return an address a page may link to; empty for anything but a web page.

    >>> link("http://127.0.0.1:4200"), link("javascript:alert(1)")
    ('http://127.0.0.1:4200', '')
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.netloc else ""


def health_tone(score: float | None) -> str:
    """Name the tone of a score."""
    if score is None or math.isnan(score):
        return "neutral"
    return "good" if score >= GOOD else "warning" if score >= FAIR else "bad"


def health_word(score: float | None) -> str:
    """Say what a score means.

    >>> health_word(95.0), health_word(None)
    ('Good', 'No score')
    """
    words = {"good": "Good", "warning": "Needs a look", "bad": "Bad", "neutral": "No score"}
    return words[health_tone(score)]


def run_tone(kind: str, state: str) -> str:
    """Name the tone of a run's state."""
    if state in {"Degraded", "Late"}:
        return "warning"
    return RUN_TONES.get(kind, "neutral")


def plural(count: int, one: str, many: str = "") -> str:
    """Count things in words.

    >>> plural(1, "run"), plural(3, "run"), plural(2, "entry", "entries")
    ('1 run', '3 runs', '2 entries')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def labelled(labels: tuple[tuple[str, str], ...]) -> str:
    """Write the labels of a series.

    >>> labelled((("account", "daily"), ("mode", "paper")))
    'account daily, mode paper'
    """
    return ", ".join(f"{name} {value}" for name, value in labels)
