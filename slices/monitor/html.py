"""A report as one self-contained HTML page that asks nothing of the network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from slices.domain.numbers import UNIT_WORDS, is_number, written_column
from slices.domain.report import Block, Chart, Note, Report, Section, Table, Tone
from slices.monitor.charts import chart_note, inline_svg
from slices.monitor.tables import ShownTable, shown_table
from slices.monitor.theme import chart_rules, page_colours

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

TEMPLATES = Path(__file__).parent / "templates"
FEWEST_SECTIONS_FOR_CONTENTS = 4
TONE_WORDS = {
    Tone.NEUTRAL: "",
    Tone.GOOD: "Good",
    Tone.WARNING: "Warning",
    Tone.BAD: "Problem",
}


@dataclass(frozen=True, kw_only=True)
class ShownNote:
    """A note or key figure's tone in words, since colour alone says nothing to many."""

    text: str
    tone: str
    word: str


@dataclass(frozen=True, kw_only=True)
class ShownFigure:
    """A key figure as it is read."""

    label: str
    value: str
    unit: str
    note: str
    tone: str
    word: str


@dataclass(frozen=True, kw_only=True)
class ShownChart:
    """A chart as markup, with its heading and caption."""

    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True, kw_only=True)
class ShownBlock:
    """One block of a section: exactly one of the three is present."""

    note: ShownNote | None = None
    table: ShownTable | None = None
    chart: ShownChart | None = None


@dataclass(frozen=True, kw_only=True)
class ShownSection:
    """A section with the anchor the contents link to."""

    anchor: str
    title: str
    intro: str
    blocks: tuple[ShownBlock, ...]


def render_html(report: Report, *, written_at: dt.datetime) -> str:
    """Render a report as one page, readable on a phone, on paper, in light and in dark.

    Args:
        report: What to show.
        written_at: When it was written, stated at the foot of the page.
    """
    template = _environment().get_template("report.html.j2")
    sections = tuple(_section(number, each) for number, each in enumerate(report.sections, 1))
    return template.render(
        report=report,
        style=Markup(page_colours() + _stylesheet() + chart_rules()),  # noqa: S704 - our own text
        figures=_figures(report),
        notes=tuple(shown_note(note) for note in report.notes),
        sections=sections,
        contents=sections if len(sections) >= FEWEST_SECTIONS_FOR_CONTENTS else (),
        written_at=written_at,
    )


def shown_note(note: Note) -> ShownNote:
    """Give a note the word for its tone."""
    return ShownNote(text=note.text, tone=note.tone.value, word=TONE_WORDS[note.tone])


def _figures(report: Report) -> tuple[ShownFigure, ...]:
    return tuple(
        ShownFigure(
            label=figure.label,
            value=written_column((figure.value,), figure.unit)[0],
            unit=UNIT_WORDS.get(figure.unit, "") if is_number(figure.value) else "",
            note=figure.note,
            tone=figure.tone.value,
            word=TONE_WORDS[figure.tone],
        )
        for figure in report.figures
    )


def _section(number: int, section: Section) -> ShownSection:
    return ShownSection(
        anchor=f"section-{number}",
        title=section.title,
        intro=section.intro,
        blocks=tuple(_blocks(section.blocks)),
    )


def _blocks(blocks: Iterable[Block]) -> Iterable[ShownBlock]:
    for block in blocks:
        match block:
            case Note():
                yield ShownBlock(note=shown_note(block))
            case Table():
                yield ShownBlock(table=shown_table(block))
            case _:
                yield ShownBlock(chart=_chart(block))


def _chart(chart: Chart) -> ShownChart:
    svg = Markup(inline_svg(chart))  # noqa: S704 - every text in it is escaped by `svg.escaped`
    return ShownChart(title=chart.title, svg=svg, caption=chart_note(chart))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet() -> str:
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")
