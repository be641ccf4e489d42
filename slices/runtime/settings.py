"""Settings from the environment: every variable begins with `TRADEFLOWS_`."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from slices.domain.bars import Adjustment
from slices.domain.errors import SettingsError
from slices.runtime.environment import home

PREFIX = "TRADEFLOWS_"

Hidden = Annotated[str, Field(repr=False, exclude=True)]
"""An address that may hold a password: neither shown with the settings nor written with them."""


class Settings(BaseSettings):
    """How this installation is set up; secrets are masked wherever they are shown."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    home: Path = Field(default_factory=home, description="Folder for everything written.")
    task_runner: Literal["threads", "processes", "dask"] = Field(
        default="threads",
        description="Where parallel tasks run: threads, processes, or a Dask scheduler.",
    )
    max_workers: int = Field(default=8, ge=1, le=64, description="Tasks that run at once.")
    dask_address: str = Field(default="", description="Address of a running Dask scheduler.")
    act_timeout_seconds: float = Field(
        default=1800.0,
        gt=0,
        le=86_400,
        description="Longest time a step that trades or writes books may take; then its process"
        " is ended.",
    )
    source_timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="Longest wait for one answer of a provider."
    )
    source_delay_minutes: float = Field(
        default=30.0, ge=0, le=1440, description="Time after the close until a bar is final."
    )
    files_basis: Adjustment | None = Field(
        default=None,
        description="What prices in your own files are corrected for, where no column says so.",
    )
    alpaca_key: SecretStr | None = Field(default=None, description="Alpaca key id.")
    alpaca_secret: SecretStr | None = Field(default=None, description="Alpaca secret key.")
    alpaca_url: str = Field(default="", description="Another address of Alpaca's data API.")
    mlflow_url: Hidden = Field(
        default="", description="Address of an MLflow server; empty keeps studies in the home."
    )
    mlflow_ui_url: str = Field(
        default="http://127.0.0.1:5000",
        description="Where `tradeflows models ui` shows the runs and models of the home; links"
        " lead there.",
    )

    prefect_port: int = Field(
        default=4200, ge=1, le=65_535, description="Port of the Prefect server."
    )
    mlflow_port: int = Field(
        default=5000, ge=1, le=65_535, description="Port of the MLflow server."
    )
    dashboard_port: int = Field(default=4300, ge=1, le=65_535, description="Port of the dashboard.")
    operator_password: SecretStr | None = Field(
        default=None,
        description="Password of the user `tradeflows` at Prefect, MLflow and the dashboard; made"
        " at the first start where it is not given.",
    )
    watch_seconds: float = Field(
        default=15.0, ge=1, le=3600, description="Time between two measurements of the system."
    )
    history_days: float = Field(
        default=90.0, gt=0, le=3650, description="How long measurements and alerts are kept."
    )
    alerts_url: SecretStr | None = Field(
        default=None,
        description="Where alerts are sent: the address of a webhook, of Slack or of Discord, or"
        " mailtos://user:password@host?from=...&to=... for e-mail.",
    )

    ledger_url: Hidden = Field(
        default="", description="Database of paper accounts; empty keeps them in the home."
    )
    live_ledger_url: Hidden = Field(
        default="", description="Database of live accounts; empty keeps them in the home."
    )
    live_trading: str = Field(
        default="", description="First switch of live trading: the word `enabled`."
    )
    live_confirmation: str = Field(
        default="",
        description="Second switch of live trading: the digest that `tradeflows live-check` prints"
        " for account, limits and code.",
    )
    broker_url: str = Field(default="", description="Another address of Alpaca's trading API.")
    broker_key: SecretStr | None = Field(default=None, description="Alpaca trading key id.")
    broker_secret: SecretStr | None = Field(default=None, description="Alpaca trading secret.")
    broker_timeout_seconds: float = Field(
        default=10.0, gt=0, le=120, description="Longest wait for one answer of the broker."
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return folder.expanduser().resolve()

    @property
    def store_folder(self) -> Path:
        """Bars as ingested, by content."""
        return self.home / "store"

    @property
    def datasets_folder(self) -> Path:
        """Datasets that flows read."""
        return self.home / "datasets"

    @property
    def features_folder(self) -> Path:
        """Feature sets that models learn from."""
        return self.home / "features"

    @property
    def results_folder(self) -> Path:
        """Results of tasks and flows: the cache."""
        return self.home / "results"

    @property
    def locks_folder(self) -> Path:
        """Locks that keep two processes from computing the same result."""
        return self.home / "locks"

    @property
    def studies_folder(self) -> Path:
        """Journals of searches that can be gone on with."""
        return self.home / "studies"

    @property
    def mlflow_folder(self) -> Path:
        """The database and the artifacts of tracked runs."""
        return self.home / "mlflow"

    @property
    def ledger_folder(self) -> Path:
        """Books of accounts, and the file that halts all trading."""
        return self.home / "ledger"

    @property
    def halt_file(self) -> Path:
        """While this file exists, whatever is in it, nothing is traded."""
        return self.ledger_folder / "HALT"

    @property
    def monitor_folder(self) -> Path:
        """What was measured, alerts, and events on their way."""
        return self.home / "monitor"

    @property
    def run_folder(self) -> Path:
        """Process ids and logs of the servers that were started here."""
        return self.home / "run"

    @property
    def reports_folder(self) -> Path:
        """HTML reports."""
        return self.home / "reports"


def load_settings() -> Settings:
    """Read the settings from the environment; as long as it stays the same, they do too.

    Raises:
        SettingsError: Naming the variable, what was found and what is needed.
    """
    own = ((name, value) for name, value in os.environ.items() if name.upper().startswith(PREFIX))
    return _settings(tuple(sorted(own)), home())


@lru_cache(maxsize=32)
def _settings(_environment: tuple[tuple[str, str], ...], _home: Path) -> Settings:
    try:
        return Settings()
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(setting=name, found=repr(first["input"]), needed=first["msg"]) from None
