"""Where everything the system writes lives, and the settings Prefect and others start with.

Imports nothing heavy: it runs before Prefect is imported, because Prefect reads its settings once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile

from slices.domain.errors import SettingsError
from slices.runtime.servers import access

HOME_VARIABLE = "TRADEFLOWS_HOME"


def home() -> Path:
    """Return the folder under which everything is written; `TRADEFLOWS_HOME` moves it."""
    return Path(os.environ.get(HOME_VARIABLE) or "~/.tradeflows").expanduser().resolve()


def defaults(folder: Path) -> dict[str, str]:
    """List the environment of Prefect, MLflow and numba for a home folder.

    The recorder settings keep every task run of an in-process server (its own default loses most)
    and cost a quarter of the CPU; heavy start-up work that no flow here uses is turned off.
    """
    return {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "DO_NOT_TRACK": "1",
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "NUMBA_CACHE_DIR": str(folder / "cache" / "numba" / kernels_stamp()),
    }


@cache
def kernels_stamp() -> str:
    """Name the sources that compiled code is made of, by size and time of writing.

    numba keeps machine code by the file a function stands in and does not notice that a function
    or constant of another file, which went into it, has changed. So machine code of other sources
    is never looked at.
    """
    sources = Path(__file__).resolve().parents[1]
    files = sorted((*sources.glob("quant/**/*.py"), *sources.glob("*/**/kernels.py")))
    stamps = [(str(file.relative_to(sources)), *_written(file)) for file in dict.fromkeys(files)]
    return blake2b(repr(stamps).encode(), digest_size=8).hexdigest()


def _written(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def prepare() -> Path:
    """Set what the environment does not set already, make the home folder, return it.

    Servers that were started for the home and run now are used: their addresses are set as well.
    Never raises, because it runs at import: `check_home` says what is wrong with the folder.
    """
    folder = home()
    with suppress(OSError):
        _make_private(folder)
        (folder / "prefect").mkdir(exist_ok=True)
    for name, value in (defaults(folder) | access(folder)).items():
        os.environ.setdefault(name, value)
    return folder


def _make_private(folder: Path) -> None:
    """Make a folder for its owner alone; one that is there stays as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_home() -> Path:
    """Return the home folder.

    Raises:
        SettingsError: Where it cannot be made or written to.
    """
    folder = home()
    try:
        _make_private(folder)
        with TemporaryFile(dir=folder):
            return folder
    except OSError as refused:
        raise SettingsError(
            setting=HOME_VARIABLE,
            found=str(folder),
            needed=f"a folder that can be written to ({refused.strerror})",
        ) from refused
