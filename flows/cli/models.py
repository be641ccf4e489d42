"""`tradeflows models`: what is registered, who trades, and the way back."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.exits import Exit
from flows.cli.output import note, print_json, print_line
from slices.domain.errors import ParameterError
from slices.domain.learning_errors import ModelError, ModelNotFoundError, TamperedModelError
from slices.domain.results import to_plain

if TYPE_CHECKING:
    import argparse

    from slices.domain.alerts import Event
    from slices.domain.models import LoadedModel, ModelVersion

UI_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
STOP_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """One registered version, as far as a line can say it."""

    name: str
    version: int
    aliases: tuple[str, ...]
    kind: str
    trained_until: str
    information_coefficient: str
    registered: str
    retired: str
    url: str


def model_lines() -> tuple[ModelLine, ...]:
    """List every version of every model, the oldest of each first."""
    from slices.runtime import registry

    return tuple(_line(each) for name in registry.names() for each in registry.versions(name))


def _line(version: ModelVersion) -> ModelLine:
    from slices.runtime import registry

    said = dict(registry.said_of(version))
    return ModelLine(
        name=version.name,
        version=version.version,
        aliases=version.aliases,
        kind=said.get("kind", ""),
        trained_until=said.get("trained_until", ""),
        information_coefficient=said.get("information_coefficient", ""),
        registered=f"{version.registered_at:%Y-%m-%d %H:%M}",
        retired=version.retired,
        url=version.url,
    )


def show_models(*, as_json: bool) -> Exit:
    """Print what is registered."""
    _ready()
    lines = model_lines()
    if as_json:
        print_json([asdict(each) for each in lines])
        return Exit.OK
    if not lines:
        print_line("no models yet; ml_model_training registers one: tradeflows run"
                   " ml_model_training --help")  # fmt: skip
        return Exit.OK
    print_line(
        f"{'model':<24} {'version':>7}  {'alias':<20} {'kind':<13} {'trained until':<13}"
        f" {'IC':>8}  {'registered (UTC)':<16}"
    )
    for each in lines:
        alias = ", ".join(each.aliases) or ("retired" if each.retired else "-")
        print_line(
            f"{each.name:<24} {each.version:>7}  {alias:<20} {each.kind:<13}"
            f" {each.trained_until:<13} {each.information_coefficient:>8}  {each.registered:<16}"
        )
    return Exit.OK


def show_model(name: str, *, as_json: bool) -> Exit:
    """Print everything about the versions of a model; their files are proven.

    Raises:
        ModelNotFoundError: There is no such model.
    """
    from slices.runtime import registry

    _ready()
    found = registry.versions(name)
    if not found:
        known = ", ".join(registry.names()) or "none"
        raise ModelNotFoundError(model=name, problem=f"not registered; there are: {known}")
    pages = [(each, _details(each)) for each in found]
    if as_json:
        document = [to_plain(each) | {"details": dict(rows)} for each, rows in pages]  # type: ignore[operator]
        print_json(document)
        return Exit.OK
    for version, rows in pages:
        print_line(f"{version}")
        for what, value in rows:
            print_line(f"  {what:<26} {value}")
    return Exit.OK


def _details(version: ModelVersion) -> tuple[tuple[str, str], ...]:
    """Read a version, or say why it cannot be read."""
    from slices.ml_strategy.registry.loading import load_version
    from slices.runtime import registry

    head = (
        ("aliases", ", ".join(version.aliases) or "none"),
        ("registered", f"{version.registered_at:%Y-%m-%d %H:%M} UTC"),
        ("page", version.url),
        ("sha256", version.digest),
        ("retired", version.retired),
        ("last change", dict(registry.said_of(version)).get("reason", "")),
    )
    try:
        content = _content(load_version(version))
    except (TamperedModelError, ModelError) as refused:
        content = (("files", f"NOT USABLE: {refused}"),)
    return tuple((what, value) for what, value in (*head, *content) if value)


def _content(model: LoadedModel) -> tuple[tuple[str, str], ...]:
    bundle, skill = model.bundle, model.bundle.skill
    return (
        ("files", "as registered"),
        ("kind", bundle.predictor.kind.value),
        ("predicts", f"{bundle.label.subject}, entered "
                     f"{bundle.label.entry_lag_sessions} after the decision"),
        ("symbols", " ".join(bundle.symbols)),
        ("features", f"{len(bundle.predictor.names)}, definition {bundle.definition[:12]}"),
        ("trained on", f"{bundle.trained_from} to {bundle.trained_until}"),
        ("information coefficient", _number(skill.information_coefficient)),
        ("t-statistic", _number(skill.t_statistic)),
        ("AUC", _number(skill.auc)),
        ("net Sharpe ratio", _number(skill.net_sharpe_ratio)),
        ("trials", str(bundle.trials)),
        ("suspicions", "; ".join(skill.suspicions)),
        ("code", bundle.code_version),
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "not defined"


def show_rolled_back(name: str, *, reason: str, as_json: bool) -> Exit:
    """Let the champion before trade again.

    Raises:
        ParameterError: Nobody said why.
        ModelError: There is none to go back to.
    """
    from slices.ml_strategy.registry.changing import rollback

    _ready()
    restored = rollback(name, _said(reason), announce=_announce)
    _show_change(name, f"{restored} trades again", restored, as_json=as_json)
    return Exit.OK


def show_retired(name: str, *, reason: str, as_json: bool) -> Exit:
    """Let the champion trade no more.

    Raises:
        ParameterError: Nobody said why.
        ModelNotFoundError: There is no champion.
    """
    from slices.ml_strategy.registry.changing import retire

    _ready()
    retired = retire(name, _said(reason), announce=_announce)
    _show_change(name, f"{retired} is retired; nobody trades in its place", None, as_json=as_json)
    return Exit.OK


def _said(reason: str) -> str:
    if not reason.strip():
        raise ParameterError(parameter="--reason", found="nothing", allowed="words that say why")
    return reason


def _show_change(name: str, text: str, champion: ModelVersion | None, *, as_json: bool) -> None:
    if as_json:
        print_json({"model": name, "champion": champion.version if champion else None})
    else:
        print_line(text)


def _announce(event: Event) -> None:
    """Tell the Prefect server, where one is set; without one nobody listens."""
    if os.environ.get("PREFECT_API_URL"):
        from slices.runtime.events import emit

        emit(event)


def _ready() -> None:
    from slices.runtime.environment import check_home, prepare
    from slices.runtime.mlflow_store import open_tracking

    prepare()
    check_home()
    open_tracking()


def serve_pages(*, port: int) -> Exit:
    """Serve MLflow's pages on loopback until interrupted, or say where a server does."""
    from slices.runtime.links import WORKFLOW, mlflow_pages
    from slices.runtime.mlflow_store import tracking_url
    from slices.runtime.settings import load_settings

    if load_settings().mlflow_url.startswith(("http://", "https://")):
        print_line(mlflow_pages())
        return Exit.OK
    _ready()
    words = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", tracking_url()]
    words += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    pages = f"http://127.0.0.1:{port}"
    if pages != mlflow_pages():
        note(f"tradeflows: links lead to {mlflow_pages()}; TRADEFLOWS_MLFLOW_UI_URL={pages}"
             " makes them lead here")  # fmt: skip
    print_line(f"{pages}/#/models{WORKFLOW}")
    sys.stdout.flush()
    return _served(words)


def _served(words: list[str]) -> Exit:
    """Run a server until it ends, or this process is told to: by Ctrl-C, or by SIGTERM."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    server = subprocess.Popen(  # noqa: S603 - our own interpreter
        words, env=os.environ | UI_ENVIRONMENT, start_new_session=True
    )
    try:
        return Exit.OK if server.wait() == 0 else Exit.FAILED
    except KeyboardInterrupt:
        return Exit.OK
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """End a server with its workers, which are a group of their own."""
    for each in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, each)
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)


def run_models(arguments: argparse.Namespace) -> Exit:
    """Do what the words after `models` say."""
    match arguments.action:
        case "show":
            return show_model(arguments.name, as_json=arguments.json)
        case "rollback":
            return show_rolled_back(arguments.name, reason=arguments.reason, as_json=arguments.json)
        case "retire":
            return show_retired(arguments.name, reason=arguments.reason, as_json=arguments.json)
        case "ui":
            return serve_pages(port=arguments.port)
    return show_models(as_json=arguments.json)
