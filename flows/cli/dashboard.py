"""`tradeflows dashboard`: the pages, on this machine alone."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.output import note
from slices.domain.errors import ParameterError, SettingsError
from slices.runtime.environment import check_home, prepare

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LOOPBACK = "127.0.0.1"
HIGHEST_PORT = 65_535


def run_dashboard(*, port: int | None) -> Exit:
    """Answer until told to end.

    Raises:
        ParameterError: The port is none.
        SettingsError: Another program has it.
    """
    check_home()
    prepare()
    from slices.runtime.settings import load_settings

    chosen = load_settings().dashboard_port if port is None else port
    if not 1 <= chosen <= HIGHEST_PORT:
        raise ParameterError(parameter="--port", found=str(chosen), allowed=f"1 to {HIGHEST_PORT}")
    with listening(chosen) as listener:
        _serve(listener, chosen)
    return Exit.OK


def listening(port: int) -> AbstractContextManager[socket.socket]:
    """Take a port of the loopback interface.

    Raises:
        SettingsError: Another program has it.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as refused:
        listener.close()
        raise SettingsError(
            setting="port of the dashboard",
            found=f"{port}: {(refused.strerror or str(refused)).lower()}",
            needed="a free one; give another with --port or TRADEFLOWS_DASHBOARD_PORT",
        ) from refused
    return closing(listener)


def _serve(listener: socket.socket, port: int) -> None:
    import uvicorn

    from slices.monitor.dashboard.app import create_app
    from slices.monitor.store import open_store
    from slices.runtime.credentials import OPERATOR, credentials_file, operator_password
    from slices.runtime.settings import load_settings

    with closing(open_store()) as store:
        app = create_app(store, password=operator_password(), port=port)
        given = load_settings().operator_password is not None
        where = "of TRADEFLOWS_OPERATOR_PASSWORD" if given else f"in {credentials_file()}"
        note(
            f"tradeflows: dashboard on http://{LOOPBACK}:{port} (user {OPERATOR}, password"
            f" {where}); Ctrl-C ends it"
        )
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, proxy_headers=False
        )
        uvicorn.Server(config).run(sockets=[listener])
