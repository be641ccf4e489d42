"""Pages from templates; every text in them is escaped."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from slices.domain.monitoring import Unit
from slices.monitor.dashboard import wording
from slices.monitor.theme import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
FILTERS: dict[str, Callable[..., object]] = {
    "money": wording.money,
    "price": wording.price,
    "gain": wording.gain,
    "percent": wording.percent,
    "ratio": wording.ratio,
    "quantity": wording.quantity,
    "bps": lambda value: wording.measured(value, Unit.BASIS_POINTS),
    "duration": wording.duration,
    "moment": wording.moment,
    "coded": wording.coded,
    "link": wording.link,
    "health_tone": wording.health_tone,
    "health_word": wording.health_word,
    "labelled": wording.labelled,
    "segment": lambda text: quote(text, safe=""),
    "query": urlencode,
}
HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "historyEnabled": False,
    "includeIndicatorStyles": False,
    "selfRequestsOnly": True,
    "timeout": 10_000,
}


@cache
def environment() -> Environment:
    """Make the environment of the templates."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(
        shapes=wording.SHAPES,
        level_tones=wording.LEVEL_TONES,
        run_tone=wording.run_tone,
        plural=wording.plural,
        measured=wording.measured,
        htmx_config=json.dumps(HTMX),
    )
    return made


def render(template: str, **shown: object) -> str:
    """Fill a template."""
    return environment().get_template(f"{template}.html.j2").render(**shown)


@cache
def theme() -> str:
    """Write both palettes: the system's choice, unless the page names one."""
    light, dark = _rule(LIGHT, "light"), _rule(DARK, "dark")
    return (
        f":root{light}\n"
        f"@media (prefers-color-scheme:dark){{:root{dark}}}\n"
        f":root[data-theme=light]{light}\n"
        f":root[data-theme=dark]{dark}\n"
    )


def _rule(colours: dict[str, str], scheme: str) -> str:
    properties = "".join(f"--{name}:{colour};" for name, colour in colours.items())
    return f"{{color-scheme:{scheme};{properties}}}"
