"""The pages as a browser gets them, over a store that a watch has filled."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from pydantic import SecretStr

from slices.domain.accounts import TradingState
from slices.domain.clock import FixedClock
from slices.monitor.alerts.incidents import incident as stored_incident
from slices.monitor.dashboard.app import create_app
from slices.monitor.store import Store, open_store
from tests.support import observed
from tests.support.browsing import Browser, Elements
from tests.support.observed import HOSTILE, NOW
from tests.support.watched import fill

PORT = 4300
HOME = f"http://127.0.0.1:{PORT}"
PASSWORD = "correct-horse-battery"  # noqa: S105 - of the test
PAGES = ("/", "/runs", "/accounts", "/models", "/data", "/alerts", "/explorer")
FEEDS = ("/metrics", "/data/series", "/data/curve?mode=paper&account=daily", "/theme.css")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "monitor")
    yield opened
    opened.close()


def client(store: Store, *, password: str = "", at: dt.datetime = NOW) -> Browser:
    secret = SecretStr(password) if password else None
    app = create_app(store, password=secret, port=PORT, clock=FixedClock(at))
    return Browser(app, HOME)


def shown(client: Browser, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Elements(answer.text).text


def test_every_page_is_a_document_with_landmarks_and_one_heading(store: Store) -> None:
    fill(store)
    browser = client(store)
    for path in PAGES:
        page = Elements(browser.get(path).text)
        assert [len(page.all(each)) for each in ("h1", "main", "header", "footer", "title")] == [
            1, 1, 1, 1, 1,
        ]  # fmt: skip
        assert page.all("html")[0]["lang"] == "en"
        ids = [each["id"] for _, each in page.tags if "id" in each]
        assert len(ids) == len(set(ids))
        assert all(each.get("scope") in {"row", "col"} for each in page.all("th"))
        assert [each["href"] for each in page.all("a") if "aria-current" in each] == [path]


def test_no_page_holds_script_or_style_or_loads_from_elsewhere(store: Store) -> None:
    fill(store)
    browser = client(store)
    for path in PAGES:
        answer = browser.get(path)
        page = Elements(answer.text)
        assert all("src" in each for each in page.all("script"))
        assert not page.all("style")
        assert not [each for _, each in page.tags if "style" in each]
        assert not [name for _, each in page.tags for name in each if name.startswith("on")]
        loaded = [each["src"] for each in page.all("script")]
        loaded += [each["href"] for each in page.all("link")]
        for address in loaded:
            assert browser.get(str(address)).status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_part_is_the_page_without_its_frame(store: Store) -> None:
    fill(store)
    browser = client(store)
    part = browser.get("/runs", headers={"HX-Request": "true"}).text
    assert not Elements(part).all("html")
    assert Elements(part).text.strip() in shown(browser, "/runs")


def test_the_overview_shows_scores_with_reasons_alerts_accounts_and_runs(store: Store) -> None:
    measured = fill(store)
    text = shown(client(store), "/")
    for each in measured.health:
        assert each.part.capitalize() in text
        assert all(lost.reason in text for lost in each.lost)
    for words in ("daily lost 6.2%", "106,288", "−412.35", "ml-model-training", "4 of 7 tasks"):
        assert words in text
    assert "Nobody is watching" not in text


def test_runs_link_into_prefect(store: Store) -> None:
    fill(store)
    page = Elements(client(store).get("/runs").text)
    links = {each["href"] for each in page.all("a")}
    run = observed.server_facts().running[0]
    assert f"{observed.PAGES}/runs/flow-run/{run.run_id}" in links
    outward = [each for each in page.all("a") if each.get("target") == "_blank"]
    assert all("noopener" in str(each["rel"]) for each in outward)


def test_limits_of_an_account_stand_in_the_order_of_what_is_left(store: Store) -> None:
    fill(store)
    text = shown(client(store), "/accounts")
    assert text.index("breached") < text.index("nearly used") < text.index("within")


def test_what_is_undefined_is_a_dash_and_never_zero(store: Store) -> None:
    seen = dataclasses.replace(observed.observation(), accounts=(observed.empty_account(),))
    fill(store, seen)
    text = shown(client(store), "/accounts")
    for name in ("Volatility, yearly", "Value at risk, 95%", "Filled of ordered", "Slippage"):
        assert re.search(rf"{name}\s*–", text), name


def test_parts_that_were_not_seen_are_said_to_be_unknown_with_the_reason(store: Store) -> None:
    fill(store, observed.half_seen())
    browser = client(store)
    for path in ("/", "/runs"):
        assert "no answer from http://127.0.0.1:4200/api" in shown(browser, path)
    assert "the registry's database is locked" in shown(browser, "/models")
    assert "No run is going on" not in shown(browser, "/runs")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_loudly_that_nobody_watches(store: Store, path: str) -> None:
    assert "Nothing has been measured yet" in shown(client(store), path)
    fill(store)
    late = client(store, at=NOW + dt.timedelta(minutes=5))
    page = Elements(late.get(path).text)
    assert "Nobody is watching" in page.text
    assert "Not halted" not in page.text
    assert any(each.get("id") == "unwatched" for _, each in page.tags)


@pytest.mark.parametrize("path", PAGES)
def test_a_halt_is_on_every_page_with_the_command_that_ends_it(store: Store, path: str) -> None:
    fill(store, dataclasses.replace(observed.observation(), halted="daily loss of 6.2%"))
    text = shown(client(store), path)
    assert "All trading is halted. daily loss of 6.2%" in text
    assert "tradeflows release" in text


@pytest.mark.parametrize("state", [TradingState.HALTED, TradingState.REDUCING])
def test_an_account_that_may_not_trade_is_no_good_news(store: Store, state: TradingState) -> None:
    seen = observed.observation()
    assert seen.accounts is not None
    active = [dataclasses.replace(each, state=TradingState.ACTIVE) for each in seen.accounts]
    fill(store, dataclasses.replace(seen, accounts=tuple(active)))
    assert "Not halted" in shown(client(store), "/")
    active[0] = dataclasses.replace(active[0], state=state)
    fill(store, dataclasses.replace(seen, accounts=tuple(active)))
    assert "Not halted" not in shown(client(store), "/")


def test_accounts_nobody_saw_are_not_called_well(store: Store) -> None:
    fill(store, dataclasses.replace(observed.observation(), accounts=None))
    assert "Not halted" not in shown(client(store), "/")


@pytest.mark.parametrize("path", PAGES)
def test_markup_in_names_stays_text(store: Store, path: str) -> None:
    wicked = dataclasses.replace(
        observed.incident("run-failed", HOSTILE), message=HOSTILE, next_step=f"`{HOSTILE}`"
    )
    fill(store, observed.hostile(), incidents=(wicked,))
    answer = client(store).get(path)
    assert answer.status_code == 200
    assert HOSTILE in Elements(answer.text).text
    assert "<script>document" not in answer.text
    assert "javascript:" not in answer.text


def test_points_of_a_curve_are_those_of_the_account(store: Store) -> None:
    fill(store)
    facts = observed.account_facts()
    equity = json.loads(client(store).get("/data/curve?mode=paper&account=daily").text)
    assert equity["tables"][0][1] == [float(each.equity) for each in facts.curve]
    lost = client(store).get("/data/curve?mode=paper&account=daily&of=drawdown").json()
    values = np.array([float(each.equity) for each in facts.curve])
    peaks = np.maximum.accumulate(np.maximum(values, facts.capital))
    assert lost["tables"][0][1] == pytest.approx(values / peaks - 1)
    assert client(store).get("/data/curve?mode=live&account=daily").status_code == 404
    assert str(facts.curve[0].session) in shown(
        client(store), "/accounts/curve?mode=paper&account=daily"
    )


def test_a_metric_is_explored_by_series_and_period(store: Store) -> None:
    fill(store)
    browser = client(store)
    text = shown(browser, "/explorer?metric=account.equity&period=7d")
    assert "account daily, mode paper" in text
    assert "106,288" in text
    one = '[["account", "daily"], ["mode", "paper"]]'
    asked = {"metric": "account.equity", "series": one}
    assert browser.get("/data/series?", query=urlencode(asked)).json()["labels"] == [
        "account daily, mode paper"
    ]
    unknown = {"metric": HOSTILE, "series": HOSTILE, "period": HOSTILE}
    assert browser.get("/explorer?", query=urlencode(unknown)).status_code == 200


def test_prometheus_gets_the_present_or_nothing(store: Store) -> None:
    assert client(store).get("/metrics").status_code == 503
    fill(store)
    answer = client(store).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'account="daily"' in answer.text
    late = client(store, at=NOW + dt.timedelta(minutes=5))
    assert late.get("/metrics").status_code == 503


def test_probes_learn_the_state_without_a_password_and_without_names(store: Store) -> None:
    guarded = client(store, password=PASSWORD)
    assert guarded.get("/health/system").status_code == 503
    fill(store)
    answer = guarded.get("/health")
    assert answer.json()["system"] == "watched"
    assert "daily" not in answer.text
    assert guarded.get("/health/system").status_code == 200
    late = client(store, at=NOW + dt.timedelta(minutes=5))
    assert late.get("/health").json()["watched"] is False
    assert late.get("/health/system").status_code == 503


def _basic(password: str, user: str = "tradeflows") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize("path", [*PAGES, *FEEDS, "/static/live.js", "/nothing"])
def test_everything_else_needs_the_password(store: Store, path: str) -> None:
    fill(store)
    guarded = client(store, password=PASSWORD)
    wrong = ({}, _basic("wrong"), _basic(PASSWORD, "root"), {"Authorization": "Basic ???"})
    for headers in wrong:
        answer = guarded.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    found = 404 if path == "/nothing" else 200
    assert guarded.get(path, headers=_basic(PASSWORD)).status_code == found


def test_other_hosts_methods_and_sites_are_refused(store: Store) -> None:
    fill(store)
    browser = client(store)
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400
    for path in PAGES:
        assert browser.post(path).status_code == 405
    crossed = browser.get("/", headers={"Origin": "https://evil.example"})
    assert not [each for each in crossed.headers if each.startswith("access-control")]
    assert browser.get("/docs").status_code == 404
    assert browser.get("/openapi.json").status_code == 404


def _token(browser: Browser) -> str:
    found = re.search(r'name="token" value="([^"]+)"', browser.get("/alerts").text)
    return found[1] if found else ""


def _address(key: str) -> str:
    return f"/alerts/{quote(key, safe='')}/acknowledge"


def test_an_alert_is_acknowledged_by_a_form_of_our_own(store: Store) -> None:
    wicked = observed.incident("run-failed", f"a/b?c=#{HOSTILE}%2F")
    fill(store, incidents=(wicked,))
    browser = client(store)
    form = next(each for each in Elements(browser.get("/alerts").text).all("form"))
    assert form["action"] == _address(wicked.key)
    answer = browser.post(
        str(form["action"]), body=f"token={_token(browser)}", headers={"Origin": HOME}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    known = stored_incident(store, wicked.key)
    assert (known.acknowledged, known.acknowledged_by) == (NOW, "tradeflows")
    assert "Acknowledged" in shown(browser, "/alerts")


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_acknowledges_nothing(store: Store, headers: dict[str, str]) -> None:
    fill(store)
    browser = client(store)
    key = observed.incident().key
    answer = browser.post(_address(key), body=f"token={_token(browser)}", headers=headers)
    assert answer.status_code == 403
    assert stored_incident(store, key).acknowledged is None


@pytest.mark.parametrize("body", ["", "token=", "token=guessed", "token=" + "a" * 9000])
def test_a_form_without_our_token_acknowledges_nothing(store: Store, body: str) -> None:
    fill(store)
    key = observed.incident().key
    answer = client(store).post(_address(key), body=body, headers={"Origin": HOME})
    assert answer.status_code == 403
    assert stored_incident(store, key).acknowledged is None


def test_where_nobody_is_to_be_told_no_notification_is_claimed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, incidents=(dataclasses.replace(observed.incident("run-failed"), delivered=NOW),))
    monkeypatch.delenv("TRADEFLOWS_ALERTS_URL", raising=False)
    alone = shown(client(store), "/alerts")
    monkeypatch.setenv("TRADEFLOWS_ALERTS_URL", "https://example.org/hook")
    told = shown(client(store), "/alerts")
    assert "TRADEFLOWS_ALERTS_URL" in alone
    assert "notification" not in alone
    assert "TRADEFLOWS_ALERTS_URL" not in told
    assert "notification" in told


def test_an_alert_nobody_knows_is_not_found(store: Store) -> None:
    fill(store)
    browser = client(store)
    body = f"token={_token(browser)}"
    answer = browser.post(_address("none"), body=body, headers={"Origin": HOME})
    assert answer.status_code == 404


def test_a_damaged_database_is_said_and_a_new_one_is_read_afterwards(store: Store) -> None:
    fill(store)
    browser = client(store)
    store.close()
    content = store.file.read_bytes()
    store.file.write_bytes(b"not a database" * 1000)
    for end in ("-wal", "-shm"):
        store.file.with_name(f"{store.file.name}{end}").unlink(missing_ok=True)
    assert browser.get("/").status_code == 503
    assert browser.get("/health").status_code == 503
    store.file.write_bytes(content)
    assert browser.get("/").status_code == 200
