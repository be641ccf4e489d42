"""The dashboard in a real browser: live, by keyboard, in both schemes, at phone width."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from slices.monitor.alerts.incidents import incident as stored_incident
from slices.monitor.dashboard.app import create_app
from slices.monitor.store import Store, open_store
from tests.support import observed
from tests.support.observed import HOSTILE, NOW
from tests.support.watched import fill

CHROMIUM = Path("/usr/bin/chromium")
PAGES = ("/", "/runs", "/accounts", "/models", "/data", "/alerts", "/explorer")
PATIENCE = 60_000
"""Milliseconds that a machine with much else to do may need."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium on this machine"),
]
expect.set_options(timeout=PATIENCE)


class MovableClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> dt.datetime:
        return self.instant


@dataclasses.dataclass(frozen=True)
class Site:
    """A dashboard that answers."""

    url: str
    store: Store
    clock: MovableClock
    stop: Callable[[], None]


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Answer on a free port of the loopback interface until the block ends."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    store, clock = open_store(folder), MovableClock()
    app = create_app(store, password=None, port=port, clock=clock)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        server.force_exit = True
        thread.join()
        listener.close()

    try:
        yield Site(url=f"http://127.0.0.1:{port}", store=store, clock=clock, stop=stop)
    finally:
        stop()
        store.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path / "monitor") as answering:
        yield answering


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with opened(chromium) as tab:
        yield tab


