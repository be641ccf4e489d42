"""What `prefect.yaml` asks for, read strictly and checked before anything is changed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic
import yaml
from prefect.client.schemas.schedules import CronSchedule
from pydantic import BaseModel, ConfigDict, Field

from slices.domain.errors import ParameterError

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "prefect.yaml"
VARIABLE = re.compile(r"\{\{\s*\$(\w+)\s*\}\}")


class Strict(BaseModel):
    """A part of the file; a word nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ScheduleEntry(Strict):
    """When a deployment runs by itself."""

    cron: str
    timezone: str
    slug: str = Field(min_length=1)

    @property
    def schedule(self) -> CronSchedule:
        """As Prefect knows it."""
        return CronSchedule(cron=self.cron, timezone=self.timezone)

    @pydantic.model_validator(mode="after")
    def _is_a_schedule(self) -> ScheduleEntry:
        _ = self.schedule
        return self


class LimitEntry(Strict):
    """How many runs of a deployment there may be at once, and what happens to one more."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]


class PoolEntry(Strict):
    """Where its runs wait for a worker."""

    name: str
    work_queue_name: str = "default"
    job_variables: dict[str, object] = {}


class DeploymentEntry(Strict):
    """One deployment as it is written."""

    name: str = Field(min_length=1)
    entrypoint: str = Field(pattern=r"^\w+(\.\w+)+$")
    description: str = ""
    tags: list[str] = []
    parameters: dict[str, object] = {}
    schedules: list[ScheduleEntry] = []
    concurrency_limit: LimitEntry | None = None
    triggers: list[dict[str, object]] = []
    work_pool: PoolEntry

    @property
    def flow(self) -> str:
        """Name of its flow, as Prefect has it."""
        return self.entrypoint.rpartition(".")[2].replace("_", "-")

    @property
    def full_name(self) -> str:
        """Flow and name, which nothing else has."""
        return f"{self.flow}/{self.name}"


class Document(Strict):
    """The whole file."""

    name: str
    pull: list[dict[str, object]]
    definitions: dict[str, object] = {}
    deployments: list[DeploymentEntry]


@dataclass(frozen=True, kw_only=True)
class Deployments:
    """Everything that is to be deployed.

    Attributes:
        pull: Steps a worker takes before a run.
    """

    pull: tuple[dict[str, object], ...]
    entries: tuple[DeploymentEntry, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Full names of all deployments."""
        return tuple(each.full_name for each in self.entries)

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Return the full names of the deployments with a tag."""
        return tuple(each.full_name for each in self.entries if tag in each.tags)


def read_deployments(file: Path = FILE) -> Deployments:
    """Read the deployments of a file.

    Raises:
        ParameterError: Where the file is none, or says what it must not, in one line.
    """
    document = _parsed(file, _resolved(_text(file), folder=file.parent))
    names = [each.full_name for each in document.deployments]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise refused(file.name, "deployments", f"{twice[0]} twice", "each name once")
    return Deployments(pull=tuple(document.pull), entries=tuple(document.deployments))


def refused(file: str, where: str, found: str, allowed: str) -> ParameterError:
    """Make the error of a place in the file."""
    return ParameterError(parameter=f"{file}: {where}", found=found, allowed=allowed)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        found = f"{file}: {unreadable}"
        raise refused(file.name, "file", found, "a file that can be read") from unreadable


def _resolved(text: str, *, folder: Path) -> str:
    """Put values in place of `{{ $NAME }}`; `$PWD` is where the file is, wherever one stands."""
    known = dict(os.environ) | {"PWD": str(folder.resolve())}
    return VARIABLE.sub(lambda match: known.get(match[1], match[0]), text)


def _parsed(file: Path, text: str) -> Document:
    try:
        return Document.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as broken:
        found = " ".join(str(broken).split())
        raise refused(file.name, "text", found, "YAML") from broken
    except pydantic.ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        found = " ".join(repr(first["input"]).split())[:80]
        raise refused(file.name, where, found, first["msg"]) from None
