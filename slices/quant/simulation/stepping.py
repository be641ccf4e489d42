"""An account that lives one session at a time, as paper trading needs it.

`step` lives through a session and `decide` hands in what was decided at its close. Both run the
compiled text of the simulations, so that a history lived in steps equals one simulated at once,
bit for bit. An account is a value: it can be stored after any session and taken up again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from slices.domain.errors import BadDataError, ParameterError, listed
from slices.quant.simulation.account import Simulation
from slices.quant.simulation.amending import compressed
from slices.quant.simulation.inputs import (
    WINDOW_SESSIONS,
    bars_of,
    check_actions,
    check_bars,
    check_capital,
    known_volatility,
    terms_of,
)
from slices.quant.simulation.intents import OrderOutcome, check_order
from slices.quant.simulation.orders import book_of, outcomes_of
from slices.quant.simulation.records import BAR, ORDER, Terms, blank, opened
from slices.quant.simulation.running import lived, simulation_of, world_of
from slices.quant.simulation.targets import checked_targets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.parameters import Costs, TradingRules
    from slices.quant.panel import Panel
    from slices.quant.simulation.intents import OrderIntent
    from slices.quant.simulation.records import RecordArray, World
    from slices.quant.types import BoolArray, FloatArray

NO_TERMS = Terms(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, whole=False)
"""Decisions are taken in without looking at costs and rules."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """An account after the close of a session.

    Attributes:
        symbols: N names.
        sessions: How many sessions it has lived through; also the number of the next one.
        cash: Money, negative where it is owed.
        positions: N records, of which `shares` and `marks` are the ones to read.
        book: Records of the orders that are alive, or whose brackets are.
        alive: How many orders the book's list of live ones has.
        orders: How many orders have been handed in; also the number of the next one.
        ruined_row: Number of the session at which nothing was left; -1 where something is. Later
            decisions are ignored, and later orders cancelled.
        written_off: Money that was then owed beyond what the account was worth.
    """

    symbols: tuple[str, ...]
    sessions: int
    cash: float
    positions: np.ndarray
    book: np.ndarray
    alive: int = 0
    orders: int = 0
    ruined_row: int = -1
    written_off: float = 0.0

    @property
    def shares(self) -> FloatArray:
        """N signed shares."""
        return np.asarray(self.positions["shares"], dtype=np.float64)

    @property
    def marks(self) -> FloatArray:
        """N prices positions are valued at; NaN before a symbol's first bar."""
        return np.asarray(self.positions["mark"], dtype=np.float64)

    @property
    def pending(self) -> FloatArray:
        """N target weights that wait for a fill; NaN where none does."""
        return np.asarray(self.positions["pending"], dtype=np.float64)

    @property
    def equity(self) -> float:
        """Value at the marks."""
        equity = self.cash
        for shares, mark in zip(self.shares.tolist(), self.marks.tolist(), strict=True):
            equity += shares * mark if shares else 0.0
        return equity


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """What one session did to an account.

    Attributes:
        account: The account after the close.
        session: The session as a simulation of one row, whose fills carry the session's number; so
            does `ruined_row`, from ruin on.
        outcomes: Number and outcome of every order that ended in this session.
    """

    account: Account
    session: Simulation
    outcomes: tuple[tuple[int, OrderOutcome], ...]


def open_account(symbols: tuple[str, ...], *, capital: float) -> Account:
    """Open an account that holds cash alone.

    Raises:
        ParameterError: Where there is no capital.
    """
    check_capital(capital)
    positions = opened(len(symbols), capital)[1]
    book = blank(ORDER, 0)
    return Account(symbols=symbols, sessions=0, cash=capital, positions=positions, book=book)


