from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest

from slices.domain.report import Report
from slices.monitor.html import render_html

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


@pytest.fixture
def page(build_report: Callable[..., Report], noon: dt.datetime) -> str:
    return render_html(build_report(), written_at=noon)


def test_every_figure_and_cell_is_shown(page: str, parse: Callable[[str], Any]) -> None:
    text = parse(page).text
    figures = ("18.93%", "−0.75", "100,000", "–")
    cells = ("12.34%", "−5.21%", "31%", "411", "123,457", "98,765", "First", "Third")
    assert [each for each in (*figures, *cells) if each not in text] == []


def test_every_section_note_and_provenance_is_shown(page: str, parse: Callable[[str], Any]) -> None:
    text = parse(page).text
    wanted = ("Headline", "One", "Two", "Three", "Four", "Beware", "Neutral", "Seed", "Caption")
    assert [each for each in wanted if each not in text] == []


def test_the_markup_is_well_formed(page: str, parse: Callable[[str], Any]) -> None:
    parsed = parse(page)
    assert parsed.problems == []
    assert parsed.open == []


def test_nothing_is_asked_of_the_network(page: str, parse: Callable[[str], Any]) -> None:
    for _, attributes in parse(page).elements:
        for name in ("src", "srcset", "action", "data", "poster", "xlink:href"):
            assert name not in attributes
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in page
    assert "@import" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert {name for name, _ in parse(page).elements}.isdisjoint({"script", "link", "iframe"})


def test_hostile_names_stay_text(
    build_report: Callable[..., Report], noon: dt.datetime, parse: Callable[[str], Any]
) -> None:
    page = render_html(build_report(word=HOSTILE), written_at=noon)
    parsed = parse(page)
    assert parsed.problems == []
    assert {name for name, _ in parsed.elements}.isdisjoint({"script", "img"})
    assert not any("onerror" in attributes for _, attributes in parsed.elements)
    for start in ("Title", "Headline", "Allocator", "First", "Volatility", "Beware", "Caption"):
        assert f"{start} {HOSTILE}" in parsed.text


def test_the_largest_report_stays_small(
    build_report: Callable[..., Report], noon: dt.datetime
) -> None:
    page = render_html(build_report(count=8313, symbols=20), written_at=noon)
    assert len(page.encode()) < 500_000


def test_light_dark_phone_and_print_are_styled(page: str) -> None:
    style = page[page.index("<style>") : page.index("</style>")]
    assert re.search(r":root\{[^}]*--ink:#", style)
    assert re.search(r"prefers-color-scheme:dark\)\{:root\{[^}]*--ink:#", style)
    assert "@media print" in style
    assert "max-width:700px" in style
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", page))
    dark = style[style.index("prefers-color-scheme:dark") :]
    for scheme in (style, dark):
        assert {name for name in used if f"--{name}:" not in scheme} == set()


def test_tones_are_words_and_not_only_colours(page: str, parse: Callable[[str], Any]) -> None:
    text = parse(page).text
    assert re.search(r"Warning: ?Beware", text)
    assert "Problem" in text


def test_charts_have_a_name_and_come_wide_and_narrow(
    page: str, parse: Callable[[str], Any]
) -> None:
    drawings = parse(page).named("svg")
    assert len(drawings) == 2 * 5
    assert all(each["role"] == "img" and each["aria-label"] for each in drawings)
    kinds = [each["class"].split()[1] for each in drawings]
    assert kinds.count("wide") == kinds.count("narrow") == 5


def test_the_best_of_a_column_is_marked(page: str, parse: Callable[[str], Any]) -> None:
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    first, second = (next(row for row in rows if name in row) for name in ("First", "Second"))
    assert re.search(r'class="n best"[^/]*.*?12\.34%', first)
    assert re.search(r'class="n best"[^/]*.*?22%', second)
    assert page.count('class="n best"') == 2
    assert parse(page).text.count("Best:") == 2


def test_contents_link_to_sections_that_exist(page: str, parse: Callable[[str], Any]) -> None:
    parsed = parse(page)
    links = {a["href"][1:] for a in parsed.named("a")}
    anchors = {attributes["id"] for _, attributes in parsed.elements if "id" in attributes}
    assert links <= anchors
    assert len(links) == 1 + 4


def test_headings_never_skip_a_level(page: str, parse: Callable[[str], Any]) -> None:
    levels = [int(name[1]) for name, _ in parse(page).elements if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_a_report_of_nothing_is_still_a_page(
    noon: dt.datetime, parse: Callable[[str], Any]
) -> None:
    empty = Report(
        key="empty",
        title="Empty",
        headline="Nothing to say.",
        figures=(),
        notes=(),
        sections=(),
        chart="",
        provenance=(),
    )
    parsed = parse(render_html(empty, written_at=noon))
    assert parsed.problems == []
    assert "Nothing to say." in parsed.text


def test_the_same_report_gives_the_same_page(
    build_report: Callable[..., Report], noon: dt.datetime
) -> None:
    pages = {render_html(build_report(), written_at=noon) for _ in range(2)}
    assert len(pages) == 1
