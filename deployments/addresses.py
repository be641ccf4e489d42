"""Where the servers listen: ports of the loopback interface, one setting each."""

from __future__ import annotations

import base64
import socket
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slices.domain.errors import SettingsError
from slices.runtime.servers import OPERATOR

if TYPE_CHECKING:
    from pydantic import SecretStr

    from slices.runtime.settings import Settings

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 10.0
REFUSED = frozenset({401, 403})


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where one server listens.

    Attributes:
        name: Of the server.
        setting: The variable that chooses the port.
        probe: Path that is answered, to the operator only, once the server works.
        page: Path of the page for people.
    """

    name: str
    setting: str
    port: int
    probe: str
    page: str = "/"

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://{LOOPBACK}:{self.port}"


def addresses(settings: Settings) -> tuple[Address, Address, Address]:
    """List where Prefect, MLflow and the dashboard listen.

    Raises:
        SettingsError: Two of them on the same port.
    """
    prefect = Address(
        name="prefect",
        setting="TRADEFLOWS_PREFECT_PORT",
        port=settings.prefect_port,
        probe="/api/admin/version",
    )
    mlflow = Address(
        name="mlflow",
        setting="TRADEFLOWS_MLFLOW_PORT",
        port=settings.mlflow_port,
        probe="/api/2.0/mlflow/experiments/get?experiment_id=0",
        page="/#/experiments?workflowType=machine_learning",
    )
    dashboard = Address(
        name="dashboard",
        setting="TRADEFLOWS_DASHBOARD_PORT",
        port=settings.dashboard_port,
        probe="/",
    )
    _check_distinct((prefect, mlflow, dashboard))
    return prefect, mlflow, dashboard


def _check_distinct(chosen: tuple[Address, ...]) -> None:
    by_port: dict[int, Address] = {}
    for each in chosen:
        other = by_port.setdefault(each.port, each)
        if other is not each:
            raise SettingsError(
                setting=each.setting,
                found=f"port {each.port}, which {other.setting} has too",
                needed="a port of its own",
            )


def check_free(address: Address) -> None:
    """Check that nobody listens where a server is to be started.

    Raises:
        SettingsError: Naming the setting and the port.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, address.port))
        except OSError as taken:
            raise SettingsError(
                setting=address.setting,
                found=f"port {address.port}, which another program uses or this user may not",
                needed=f"a free port for {address.name}, such as"
                f" {address.setting}={address.port + 10_000 if address.port < 50_000 else 14_200}",
            ) from taken


def answers(address: Address, password: SecretStr) -> bool:
    """Tell whether a server works already.

    Raises:
        SettingsError: It does and refuses the password: it was started with another one.
    """
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{address.url}{address.probe}", headers={"Authorization": basic(password)}
    )
    with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - loopback
                return True
        except urllib.error.HTTPError as answer:
            if answer.code in REFUSED:
                raise SettingsError(
                    setting=address.name,
                    found="a server that was started with another password",
                    needed="`python -m deployments.down`, then `python -m deployments.up`",
                ) from answer
    return False


def basic(password: SecretStr) -> str:
    """Write the operator's name and password as a header has them."""
    pair = f"{OPERATOR}:{password.get_secret_value()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
