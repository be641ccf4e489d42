"""A report as Markdown: the summary first, then its tables; charts stay in the page."""

from __future__ import annotations

import html
import re

from slices.domain.numbers import written
from slices.domain.report import KeyFigure, Note, Report, Section, Table
from slices.monitor.html import TONE_WORDS
from slices.monitor.tables import ShownCell, ShownTable, shown_table

SPECIAL = re.compile(r"([\\`*\[\]|~]|(?<!\w)_|_(?!\w))")
LINE_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")


def render_markdown(report: Report) -> str:
    """Render the headline, key figures and notes, then every section's notes and tables."""
    parts = [
        f"# {escaped_markdown(report.title)}",
        _paragraph(report.headline),
        _figures(report.figures),
        *(_note(note) for note in report.notes),
        *(part for section in report.sections for part in _section(section)),
        _provenance(report.provenance),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def escaped_markdown(text: str) -> str:
    r"""Escape what Markdown or HTML would read as markup, and join lines.

    >>> print(escaped_markdown("a|b <i> [x](y)"))
    a\|b &lt;i&gt; \[x\](y)
    """
    one_line = " ".join(text.split())
    return SPECIAL.sub(r"\\\1", html.escape(one_line, quote=False))


def _paragraph(text: str) -> str:
    return LINE_START.sub(_escaped_start, escaped_markdown(text))


def _escaped_start(found: re.Match[str]) -> str:
    return f"{found[2]}\\" if found[2].isdigit() else f"\\{found[2]}"


def _figures(figures: tuple[KeyFigure, ...]) -> str:
    if not figures:
        return ""
    rows = [
        _row((f"**{escaped_markdown(each.label)}**", _value(each), _about(each)))
        for each in figures
    ]
    return "\n".join(["| Figure | Value | |", "| :-- | --: | :-- |", *rows])


def _value(figure: KeyFigure) -> str:
    return escaped_markdown(written(figure.value, figure.unit))


def _about(figure: KeyFigure) -> str:
    word = TONE_WORDS[figure.tone]
    parts = (f"**{word}**" if word else "", escaped_markdown(figure.note))
    return ": ".join(part for part in parts if part)


def _note(note: Note) -> str:
    word = TONE_WORDS[note.tone]
    if not word:
        return _paragraph(note.text)
    return f"> **{word}:** {escaped_markdown(note.text)}"


def _section(section: Section) -> list[str]:
    parts = [_paragraph(section.intro)] if section.intro else []
    for block in section.blocks:
        if isinstance(block, Note):
            parts.append(_note(block))
        if isinstance(block, Table):
            parts.extend(_table(block))
    return [f"## {escaped_markdown(section.title)}", *parts] if parts else []


def _table(table: Table) -> list[str]:
    shown = shown_table(table)
    heading = f"### {escaped_markdown(shown.title)}"
    body = "\n".join([_head(shown), _alignment(shown), *map(_cells, shown.rows)])
    caption = _paragraph(shown.caption) if shown.caption else ""
    return [heading, body, *([caption] if caption else [])]


def _head(table: ShownTable) -> str:
    names = (
        f"{column.name} ({column.unit})" if column.unit else column.name for column in table.columns
    )
    return _row(tuple(escaped_markdown(name) for name in names))


def _alignment(table: ShownTable) -> str:
    return _row(tuple("--:" if column.numeric else ":--" for column in table.columns))


def _cells(cells: tuple[ShownCell, ...]) -> str:
    return _row(tuple(_cell(cell) for cell in cells))


def _cell(cell: ShownCell) -> str:
    text = escaped_markdown(cell.text)
    return f"**{text}**" if cell.best else text


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _linked(value: str) -> str:
    """Write a value, an address as a link."""
    is_address = value.startswith(("http://", "https://"))
    return f"[{escaped_markdown(value)}](<{value}>)" if is_address else escaped_markdown(value)


def _provenance(pairs: tuple[tuple[str, str], ...]) -> str:
    if not pairs:
        return ""
    rows = [_row((escaped_markdown(name), _linked(value))) for name, value in pairs]
    return "\n".join(["## Provenance", "", "| Name | Value |", "| :-- | :-- |", *rows])
