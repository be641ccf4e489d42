"""Looking at the whole system at one moment, each part by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

import psutil
from httpx import HTTPError
from prefect.exceptions import PrefectException
from sqlalchemy.exc import SQLAlchemyError

from slices.domain.errors import SettingsError, TradingError
from slices.domain.monitoring import Part
from slices.domain.observations import Observation
from slices.ledger.states import read_halt_file
from slices.monitor.observing.books import Books
from slices.monitor.observing.host import host_facts
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from slices.domain.observations import FeedFacts, HostFacts, ModelFacts, ServerFacts
    from slices.monitor.store import Store

Facts = TypeVar("Facts")

DATA_SECONDS = 30.0
MODELS_SECONDS = 300.0
LONGEST_REASON = 300
PROBLEMS = (
    TradingError,
    OSError,
    HTTPError,
    PrefectException,
    SQLAlchemyError,
    psutil.Error,
    ArithmeticError,
    LookupError,
    RuntimeError,
    ValueError,
)
"""What a look at a part may fail with; the other parts are looked at all the same."""


class Look(Generic[Facts]):
    """A part of the system, looked at no more often than makes sense.

    Args:
        part: Which.
        look: Finds its facts.
        every_seconds: Within this time the last answer stands.
    """

    def __init__(
        self, part: Part, look: Callable[[dt.datetime], Facts], *, every_seconds: float = 0.0
    ) -> None:
        self.part = part
        self.problem = ""
        self._look = look
        self._every_seconds = every_seconds
        self._looked: dt.datetime | None = None
        self._facts: Facts | None = None

    def facts(self, at: dt.datetime) -> Facts | None:
        """Return what was found; None where it could not be looked at, and `problem` says why."""
        if self._looked is None or abs((at - self._looked).total_seconds()) >= self._every_seconds:
            self._looked = at
            try:
                self._facts, self.problem = self._look(at), ""
            except PROBLEMS as problem:
                self._facts, self.problem = None, one_line(problem)
        return self._facts


def one_line(problem: BaseException) -> str:
    """Say what went wrong in one line.

    >>> one_line(ValueError("a number was found"))
    'ValueError: a number was found'
    """
    words = " ".join(str(problem).split())
    said = words if isinstance(problem, TradingError) else f"{type(problem).__name__}: {words}"
    return said.removesuffix(": ")[:LONGEST_REASON]


class Observer:
    """Looks at machine, server, data, books and models.

    Args:
        api_url: Of the Prefect server; None where there is none to look at.
        store: Where measurements and alerts are kept.
    """

    def __init__(self, *, api_url: str | None, store: Store) -> None:
        self.api_url = api_url
        self.store = store
        self.books = Books()
        self._host = Look(Part.HOST, _host)
        self._server = Look(Part.ORCHESTRATION, self._server_facts)
        self._data = Look(Part.DATA, _data, every_seconds=DATA_SECONDS)
        self._accounts = Look(Part.TRADING, lambda at: self.books.account_facts(at=at))
        self._models = Look(Part.MODELS, self._model_facts, every_seconds=MODELS_SECONDS)

    def observe(self, at: dt.datetime) -> Observation:
        """Look at everything now.

        Data is looked at once a minute and models once in five; in between the last facts stand.

        Args:
            at: Now (UTC).

        Returns:
            Parts that could not be looked at are None and named with the reason.
        """
        found = Observation(
            at=at,
            host=self._host.facts(at),
            server=self._server.facts(at),
            data=self._data.facts(at),
            accounts=self._accounts.facts(at),
            models=self._models.facts(at),
            halted=read_halt_file(load_settings().halt_file),
        )
        looks = (self._host, self._server, self._data, self._accounts, self._models)
        unknown = tuple((each.part.value, each.problem) for each in looks if each.problem)
        return replace(found, unknown=unknown)

    def close(self) -> None:
        """Close what was opened."""
        self.books.close()

    def _server_facts(self, at: dt.datetime) -> ServerFacts:
        if self.api_url is None:
            raise SettingsError(
                setting="PREFECT_API_URL", found="nothing", needed="a Prefect server's address"
            )
        from slices.runtime.server_facts import opened_server, server_facts

        with opened_server(self.api_url) as client:
            return server_facts(client, at=at)

    def _model_facts(self, at: dt.datetime) -> tuple[ModelFacts, ...]:
        from slices.ml_strategy.observing import model_facts

        return model_facts(at=at, feeds=self._data.facts(at) or ())


def _host(_at: dt.datetime) -> HostFacts:
    return host_facts(load_settings().home)


def _data(at: dt.datetime) -> tuple[FeedFacts, ...]:
    from slices.data.observing import feed_facts

    return feed_facts(at=at)
