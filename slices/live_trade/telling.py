"""Telling whoever listens that a broker did not answer, or does not agree with the books."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from slices.domain.alerts import BooksDisagree, BrokerUnreachable, Level
from slices.domain.trading_errors import BrokerUnavailableError, ReconciliationError
from slices.live_trade.wire import NAME
from slices.runtime.events import emit

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def telling(run: Callable[P, R]) -> Callable[P, R]:
    """Let a function of an account send an event where its broker fails it; it fails all the same.

    Args:
        run: One of its parameters is `account`.
    """

    @functools.wraps(run)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        account = str(inspect.signature(run).bind(*args, **kwargs).arguments["account"])
        try:
            return run(*args, **kwargs)
        except BrokerUnavailableError as away:
            emit(
                BrokerUnreachable(
                    subject=account,
                    level=Level.ERROR,
                    message=f"{account}: {away}",
                    broker=away.broker,
                )
            )
            raise
        except ReconciliationError as differ:
            emit(
                BooksDisagree(
                    subject=account, level=Level.CRITICAL, message=str(differ), broker=NAME
                )
            )
            raise

    return told
