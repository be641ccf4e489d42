"""Publishing a result: the HTML report on disk, the artifacts of the run, the provenance."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from slices.domain.clock import SystemClock
from slices.domain.numbers import written
from slices.domain.report import Table
from slices.domain.results import FlowResult, Provenance
from slices.monitor.charts import standalone_svg
from slices.monitor.files import write_report
from slices.monitor.markdown import render_markdown
from slices.runtime.artifacts import current_run, show_link, show_markdown, show_svg, show_table
from slices.runtime.links import flow_run_url, tracked_url
from slices.runtime.settings import load_settings
from slices.runtime.sources import code_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.report import Chart, Report
    from slices.monitor.files import ReportFiles

Result = TypeVar("Result", bound=FlowResult)


def publish(result: Result) -> Result:
    """Write the report, attach it to the run, and say where it is and what it stood on."""
    provenance = run_provenance(result)
    report = dataclasses.replace(result.report, provenance=provenance.rows())
    now = SystemClock().now()
    files = write_report(
        report,
        folder=load_settings().reports_folder,
        stamp=f"{now:%Y%m%d-%H%M%S}-{provenance.prefect_run_id[:8] or 'local'}",
        written_at=now,
    )
    show(report, files)
    if provenance.mlflow_url:
        show_tracked(report.key, provenance)
    return dataclasses.replace(
        result, report=report, report_path=str(files.html), provenance=provenance
    )


def run_provenance(result: FlowResult) -> Provenance:
    """Describe the data, the code and the run behind a result."""
    run, bars = current_run(), result.bars
    return Provenance(
        flow=run.flow,
        data_fingerprint=bars.fingerprint,
        data=str(bars),
        first_session=bars.first_session,
        last_session=bars.last_session,
        adjustment=bars.adjustment.value,
        universe_note=bars.universe_note,
        code_version=code_version(),
        parameters=run.parameters,
        prefect_run_id=run.run_id,
        seed=run.seed,
        mlflow_run_id=result.mlflow_run_id,
        prefect_url=flow_run_url(run.run_id),
        mlflow_url=tracked_url(result.mlflow_run_id),
    )


def show(report: Report, files: ReportFiles) -> None:
    """Attach page, tables, chart and a link to the run."""
    show_markdown(report.key, render_markdown(report), description=report.headline)
    for block in report.blocks():
        if isinstance(block, Table):
            show_table(
                f"{report.key}-{block.key}",
                block.columns,
                tuple(
                    tuple(written(cell, unit) for cell, unit in zip(row, block.units, strict=True))
                    for row in block.rows
                ),
                description=block.title,
            )
    if files.chart_svg:
        show_svg(f"{report.key}-chart", files.chart_svg, description=report.title)
    show_link(
        f"{report.key}-html",
        files.html.as_uri(),
        text=files.html.name,
        description=f"The full report: `{files.html}`",
    )


def show_tracked(key: str, provenance: Provenance) -> None:
    """Link the run to the page of what it tracked."""
    show_link(
        f"{key}-mlflow",
        provenance.mlflow_url,
        text=f"MLflow run {provenance.mlflow_run_id[:8]}",
        description="What was tried and tracked, in MLflow; `tradeflows models ui` serves the page"
        " where no MLflow server does",
    )


def drawn(charts: Sequence[Chart]) -> tuple[tuple[str, str], ...]:
    """Draw charts as pictures of their own: names of files and SVG."""
    return tuple((f"{each.key}.svg", standalone_svg(each)) for each in charts)
