"""What programs read: points for plots, Prometheus text, health for probes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slices.domain.errors import TradingError
from slices.monitor.dashboard.pages import account_named
from slices.monitor.dashboard.plots import drawdown_plot, equity_plot
from slices.monitor.dashboard.rendering import theme
from slices.monitor.dashboard.views.explorer import asked, explored, plotted
from slices.monitor.prometheus import exposition

if TYPE_CHECKING:
    from starlette.requests import Request

    from slices.monitor.dashboard.desk import Desk
    from slices.monitor.dashboard.plots import Plot
    from slices.monitor.dashboard.seeing import Seen

EXPOSITION = "text/plain; version=0.0.4; charset=utf-8"


def feeds(desk: Desk) -> list[Route]:
    """Make the routes of all feeds."""
    return [
        Route("/data/curve", partial(curve_points, desk)),
        Route("/data/series", partial(series_points, desk)),
        Route("/metrics", partial(metrics, desk)),
        Route("/health", partial(health, desk)),
        Route("/health/system", partial(system_health, desk)),
        Route("/theme.css", lambda _request: Response(theme(), media_type="text/css")),
    ]


def curve_points(desk: Desk, request: Request) -> Response:
    """Answer with the equity or the drawdown of an account."""
    found = account_named(desk.see(), request)
    if found is None:
        return PlainTextResponse("No account of this name was seen.\n", status_code=404)
    facts = found.facts
    if request.query_params.get("of") == "drawdown":
        return _plot(drawdown_plot(facts.curve, capital=facts.capital))
    return _plot(equity_plot(facts.curve))


def series_points(desk: Desk, request: Request) -> Response:
    """Answer with the past of a metric."""
    given = request.query_params
    question = asked(given.get("metric", ""), given.get("series", ""), given.get("period", ""))
    return _plot(plotted(explored(desk.store, question, now=desk.clock.now())))


def metrics(desk: Desk, _request: Request) -> Response:
    """Answer with the latest samples as Prometheus reads them.

    A measurement nobody refreshes is not offered as the present.
    """
    seen = desk.see()
    if seen.measurement is None or not seen.is_watched:
        return PlainTextResponse("# nobody is watching\n", status_code=503)
    return Response(exposition(seen.measurement), media_type=EXPOSITION)


def health(desk: Desk, _request: Request) -> Response:
    """Say that the dashboard answers, and how the system is."""
    try:
        return JSONResponse(_state(desk.see()))
    except TradingError:
        return JSONResponse({"dashboard": "failing", "system": "unknown"}, status_code=503)


def system_health(desk: Desk, _request: Request) -> Response:
    """Say how the system is; 503 where nobody watches or trading is halted."""
    try:
        state = _state(desk.see())
    except TradingError:
        return JSONResponse({"dashboard": "failing", "system": "unknown"}, status_code=503)
    return JSONResponse(state, status_code=200 if state["system"] == "watched" else 503)


def _state(seen: Seen) -> dict[str, object]:
    system = "watched" if seen.is_watched else "unwatched" if seen.measurement else "unknown"
    return {
        "dashboard": "up",
        "system": "halted" if seen.halted is not None else system,
        "watched": seen.is_watched,
        "score": seen.score,
        "halted": None if seen.observation is None else seen.halted is not None,
        "open_alerts": len(seen.incidents),
        "worst_alert": seen.worst,
        "measured_at": seen.measurement.at.isoformat() if seen.measurement else None,
    }


def _plot(plot: Plot) -> Response:
    return Response(plot.as_json(), media_type="application/json")
