from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from slices.domain.report import Report, Table, Unit
from slices.monitor.markdown import escaped_markdown, render_markdown
from slices.monitor.tables import MOST_ROWS

HOSTILE = "<script>alert(1)</script> | [go](javascript:x) ![pic](http://x/y) `code` *bold*\n# Head"


@pytest.fixture
def text(build_report: Callable[..., Report]) -> str:
    return render_markdown(build_report())


def test_every_figure_and_cell_is_shown(text: str) -> None:
    wanted = ("18.93%", "−0.75", "100,000", "–", "12.34%", "−5.21%", "411", "98,765", "Seed")
    assert [each for each in wanted if each not in text] == []


def test_the_summary_comes_first(text: str) -> None:
    order = ("Headline", "18.93%", "Beware", "## One", "12.34%", "## Provenance")
    places = [text.index(each) for each in order]
    assert places == sorted(places)


def test_every_table_row_has_as_many_cells_as_its_head(build_report: Callable[..., Report]) -> None:
    text = render_markdown(build_report(word=HOSTILE))
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().split("\n")}
        assert len(widths) == 1


def test_hostile_texts_stay_text(build_report: Callable[..., Report]) -> None:
    text = render_markdown(build_report(word=HOSTILE))
    assert "<" not in text
    assert not re.search(r"(?<!\\)\[", text)
    assert not re.search(r"(?<!\\)`", text)
    assert not re.search(r"^# Head", text, re.MULTILINE)


@pytest.mark.parametrize("text", ["# a", "- a", "1. a", "12) a", "+ a", "> a"])
def test_a_paragraph_does_not_turn_into_something_else(
    text: str, build_report: Callable[..., Report]
) -> None:
    report = build_report(word="")
    written = render_markdown(type(report)(**{**vars(report), "headline": text}))
    assert f"\n{text}\n" not in written


def test_words_with_underscores_stay_readable() -> None:
    assert escaped_markdown("min_variance") == "min_variance"
    assert escaped_markdown("_bold_") == "\\_bold\\_"


def test_the_best_of_a_column_is_bold(text: str) -> None:
    assert "**12.34%**" in text
    assert "**22%**" in text


def test_rows_left_out_of_a_long_table_are_counted(build_report: Callable[..., Report]) -> None:
    report = build_report()
    rows = tuple((each,) for each in range(MOST_ROWS + 7))
    long = Table(key="l", title="Long", columns=("N",), units=(Unit.COUNT,), rows=rows)
    section = type(report.sections[0])(title="S", blocks=(long,))
    text = render_markdown(type(report)(**{**vars(report), "sections": (section,)}))
    assert f"| {MOST_ROWS - 1} |" in text
    assert f"| {MOST_ROWS} |" not in text
    assert "7 more rows" in text
