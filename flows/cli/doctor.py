"""`tradeflows doctor`: is this installation able to do its work, and if not, what to do."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from flows.cli.exits import Exit
from flows.cli.output import print_json, print_line
from flows.cli.server import prefect_api
from slices.domain.errors import TradingError
from slices.runtime.environment import check_home, prepare
from slices.runtime.servers import RUN_FOLDER, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

GIB = 1024**3
LEAST_FREE_BYTES = GIB
PINS = {"prefect": "3.8.", "sqlalchemy": "2.0."}
EXTRAS = {"yfinance": "yfinance", "alpaca": "alpaca", "dask": "prefect_dask"}
MARKS = {"ok": "✓", "info": "·", "fail": "✗"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The outcome of one check."""

    check: str
    outcome: Literal["ok", "info", "fail"]
    found: str
    advice: str = ""


def check_python() -> Finding:
    """Check the interpreter's version."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(check="Python", outcome="ok", found=version)


def check_packages() -> Finding:
    """Check that the versions that are known to break each other are not installed."""
    versions = {name: importlib.metadata.version(name) for name in PINS}
    wrong = [name for name, start in PINS.items() if not versions[name].startswith(start)]
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    if wrong:
        return Finding(
            check="packages", outcome="fail", found=found, advice="install from requirements.lock"
        )
    return Finding(check="packages", outcome="ok", found=found)


def check_folder() -> Finding:
    """Check that the home folder can be written to and has room."""
    folder = check_home()
    free = shutil.disk_usage(folder).free
    found = f"{folder}, {free / GIB:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding(
            check="home", outcome="fail", found=found,
            advice="free some space or set TRADEFLOWS_HOME to another folder",
        )  # fmt: skip
    return Finding(check="home", outcome="ok", found=found)


def check_settings() -> Finding:
    """Check that every TRADEFLOWS_ variable is usable."""
    from slices.runtime.settings import load_settings

    settings = load_settings()
    keys = "set" if settings.alpaca_key and settings.alpaca_secret else "not set"
    return Finding(
        check="settings",
        outcome="ok",
        found=f"{settings.task_runner}, {settings.max_workers} workers, Alpaca keys {keys}",
    )


def check_embedded() -> Finding:
    """Check that the embedded prices are the ones this version was tested with."""
    from slices.data.sources import open_source

    source = open_source("embedded")
    found = f"{len(source.symbols())} symbols, digest {source.version()[:12]}"
    return Finding(check="embedded data", outcome="ok", found=found)


def check_store() -> Finding:
    """Check every stored bar file against its digest."""
    from slices.data.store import BarStore
    from slices.runtime.settings import load_settings

    bad = BarStore(load_settings().store_folder).verify()
    if bad:
        return Finding(
            check="store", outcome="fail", found=f"damaged: {', '.join(each.name for each in bad)}",
            advice="load the bars again; damaged files are replaced",
        )  # fmt: skip
    return Finding(check="store", outcome="ok", found="every stored file matches its digest")


def check_prefect() -> Finding:
    """Check that Prefect's API answers, starting one for the purpose where none is set."""
    prepare()
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    where = PREFECT_API_URL.value() or "started for each command (PREFECT_API_URL is not set)"
    with prefect_api(), get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem is not None:
        return Finding(
            check="Prefect API", outcome="fail", found=f"{where}: {problem}",
            advice="start the server, or unset PREFECT_API_URL",
        )  # fmt: skip
    return Finding(check="Prefect API", outcome="ok", found=str(where))


def check_servers() -> Finding:
    """Check that the servers that were started for the home still run."""
    folder = check_home() / RUN_FOLDER
    there = recorded(folder)
    dead = [each.name for each in there if not each.is_running]
    if dead:
        return Finding(
            check="servers", outcome="fail",
            found=f"ended without being told to: {', '.join(dead)}; logs in {folder}",
            advice="python -m deployments.up starts them again",
        )  # fmt: skip
    found = ", ".join(f"{each.name} {each.address}".strip() for each in there)
    advice = "" if there else "python -m deployments.up starts Prefect, MLflow and the dashboard"
    return Finding(check="servers", outcome="info", found=found or "none", advice=advice)


def check_extras() -> Finding:
    """List which optional packages are installed."""
    there = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module)]
    absent = sorted(set(EXTRAS) - set(there))
    advice = f"pip install 'tradeflows[{','.join(absent)}]' adds them" if absent else ""
    return Finding(check="extras", outcome="info", found=", ".join(there) or "none", advice=advice)


CHECKS: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("Python", check_python),
    ("packages", check_packages),
    ("home", check_folder),
    ("settings", check_settings),
    ("embedded data", check_embedded),
    ("store", check_store),
    ("Prefect API", check_prefect),
    ("servers", check_servers),
    ("extras", check_extras),
)


def examine(name: str, check: Callable[[], Finding]) -> Finding:
    """Run one check; what it raises is its finding."""
    try:
        return check()
    except (TradingError, ImportError, OSError, RuntimeError) as problem:
        return Finding(check=name, outcome="fail", found=str(problem), advice="see the message")


def show_checks(*, as_json: bool) -> Exit:
    """Print every check; any that fails makes the exit code 7."""
    findings = [examine(name, check) for name, check in CHECKS]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    for finding in () if as_json else findings:
        advice = f"\n{'':17}{finding.advice}" if finding.advice else ""
        print_line(f"{MARKS[finding.outcome]} {finding.check:<14} {finding.found}{advice}")
    failed = any(finding.outcome == "fail" for finding in findings)
    return Exit.SETTINGS if failed else Exit.OK