def step(
    account: Account,
    panel: Panel,
    *,
    costs: Costs,
    rules: TradingRules,
    dividends: FloatArray | None = None,
    splits: FloatArray | None = None,
    ended: BoolArray | None = None,
    is_compiled: bool = True,
) -> Step:
    """Live through one session: what was decided before fills, positions are marked.

    Args:
        account: As it was after the session before.
        panel: Bars of the account's symbols whose last row is the session; the 21 before it are
            only looked at for market impact.
        costs: Of every fill, and of holding.
        rules: What may be traded.
        dividends: As long as the panel: cash per new share.
        splits: As long as the panel: new shares for one old.
        ended: Whether this is a symbol's last bar for good; its position is then closed at the
            close.
        is_compiled: Whether machine code does it, which first has to be loaded, or made; the
            Python it is made from does the same, bit for bit.

    Raises:
        BadDataError: Where the panel is of other symbols, or a price is not positive.
    """
    _check_symbols(account, panel)
    first = max(0, panel.close.shape[0] - WINDOW_SESSIONS - 2)
    history = panel.between(first, panel.close.shape[0])
    dividends, splits = _rows(dividends, first), _rows(splits, first)
    check_bars(history)
    check_actions(history.close.shape, dividends=dividends, splits=splits)
    bars = bars_of(
        history,
        volatility=known_volatility(history, costs, splits=splits),
        dividends=dividends,
        splits=splits,
    )
    terms = terms_of(costs, rules, periods_per_year=panel.periods_per_year)
    world = _world(account, cast("RecordArray", bars[-1:]), terms)
    if ended is not None:
        cast("RecordArray", world.positions)["last"] = np.where(ended, 0, -1)
    world = lived(world, shift=account.sessions, is_compiled=is_compiled)
    outcomes = _reported(world)
    ignored = np.zeros((0, 2), dtype=np.int64)
    return Step(
        account=compressed(replace(_after(account, world), sessions=account.sessions + 1)),
        session=simulation_of(
            world,
            capital=account.equity,
            ignored=ignored,
            splits=None if splits is None else splits[-1:],
        ),
        outcomes=outcomes,
    )


def decide(
    account: Account,
    *,
    rules: TradingRules,
    target_weights: FloatArray | None = None,
    orders: Sequence[OrderIntent] = (),
    is_compiled: bool = True,
) -> Account:
    """Hand in what was decided at the close of the newest session.

    Args:
        account: After that close.
        rules: What may be traded.
        target_weights: N signed fractions of equity; NaN leaves a position alone.
        orders: Whose `row` is the number of that session, `account.sessions - 1`.
        is_compiled: See `step`.

    Raises:
        BadDataError: Where weights are not allowed.
        ParameterError: Naming what is not allowed about an order.
    """
    from slices.quant.simulation.interpreting import take_decisions_plainly
    from slices.quant.simulation.session import take_decisions

    symbols, now = len(account.symbols), account.sessions - 1
    for intent in orders:
        _check_row(intent, now)
        check_order(intent, sessions=account.sessions, symbols=symbols, rules=rules)
    targets = None
    if target_weights is not None:
        targets = np.ascontiguousarray(target_weights, dtype=np.float64).reshape(1, -1)
        checked_targets(targets, (1, symbols), gross=rules.gross_exposure)
    book = _joined(account.book, book_of(orders, first=account.orders))
    world = _world(replace(account, book=book), blank(BAR, 1, symbols), NO_TERMS, targets)
    world.purse[0].taken = account.book.size
    (take_decisions if is_compiled else take_decisions_plainly)(0, now, world)
    return replace(_after(account, world), orders=account.orders + len(orders))


def _check_row(intent: OrderIntent, now: int) -> None:
    if intent.row != now:
        raise ParameterError(
            parameter="row", found=str(intent.row), allowed=f"{now}, the newest session"
        )


def _check_symbols(account: Account, panel: Panel) -> None:
    if panel.symbols != account.symbols:
        raise BadDataError(
            dataset="bars",
            problem=f"found symbols {listed(panel.symbols)}; "
            f"needed those of the account: {listed(account.symbols)}",
        )


def _rows(values: FloatArray | None, first: int) -> FloatArray | None:
    return None if values is None else values[first:]


def _joined(older: np.ndarray, newer: np.ndarray) -> RecordArray:
    book = blank(ORDER, older.size + newer.size)
    book[: older.size], book[older.size :] = older, newer
    return book


def _world(
    account: Account, bars: RecordArray, terms: Terms, targets: FloatArray | None = None
) -> World:
    """Put an account into a world of its own, so that nothing of the account changes."""
    purse, positions = opened(len(account.symbols), account.cash)
    positions[:] = account.positions
    purse["taken"], purse["alive"] = account.book.size, account.alive
    purse["ruined"], purse["written_off"] = account.ruined_row, account.written_off
    return world_of(
        bars,
        terms,
        purse=purse,
        positions=positions,
        book=_joined(account.book, blank(ORDER, 0)),
        targets=targets,
    )


def _after(account: Account, world: World) -> Account:
    return replace(
        account,
        cash=world.purse[0].cash,
        positions=cast("RecordArray", world.positions),
        book=cast("RecordArray", world.book),
        alive=world.purse[0].alive,
        ruined_row=int(world.purse[0].ruined),
        written_off=float(world.purse[0].written_off),
    )


def _reported(world: World) -> tuple[tuple[int, OrderOutcome], ...]:
    """Tell of every order that has ended since the last time."""
    book = cast("RecordArray", world.book)
    is_new = (book["status"] != 0) & ~book["reported"]
    numbers = np.sort(book["number"][is_new]).tolist()
    told = tuple(zip(numbers, outcomes_of(book[is_new]), strict=True))
    book["reported"] |= is_new
    return told
