"""Results of flows: frozen values that read well in a terminal, a notebook and as JSON."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import math
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from slices.domain.dataset import DatasetRef
from slices.domain.report import Report

CLOSED = "Closed"
"""Name of the state in which a run ends that had nothing to do because the exchange is closed."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def to_plain(value: object) -> Json:  # noqa: C901 - one flat table of types
    """Turn nested result values into what JSON can hold; NaN and infinities become null.

    >>> import math
    >>> to_plain((1.5, math.nan))
    [1.5, None]
    """
    match value:
        case Enum():
            return to_plain(value.value)
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case Decimal():
            return float(value)
        case dt.date():
            return value.isoformat()
        case BaseModel():
            return to_plain(value.model_dump())
        case dict():
            return {str(key): to_plain(each) for key, each in value.items()}
        case tuple() | list() | np.ndarray():
            return [to_plain(each) for each in _listed(value)]
    if dataclasses.is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    message = f"a {type(value).__name__} has no plain form"
    raise TypeError(message)


def _listed(values: tuple[object, ...] | list[object] | npt.NDArray[Any]) -> list[object]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Everything needed to repeat a run and to know what it stood on."""

    flow: str
    data_fingerprint: str
    data: str
    first_session: dt.date
    last_session: dt.date
    adjustment: str
    universe_note: str
    code_version: str
    parameters: tuple[tuple[str, str], ...]
    prefect_run_id: str
    seed: int | None = None
    mlflow_run_id: str = ""
    prefect_url: str = ""
    mlflow_url: str = ""

    def rows(self) -> tuple[tuple[str, str], ...]:
        """List name and value for people, empty ones left out."""
        named = (
            ("Flow", self.flow),
            ("Data", self.data),
            ("Data fingerprint", self.data_fingerprint),
            ("Sessions", f"{self.first_session} to {self.last_session}"),
            ("Adjustment", self.adjustment),
            ("Universe", self.universe_note),
            ("Code version", self.code_version),
            ("Seed", "" if self.seed is None else str(self.seed)),
            ("Prefect run", self.prefect_run_id),
            ("Prefect page", self.prefect_url),
            ("MLflow run", self.mlflow_run_id),
            ("MLflow page", self.mlflow_url),
            *((f"Parameter {name}", value) for name, value in self.parameters),
        )
        return tuple((name, value) for name, value in named if value)


@dataclass(frozen=True, kw_only=True)
class FlowResult:
    """What every flow returns.

    Attributes:
        headline: The answer in one sentence.
        caveats: What was left out or is missing, each with its reason; a run with caveats ends
            in the state "Degraded".
        summary: Name and value, as text with unit, of the figures that matter most.
        notes: What a reader must know to read the figures right.
        report: What the HTML page and the artifacts show.
        bars: The data it stands on.
        report_path: The HTML report on disk, once published.
        provenance: Everything needed to repeat the run, once published.
        mlflow_run_id: The MLflow run that keeps what was tried; empty where nothing is tracked.
    """

    headline: str
    caveats: tuple[str, ...]
    summary: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    report: Report = field(metadata={"plain": False})
    bars: DatasetRef
    report_path: str = ""
    provenance: Provenance | None = None
    mlflow_run_id: str = ""

    def to_dict(self) -> dict[str, Json]:
        """Return everything but the report as plain JSON values."""
        shown = (f for f in dataclasses.fields(self) if f.metadata.get("plain", True))
        return {f.name: to_plain(getattr(self, f.name)) for f in shown}

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self.summary), default=0)
        lines = [self.headline, ""]
        lines += [f"  {name:<{width}}  {value}" for name, value in self.summary]
        lines += ["", *(f"  - {note}" for note in self.notes)] if self.notes else []
        lines += [f"  ! {caveat}" for caveat in self.caveats]
        lines += ["", f"  report: {self.report_path}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td>{html.escape(value)}</td></tr>"
            for name, value in self.summary
        )
        caveats = "".join(f"<li>{html.escape(each)}</li>" for each in self.caveats)
        return (
            f"<p><strong>{html.escape(self.headline)}</strong></p><table>{rows}</table>"
            f"{f'<ul>{caveats}</ul>' if caveats else ''}"
            f"<p>Report: <code>{html.escape(self.report_path)}</code></p>"
        )
