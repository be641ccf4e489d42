"""The pages, and the one thing they can change: that somebody has seen an alert."""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from slices.domain.errors import ParameterError
from slices.monitor.alerts.incidents import acknowledge, incidents_since, silences
from slices.monitor.dashboard.plots import losses
from slices.monitor.dashboard.views.accounts import ShownAccount, shown_accounts
from slices.monitor.dashboard.views.explorer import PERIODS, Explored, asked, explored
from slices.monitor.dashboard.views.runs import ShownRuns, shown_runs
from slices.monitor.dashboard.wording import measured
from slices.monitor.metrics import METRICS
from slices.runtime.credentials import OPERATOR
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from starlette.requests import Request

    from slices.monitor.dashboard.desk import Desk
    from slices.monitor.dashboard.seeing import Seen

PAST_DAYS = 7


def pages(desk: Desk) -> list[Route]:
    """Make the routes of all pages."""
    shown = {
        "/": overview,
        "/runs": runs,
        "/accounts": accounts,
        "/accounts/curve": curve,
        "/models": models,
        "/data": data,
        "/alerts": alerts,
        "/explorer": explorer,
    }
    acknowledging = Route(
        "/alerts/{key:path}/acknowledge", partial(acknowledged, desk), methods=["POST"]
    )
    return [*(Route(path, partial(page, desk)) for path, page in shown.items()), acknowledging]


def overview(desk: Desk, request: Request) -> Response:
    """Show the whole system at a glance."""
    seen = desk.see()
    return desk.page(
        request, "overview", "Overview", seen, accounts=_accounts(seen), runs=_runs(seen)
    )


def runs(desk: Desk, request: Request) -> Response:
    """Show what runs and ran."""
    seen = desk.see()
    return desk.page(request, "runs", "Runs", seen, runs=_runs(seen))


def accounts(desk: Desk, request: Request) -> Response:
    """Show every account."""
    seen = desk.see()
    return desk.page(request, "accounts", "Accounts", seen, accounts=_accounts(seen))


def curve(desk: Desk, request: Request) -> Response:
    """Show the curve of one account as a table, newest session first."""
    seen = desk.see()
    found = account_named(seen, request)
    points = found.facts.curve if found else ()
    lost = losses(points, capital=found.facts.capital) if found else ()
    return desk.page(
        request,
        "curve",
        f"Equity of {found.facts.name}" if found else "Equity",
        seen,
        account=found,
        rows=list(zip(points, lost, strict=True))[::-1],
    )


def models(desk: Desk, request: Request) -> Response:
    """Show the models."""
    return desk.page(request, "models", "Models", desk.see())


def data(desk: Desk, request: Request) -> Response:
    """Show the feeds."""
    return desk.page(request, "data", "Data", desk.see())


def alerts(desk: Desk, request: Request) -> Response:
    """Show incidents, those that last and those that ended."""
    seen = desk.see()
    since = seen.now - dt.timedelta(days=PAST_DAYS)
    ended = [each for each in incidents_since(desk.store, since) if each.resolved]
    return desk.page(
        request,
        "alerts",
        "Alerts",
        seen,
        past=sorted(ended, key=lambda each: each.opened, reverse=True),
        silences=silences(desk.store, seen.now),
        has_receiver=load_settings().alerts_url is not None,
    )


async def acknowledged(desk: Desk, request: Request) -> Response:
    """Write down that somebody has seen an alert, then show the alerts."""
    if not await desk.guard.is_own_form(request):
        return PlainTextResponse("Only a page of this dashboard may send this.\n", status_code=403)
    key = request.path_params["key"]
    try:
        await run_in_threadpool(acknowledge, desk.store, key, by=OPERATOR, at=desk.clock.now())
    except ParameterError:
        return PlainTextResponse("No alert has this key.\n", status_code=404)
    if "hx-request" in request.headers:
        return await run_in_threadpool(alerts, desk, request)
    return RedirectResponse("/alerts", status_code=303)


def explorer(desk: Desk, request: Request) -> Response:
    """Show one metric over time."""
    seen = desk.see()
    given = request.query_params
    question = asked(given.get("metric", ""), given.get("series", ""), given.get("period", ""))
    found = explored(desk.store, question, now=seen.now)
    by_part = [
        (part.value, tuple(each)) for part, each in groupby(METRICS, key=lambda each: each.part)
    ]
    return desk.page(
        request,
        "metrics",
        "Metrics",
        seen,
        explored=found,
        periods=PERIODS,
        by_part=by_part,
        spoken_plot=spoken_plot(found),
    )


def spoken_plot(found: Explored) -> str:
    """Say what the plot of a metric shows."""
    unit = found.metric.unit
    said = (
        f"{each.label}: {measured(each.newest, unit)} now, between {measured(each.least, unit)}"
        f" and {measured(each.most, unit)}"
        for each in found.lines
    )
    return f"{found.metric.name}, {PERIODS[found.question.period][0].lower()}. {'; '.join(said)}."


def account_named(seen: Seen, request: Request) -> ShownAccount | None:
    """Find the account a request names."""
    wanted = request.query_params.get("mode", ""), request.query_params.get("account", "")
    return next(
        (
            each
            for each in _accounts(seen) or ()
            if (each.facts.mode.value, each.facts.name) == wanted
        ),
        None,
    )


def _accounts(seen: Seen) -> tuple[ShownAccount, ...] | None:
    if seen.observation is None or seen.observation.accounts is None:
        return None
    return shown_accounts(seen.observation.accounts)


def _runs(seen: Seen) -> ShownRuns | None:
    if seen.observation is None or seen.observation.server is None:
        return None
    return shown_runs(seen.observation.server, now=seen.now)