@contextmanager
def opened(browser: Browser, *, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """Open a tab and check at its end that nothing went wrong in it."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    problems: list[str] = []
    hosts: set[str] = set()
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
    tab.on("console", lambda said: _note(problems, said.type, said.text))
    tab.on("request", lambda asked: hosts.add(asked.url.split("/")[2].partition(":")[0]))
    yield tab
    context.close()
    assert problems == []
    assert hosts <= {"127.0.0.1"}


def _note(problems: list[str], kind: str, text: str) -> None:
    """Keep what the browser complains of, except that a server is gone, which is on purpose."""
    expected = ("ERR_CONNECTION", "htmx:afterRequest", "htmx:sendError")
    if kind in {"error", "warning"} and not any(each in text for each in expected):
        problems.append(text)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wake(page: Page) -> None:
    """Ask for the present now, not at the next turn, and wait until it is shown."""
    page.evaluate(
        "new Promise(done => { document.body.addEventListener('htmx:afterSettle',"
        " () => done(), {once: true}); htmx.trigger('#live', 'wake') })"
    )


def measure_again(site: Site) -> None:
    """Let a minute pass and measure: another equity, another alert."""
    site.clock.instant = NOW + dt.timedelta(minutes=1)
    seen = observed.observation(at=site.clock.instant)
    account = observed.account_facts(at=NOW)
    risen = dataclasses.replace(account.curve[-1], equity=account.curve[-1].equity + 7_000)
    later = dataclasses.replace(risen, session=risen.session + dt.timedelta(days=1))
    richer = dataclasses.replace(
        account, equity=123_456.0, session=later.session, curve=(*account.curve, later)
    )
    fill(site.store, dataclasses.replace(seen, accounts=(richer,)))


def test_a_page_follows_the_measurements_and_leaves_its_reader_alone(
    site: Site, page: Page
) -> None:
    fill(site.store)
    page.goto(f"{site.url}/accounts")
    expect(page.locator("canvas")).to_have_count(2)
    page.evaluate("window.loadedOnce = true")
    page.evaluate("document.querySelector('canvas').dataset.first = 'yes'")
    page.locator("a", has_text="As a table").first.focus()
    page.evaluate("window.scrollTo(0, 200)")
    before = page.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    measure_again(site)
    expect(page.get_by_text("123,456").first).to_be_visible()
    assert page.evaluate("window.loadedOnce")
    assert page.evaluate("document.activeElement.textContent") == "As a table"
    assert page.evaluate("window.scrollY") == 200
    assert page.locator("canvas").first.get_attribute("data-first") == "yes"
    wait_until(
        lambda: page.locator("canvas").first.evaluate("canvas => canvas.toDataURL()") != before
    )


def test_what_was_opened_stays_open_and_what_is_chosen_stays_chosen(site: Site, page: Page) -> None:
    fill(site.store)
    page.goto(f"{site.url}/explorer?metric=account.equity")
    page.locator("details").first.locator("summary").click()
    page.get_by_label("Period").select_option("7d")
    measure_again(site)
    expect(page.get_by_text("123,456").first).to_be_visible()
    assert page.locator("details").first.evaluate("part => part.open")
    assert page.get_by_label("Period").input_value() == "7d"


def test_an_alert_is_acknowledged_by_keyboard_and_its_reader_keeps_the_place(
    site: Site, page: Page
) -> None:
    fill(site.store)
    page.goto(f"{site.url}/alerts")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "BUTTON":
        page.keyboard.press("Tab")
    page.evaluate("window.loadedOnce = true")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Acknowledged at")).to_be_visible()
    assert page.evaluate("window.loadedOnce")
    assert "daily lost 6.2%" in page.evaluate("document.activeElement.textContent")
    assert stored_incident(site.store, observed.incident().key).acknowledged == NOW


def test_the_spoken_line_changes_only_when_something_does(site: Site, page: Page) -> None:
    fill(site.store, incidents=())
    page.goto(site.url)
    spoken = page.locator("#spoken")
    expect(spoken).to_have_attribute("aria-live", "polite")
    page.evaluate(
        "new MutationObserver(() => { window.changes = (window.changes ?? 0) + 1 })"
        ".observe(document.getElementById('spoken'), {characterData: true, childList: true,"
        " subtree: true})"
    )
    for _ in range(2):
        wake(page)
    assert page.evaluate("window.changes ?? 0") == 0
    fill(site.store)
    expect(spoken).to_contain_text("1 open alert, the worst critical")


def test_names_that_are_markup_are_inert(site: Site, page: Page) -> None:
    wicked = dataclasses.replace(
        observed.incident("run-failed", HOSTILE), message=HOSTILE, next_step=HOSTILE
    )
    fill(site.store, observed.hostile(), incidents=(wicked,))
    for path in PAGES:
        page.goto(site.url + path)
        wake(page)
        assert "owned" not in page.title()
        assert page.locator("main script").count() == 0
    expect(page.get_by_text(HOSTILE).first).to_be_visible()


def test_every_page_fits_a_phone_in_both_schemes(site: Site, chromium: Browser) -> None:
    fill(site.store)
    for scheme in ("light", "dark"):
        with opened(chromium, width=360, scheme=scheme) as page:
            for path in (*PAGES, "/accounts/curve?mode=paper&account=daily"):
                page.goto(site.url + path)
                if path == "/accounts":
                    expect(page.locator("canvas")).to_have_count(2)
                assert page.evaluate("document.scrollingElement.scrollWidth") <= 360, path


def test_the_scheme_is_the_systems_until_somebody_chooses(site: Site, chromium: Browser) -> None:
    fill(site.store)

    def background(tab: Page) -> str:
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    with opened(chromium, scheme="dark") as page:
        page.goto(site.url)
        dark = background(page)
        page.get_by_role("button", name="Colours").click()
        light = background(page)
        assert light != dark
        page.reload()
        assert background(page) == light
        page.get_by_role("button", name="Colours").click()
        assert background(page) == dark


def test_a_reader_is_told_when_the_dashboard_is_gone_and_when_nobody_watches(
    site: Site, page: Page
) -> None:
    fill(site.store)
    page.goto(site.url)
    expect(page.locator("#lost")).to_be_hidden()
    site.clock.instant = NOW + dt.timedelta(hours=1)
    expect(page.get_by_text("Nobody is watching.", exact=False).first).to_be_visible()
    site.stop()
    expect(page.locator("#lost")).to_be_visible()
    assert page.locator("#lost").get_attribute("role") == "alert"
