"""Reports on disk: complete or not there at all, and the newest under a name that stays."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slices.domain.errors import ParameterError, StorageError
from slices.domain.report import Chart, Note, Report, Table
from slices.monitor.charts import standalone_svg
from slices.monitor.html import render_html

if TYPE_CHECKING:
    import datetime as dt

FILE_NAME_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        html: The page of this run.
        latest: The same page under the name that always holds the newest one.
        svg: The chart that matters most; None for a report without that chart.
        chart_svg: The markup in `svg`; empty for a report without that chart.
    """

    html: Path
    latest: Path
    svg: Path | None
    chart_svg: str


def write_report(
    report: Report, *, folder: Path, stamp: str, written_at: dt.datetime
) -> ReportFiles:
    """Write `<key>-<stamp>.html`, its chart as `.svg`, and `<key>-latest.html`.

    Args:
        report: What to write.
        folder: Where; made if it does not exist.
        stamp: What tells this run's files from other runs': letters, digits, dots and dashes.
        written_at: When, as stated in the page.

    Raises:
        ParameterError: The report's key or the stamp cannot be part of a file name.
        StorageError: The disk refused; files that were there before are untouched.
    """
    stem = f"{_checked('key', report.key)}-{_checked('stamp', stamp)}"
    page = render_html(report, written_at=written_at)
    chart = main_chart(report)
    chart_svg = standalone_svg(chart) if chart is not None else ""
    svg = folder / f"{stem}.svg" if chart_svg else None
    html, latest = folder / f"{stem}.html", folder / f"{report.key}-latest.html"
    if svg is not None:
        write_text(svg, chart_svg)
    write_text(html, page)
    write_text(latest, page)
    return ReportFiles(html=html, latest=latest, svg=svg, chart_svg=chart_svg)


def main_chart(report: Report) -> Chart | None:
    """Find the chart that matters most; None where the report names none it contains."""
    for block in report.blocks():
        if not isinstance(block, Note | Table) and block.key == report.chart:
            return block
    return None


def write_text(path: Path, content: str) -> None:
    """Write a file so that a reader finds it complete, old or new, at any moment.

    Raises:
        StorageError: The disk refused.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, content)
    except OSError as error:
        problem = f"could not be written: {error.strerror or error}"
        raise StorageError(path=str(path), problem=problem) from error


def _replace(path: Path, content: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _checked(name: str, value: str) -> str:
    if FILE_NAME_PART.fullmatch(value):
        return value
    raise ParameterError(
        parameter=name, found=repr(value), allowed="letters, digits, dots and dashes"
    )
