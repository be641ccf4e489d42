"""Colours and style, for light and dark; the series colours follow Okabe and Ito (2008).

The page names its colours as custom properties. An image has its colours written out, because not
every viewer of SVG knows custom properties.
"""

from __future__ import annotations

import re

LIGHT = {
    "page": "#f7f6f3",
    "surface": "#ffffff",
    "ink": "#1b2026",
    "muted": "#59636d",
    "grid": "#e4e6e8",
    "rule": "#c4cad0",
    "accent": "#0a5a9c",
    "good": "#08704f",
    "warning": "#8f5400",
    "bad": "#ad231b",
    "good-tint": "#eaf5f0",
    "warning-tint": "#fdf3e2",
    "bad-tint": "#fcecea",
    "neutral-tint": "#f0f1f1",
    "shade": "#1b202622",
    "positive": "#0b66a8",
    "negative": "#c2500a",
    "on-strong": "#ffffff",
    "series-0": "#0072b2",
    "series-1": "#d55e00",
    "series-2": "#008a65",
    "series-3": "#b34d8a",
    "series-4": "#b07600",
    "series-5": "#3d98d3",
    "series-6": "#7d7300",
    "series-7": "#4f5862",
}
DARK = {
    "page": "#121518",
    "surface": "#1a1e22",
    "ink": "#e7e9eb",
    "muted": "#a0abb4",
    "grid": "#2b3137",
    "rule": "#48515a",
    "accent": "#74b7f0",
    "good": "#52c795",
    "warning": "#ecb552",
    "bad": "#ff8f85",
    "good-tint": "#15291f",
    "warning-tint": "#2d2412",
    "bad-tint": "#331c1a",
    "neutral-tint": "#20262c",
    "shade": "#00000088",
    "positive": "#2f86cc",
    "negative": "#cf6420",
    "on-strong": "#ffffff",
    "series-0": "#4ea5e3",
    "series-1": "#ff8244",
    "series-2": "#2fc79b",
    "series-3": "#e08fbd",
    "series-4": "#e5a823",
    "series-5": "#9ad3f5",
    "series-6": "#e6dd63",
    "series-7": "#b9c1c9",
}
CHART_RULES = """\
.chart text{fill:var(--ink);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",\
Arial,sans-serif;font-variant-numeric:tabular-nums}
.chart .muted{fill:var(--muted)}
.chart .title{font-weight:600}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .zero{stroke:var(--rule);stroke-width:1.25}
.chart .leader{stroke:var(--rule);stroke-width:1}
.chart .line{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linejoin:round;\
stroke-linecap:butt}
.chart .area{fill:currentColor;fill-opacity:.14;stroke:none}
.chart .mark{fill:currentColor;stroke:var(--surface);stroke-width:1}
.chart .mark.hollow{fill:var(--surface);stroke:currentColor;stroke-width:1.6}
.chart .bar{fill:currentColor}
.chart .bar:hover,.chart .cells rect:hover{opacity:.75}
.chart .frame{fill:none;stroke:var(--rule)}
.chart .outline{fill:none;stroke:var(--ink);stroke-width:1.6}
.chart .halo{stroke:var(--surface);stroke-width:3;stroke-linejoin:round;paint-order:stroke}
.chart .positive{fill:var(--positive)}
.chart .cells rect{fill:var(--positive)}
.chart .cells .negative,.chart .negative{fill:var(--negative)}
.chart .strong{fill:var(--on-strong)}
.chart .surface{fill:var(--surface)}
.chart .bands{fill:var(--muted);fill-opacity:0}
.chart .bands rect:hover{fill-opacity:.1}
"""
SERIES_RULES = "".join(f".chart .s{each}{{color:var(--series-{each})}}\n" for each in range(8))


def page_colours() -> str:
    """Write both palettes as custom properties; print is always light."""
    return (
        f":root{{color-scheme:light dark;{_properties(LIGHT)}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_properties(DARK)}}}}}\n"
    )


def chart_rules() -> str:
    """Write the rules of charts that stand inside a page."""
    return CHART_RULES + SERIES_RULES


def image_rules() -> str:
    """Write the rules of a chart that stands alone, with every colour written out."""
    rules = chart_rules()
    return f"{_filled(rules, LIGHT)}@media (prefers-color-scheme:dark){{\n{_filled(rules, DARK)}}}"


def _properties(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def _filled(rules: str, colours: dict[str, str]) -> str:
    return re.sub(r"var\(--([a-z0-9-]+)\)", lambda found: colours[found[1]], rules)
