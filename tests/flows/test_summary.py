"""The state of the system as text: in notebooks, in terminals, with and without a watch."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli import main
from flows.cli.exits import Exit
from flows.cli.status_screen import screen
from flows.operations import get_dashboard
from flows.operations.summary import Dashboard, Looker
from slices.domain.clock import FixedClock
from slices.monitor.dashboard.wording import health_tone, health_word
from slices.monitor.history import read_latest
from slices.monitor.store import Store, open_store
from tests.support import observed
from tests.support.observed import HOSTILE, NOW
from tests.support.server import free_port
from tests.support.watched import fill

BIN = Path(sys.executable).parent / "tradeflows"
ESCAPE = chr(27)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


def looked(store: Store, *, at: dt.datetime = NOW) -> Dashboard:
    clock = FixedClock(at)
    with Looker(store=store, api_url=None, interval_seconds=15, clock=clock) as looker:
        return looker.look()


def drawn(dashboard: Dashboard, *, width: int = 120) -> str:
    output = io.StringIO()
    Console(file=output, width=width, height=60).print(screen(dashboard))
    return output.getvalue()


def test_text_and_screen_say_what_the_watch_measured(store: Store) -> None:
    measured = fill(store)
    dashboard = looked(store, at=NOW + dt.timedelta(seconds=20))
    assert not dashboard.measured_here
    reasons = [lost.reason for each in measured.health for lost in each.lost]
    assert [each for each in reasons if each not in dashboard.generate_summary()] == []
    for text in (dashboard.generate_summary(), drawn(dashboard, width=1000)):
        assert all(each.part in text for each in measured.health)
        for words in ("daily lost 6.2%", "106,288", "ml-model-training", "4 of 7 tasks"):
            assert words in text


def test_the_screen_fits_its_terminal(store: Store) -> None:
    fill(store)
    assert max(len(line) for line in drawn(looked(store), width=60).splitlines()) <= 60


def test_what_would_be_obeyed_by_a_terminal_or_a_browser_is_inert(store: Store) -> None:
    wicked = f"{ESCAPE}[2J[bold]{HOSTILE}"
    alert = dataclasses.replace(observed.incident(), message=wicked, next_step=wicked)
    seen = dataclasses.replace(observed.hostile(), halted=wicked)
    fill(store, seen, incidents=(alert,))
    dashboard = looked(store)
    for text in (dashboard.generate_summary(), drawn(dashboard, width=400)):
        assert ESCAPE not in text
        assert f"[bold]{HOSTILE}" in text
    assert "<script" not in dashboard._repr_html_()


def test_a_halt_and_what_is_unknown_stand_in_the_text(store: Store) -> None:
    fill(store, dataclasses.replace(observed.half_seen(), halted="daily loss"))
    dashboard = looked(store)
    for text in (dashboard.generate_summary(), drawn(dashboard, width=400)):
        assert "ALL TRADING IS HALTED: daily loss" in text
        assert "no answer from http://127.0.0.1:4200/api" in text
        assert "no run is going on" not in text


def test_an_old_measurement_is_replaced_by_one_made_here(store: Store) -> None:
    fill(store)
    late = NOW + dt.timedelta(minutes=5)
    dashboard = looked(store, at=late)
    assert dashboard.measured_here
    assert dashboard.seen.measurement is not None
    assert dashboard.seen.measurement.at == late
    assert dashboard.seen.observation is not None
    assert dashboard.seen.observation.host is not None
    assert "PREFECT_API_URL" in dashboard.generate_summary()
    assert "No watch runs" in dashboard.generate_summary()
    assert "No watch runs" in drawn(dashboard)


def test_what_is_measured_here_is_not_written_as_if_a_watch_had(store: Store) -> None:
    looked(store)
    assert looked(store, at=NOW + dt.timedelta(seconds=1)).seen.health != ()
    assert read_latest(store) is None


def test_a_notebook_gets_the_state_of_this_home(home: Path) -> None:
    store = open_store(home / "monitor")
    now = dt.datetime.now(dt.UTC)
    fill(store, observed.observation(at=now), incidents=())
    store.close()
    dashboard = get_dashboard()
    shutil.rmtree(store.folder)
    assert "equity 106,288" in dashboard.generate_summary()
    assert repr(dashboard) == dashboard.generate_summary()
    assert dashboard._repr_html_().startswith("<pre>")


@pytest.fixture
def watched_home(fresh_home: str) -> str:
    store = open_store(Path(fresh_home) / "monitor")
    fill(store, observed.observation(at=dt.datetime.now(dt.UTC)))
    store.close()
    return fresh_home


def environment(home: str, api_url: str) -> dict[str, str]:
    return os.environ | {
        "TRADEFLOWS_HOME": home,
        "PREFECT_API_URL": api_url,
        "TRADEFLOWS_WATCH_SECONDS": "3600",
    }


def test_status_begins_with_health_and_its_json_stays_a_list(
    watched_home: str, api_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watched_home
    assert api_url
    assert main(["status"]) == Exit.OK
    shown = capsys.readouterr().out
    assert shown.startswith("overall")
    assert "1 open alert;" in shown
    assert main(["status", "--json"]) == Exit.OK
    assert isinstance(json.loads(capsys.readouterr().out), list)
    assert main(["status", "--watch", "--json"]) == Exit.BAD_INPUT


@pytest.mark.slow
def test_without_a_terminal_the_state_is_printed_until_ctrl_c(
    watched_home: str, api_url: str
) -> None:
    with subprocess.Popen(
        [str(BIN), "status", "--watch"],
        env=environment(watched_home, api_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, interrupts are ignored, and that is inherited.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("overall")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == Exit.INTERRUPTED


@pytest.mark.slow
def test_the_dashboard_answers_on_loopback_and_asks_for_the_password(
    watched_home: str, api_url: str
) -> None:
    port = free_port()
    with subprocess.Popen(
        [str(BIN), "dashboard", "--port", str(port)],
        env=environment(watched_home, api_url),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            assert f"http://127.0.0.1:{port}" in process.stderr.readline()
            health = f"http://127.0.0.1:{port}/health"
            with urllib.request.urlopen(health, timeout=120) as answer:
                assert json.load(answer)["system"] == "watched"
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=120)
            assert main(["dashboard", "--port", str(port)]) == Exit.SETTINGS
        finally:
            process.terminate()
            process.wait(60)
    file = Path(watched_home) / "credentials"
    assert file.stat().st_mode & 0o077 == 0


def test_scores_that_are_undefined_are_no_numbers() -> None:
    assert health_tone(None) == health_tone(math.nan) == "neutral"
    assert health_word(None) != health_word(0.0)
