"""The whole system looked at, part by part, on the real server and with parts that are broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from flows.operations.observing import Look, Observer
from slices.domain.accounts import TradingMode
from slices.domain.errors import ParameterError
from slices.domain.monitoring import Part
from slices.ledger.accounts import open_account
from slices.ledger.opening import ledger_for
from slices.ledger.states import write_halt_file
from slices.monitor.store import open_store
from slices.runtime.codec import decode, encode
from slices.runtime.settings import load_settings

NOBODY = "http://127.0.0.1:9/api"
AT = dt.datetime(2024, 6, 3, 22, tzinfo=dt.UTC)


@pytest.fixture
def observer(api_url: str, fresh_home: str) -> Iterator[Observer]:
    assert str(load_settings().home) == fresh_home
    made = Observer(api_url=api_url, store=open_store())
    yield made
    made.close()
    made.store.close()


def unknown_parts(observer: Observer, at: dt.datetime = AT) -> dict[str, str]:
    return dict(observer.observe(at).unknown)


def opened_account() -> Path:
    """Open a paper account and return the file of its books."""
    ledger = ledger_for(TradingMode.PAPER)
    open_account(ledger, "main", capital=Decimal(1000), session=AT.date(), at=AT)
    ledger.close()
    return Path(ledger.name)


def test_a_sound_system_is_seen_whole_and_can_be_written_down(observer: Observer) -> None:
    opened_account()
    found = observer.observe(AT)
    assert found.unknown == ()
    assert found.host is not None
    assert found.server is not None
    assert found.accounts is not None
    assert [each.name for each in found.accounts] == ["main"]
    assert found.data == ()
    assert found.models == ()
    assert found.halted is None
    assert repr(decode(encode(found))) == repr(found)


def test_a_halt_is_seen(observer: Observer) -> None:
    write_halt_file(load_settings().halt_file, reason="stop", by="test", at=AT)
    halted = observer.observe(AT).halted
    assert halted is not None
    assert "stop" in halted


@pytest.mark.slow
def test_each_part_fails_alone_and_says_why(api_url: str, observer: Observer) -> None:
    observer.api_url = NOBODY
    file = opened_account()
    file.write_bytes(b"no books" * 1000)
    manifests = load_settings().store_folder / "manifests"
    manifests.mkdir(parents=True)
    (manifests / "bad").mkdir()
    load_settings().mlflow_folder.mkdir()
    (load_settings().mlflow_folder / "mlflow.db").write_bytes(b"no database" * 1000)
    found = observer.observe(AT)
    assert found.host is not None
    assert (found.server, found.accounts, found.models) == (None, None, None)
    reasons = dict(found.unknown)
    assert set(reasons) == {Part.ORCHESTRATION, Part.TRADING, Part.MODELS}
    assert str(file) in reasons[Part.TRADING]
    assert all(each and "\n" not in each for each in reasons.values())
    observer.api_url = api_url
    file.unlink()
    assert set(unknown_parts(observer)) == {Part.MODELS}, "what is sound again is seen again"


def test_no_server_at_all_is_not_known(observer: Observer) -> None:
    observer.api_url = None
    assert "PREFECT_API_URL" in unknown_parts(observer)[Part.ORCHESTRATION]


def test_a_part_is_looked_at_no_more_often_than_asked_for() -> None:
    looks: list[dt.datetime] = []

    def counted(at: dt.datetime) -> int:
        looks.append(at)
        return len(looks)

    look = Look(Part.DATA, counted, every_seconds=60)
    seconds = (0, 15, 59, 60, 61, 119, 200, 190)
    found = [look.facts(AT + dt.timedelta(seconds=each)) for each in seconds]
    assert found == [1, 1, 1, 2, 2, 2, 3, 3]


def test_what_failed_is_not_the_last_facts() -> None:
    refused = ParameterError(parameter="a", found="b", allowed="c")
    answers: Iterator[int | Exception] = iter([1, refused, OSError("disk"), 2])

    def answer(_at: dt.datetime) -> int:
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    look = Look(Part.HOST, answer)
    assert [(look.facts(AT), bool(look.problem)) for _ in range(4)] == [
        (1, False), (None, True), (None, True), (2, False)
    ]  # fmt: skip
