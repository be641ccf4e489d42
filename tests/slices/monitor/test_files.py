from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from slices.domain.errors import ParameterError, StorageError
from slices.domain.report import Report
from slices.monitor.files import write_report, write_text


def test_page_image_and_latest_are_written(
    build_report: Callable[..., Report], noon: dt.datetime, tmp_path: Path
) -> None:
    files = write_report(build_report(), folder=tmp_path / "new", stamp="r1", written_at=noon)
    assert files.html.name == "portfolio-analysis-r1.html"
    assert files.html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert files.latest.read_bytes() == files.html.read_bytes()
    assert files.svg.read_text(encoding="utf-8") == files.chart_svg
    assert sorted(tmp_path.joinpath("new").iterdir()) == sorted(
        [files.html, files.latest, files.svg]
    )


def test_latest_holds_the_newest_and_older_pages_stay(
    build_report: Callable[..., Report], noon: dt.datetime, tmp_path: Path
) -> None:
    old = write_report(build_report(), folder=tmp_path, stamp="r1", written_at=noon)
    before = old.html.read_bytes()
    new = write_report(build_report(word="newer"), folder=tmp_path, stamp="r2", written_at=noon)
    assert old.html.read_bytes() == before
    assert new.latest.read_bytes() == new.html.read_bytes() != before


def test_a_report_without_its_chart_has_no_image(
    build_report: Callable[..., Report], noon: dt.datetime, tmp_path: Path
) -> None:
    report = dataclasses.replace(build_report(), chart="missing")
    files = write_report(report, folder=tmp_path, stamp="r1", written_at=noon)
    assert files.svg is None
    assert files.chart_svg == ""
    assert list(tmp_path.glob("*.svg")) == []


@pytest.mark.parametrize("stamp", ["../x", "", ".hidden", "a/b", "a b", "a\x00"])
def test_a_stamp_cannot_lead_out_of_the_folder(
    stamp: str, build_report: Callable[..., Report], noon: dt.datetime, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError):
        write_report(build_report(), folder=tmp_path / "in", stamp=stamp, written_at=noon)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_a_storage_error(
    build_report: Callable[..., Report], noon: dt.datetime, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StorageError) as caught:
        write_report(build_report(), folder=blocked, stamp="r1", written_at=noon)
    assert str(blocked) in str(caught.value)


def test_a_full_disk_leaves_the_old_file_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    write_text(path, "old")

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(StorageError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
