"""Orders wait for a person, on a real server."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext

from slices.domain.trading import OrderPlan, Placement
from slices.ledger.journal import entries
from slices.live_trade.tasks import approve, settle, submit
from tests.slices.live_trade.live_accounts import bars, live_books, purchase, switch_on
from tests.slices.live_trade.live_orders import ACCOUNT
from tests.support.broker_server import Exchange

pytestmark = [pytest.mark.slow, pytest.mark.server]
WAIT_SECONDS = 30.0


class Trading:
    """A flow that settles, asks and submits, in a thread of its own."""

    def __init__(self, folder: Path, *, timeout_seconds: int = 60) -> None:
        self.run_id: UUID | None = None
        self.placement: Placement | None = None
        self.state = ""
        ref = bars(folder)

        @flow
        def trading() -> Placement:
            context = FlowRunContext.get()
            assert context is not None
            assert context.flow_run is not None
            self.run_id = context.flow_run.id
            settle(ACCOUNT, ref)
            plan = approve(ACCOUNT, purchase(), timeout_seconds=timeout_seconds, poll_seconds=1)
            return submit(ACCOUNT, ref, plan)

        def run() -> None:
            ended = trading(return_state=True)
            self.state = ended.type.value
            self.placement = ended.result(raise_on_failure=False)

        self.thread = threading.Thread(target=run)
        self.thread.start()

    def answer(self, **form: object) -> None:
        """Wait until the run is paused, then fill in the form as the UI does."""
        deadline = time.monotonic() + WAIT_SECONDS
        with get_client(sync_client=True) as client:
            while True:
                run = self.run_id and client.read_flow_run(self.run_id)
                if run and run.state and run.state.is_paused():
                    break
                assert time.monotonic() < deadline, run
                time.sleep(0.1)
            client.resume_flow_run(run.id, run_input=form)

    def ended(self) -> Placement | None:
        """Wait for the end."""
        self.thread.join(WAIT_SECONDS)
        assert not self.thread.is_alive()
        return self.placement


@pytest.fixture(autouse=True)
def _server(
    api_url: str, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    switch_on(monkeypatch, exchange, tmp_path / "home")


def answers(kind: str) -> list[dict[str, str]]:
    with live_books() as ledger:
        return [
            dict(each.payload) for each in entries(ledger, account=ACCOUNT) if each.kind == kind
        ]


def test_approved_orders_leave_and_are_not_asked_about_again(
    exchange: Exchange, tmp_path: Path
) -> None:
    run = Trading(tmp_path)
    run.answer(approve=True, note="looks right", by="Ada")
    placed = run.ended()
    assert isinstance(placed, Placement)
    assert (run.state, len(placed.records), len(exchange.orders)) == ("COMPLETED", 1, 1)
    (said,) = answers("orders_approved")
    assert (said["note"], said["by"], said["order 1"]) == (
        "looks right",
        "Ada",
        "buy 10 AAPL at market",
    )
    again = Trading(tmp_path)
    placed = again.ended()
    assert isinstance(placed, Placement)
    assert (placed.is_repeated, len(exchange.orders)) == (True, 1)


def test_refused_orders_do_not_leave_and_may_be_asked_about_again(
    exchange: Exchange, tmp_path: Path
) -> None:
    run = Trading(tmp_path)
    run.answer(approve=False, note="not today")
    placed = run.ended()
    assert isinstance(placed, Placement)
    assert (run.state, placed.records, exchange.orders) == ("COMPLETED", (), [])
    assert [each["note"] for each in answers("orders_refused")] == ["not today"]
    again = Trading(tmp_path)
    again.answer(approve=True)
    again.ended()
    assert len(exchange.orders) == 1


def test_an_empty_form_is_a_refusal(exchange: Exchange, tmp_path: Path) -> None:
    run = Trading(tmp_path)
    run.answer()
    run.ended()
    assert exchange.orders == []


def test_silence_is_a_refusal(exchange: Exchange, tmp_path: Path) -> None:
    run = Trading(tmp_path, timeout_seconds=2)
    run.ended()
    assert exchange.orders == []
    assert "nobody answered" in answers("orders_refused")[0]["note"]


def test_a_plan_without_orders_asks_nobody() -> None:
    plan = OrderPlan(workflow="w", strategy="s", session=purchase().session, orders=())
    assert approve(ACCOUNT, plan) is plan
