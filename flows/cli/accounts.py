"""`tradeflows accounts`: what there is, without a server."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flows.cli.books import has_ledger, opened_ledger
from flows.cli.exits import Exit
from flows.cli.output import print_json, print_line
from slices.domain.accounts import TradingMode
from slices.ledger.accounts import account_names, read_book

if TYPE_CHECKING:
    from slices.domain.accounts import AccountBook


@dataclass(frozen=True, kw_only=True)
class AccountLine:
    """One account, as far as a line can say it; money in account currency, exact."""

    account: str
    mode: str
    session: str
    equity: str
    cash: str
    positions: int
    open_orders: int
    drawdown: float
    state: str
    reason: str


def account_lines() -> tuple[AccountLine, ...]:
    """List the accounts of all ledgers there are."""
    lines = []
    for mode in TradingMode:
        if has_ledger(mode):
            with opened_ledger(mode) as ledger:
                names = account_names(ledger)
                lines += [_line(read_book(ledger, each, curve=False)) for each in names]
    return tuple(lines)


def _line(book: AccountBook) -> AccountLine:
    return AccountLine(
        account=book.name,
        mode=book.mode,
        session=str(book.session or book.opened),
        equity=f"{book.equity:.2f}",
        cash=f"{book.cash:.2f}",
        positions=len(book.positions),
        open_orders=len(book.open_orders),
        drawdown=round(book.drawdown, 6),
        state=book.state,
        reason=book.state_reason,
    )


def show_accounts(*, as_json: bool) -> Exit:
    """Print the accounts there are."""
    lines = account_lines()
    if as_json:
        print_json([asdict(each) for each in lines])
        return Exit.OK
    if not lines:
        print_line("no accounts yet; paper_trading opens one: tradeflows run paper_trading --help")
        return Exit.OK
    print_line(
        f"{'account':<16} {'mode':<6} {'session':<10} {'equity':>16} {'cash':>16}"
        f" {'positions':>9} {'drawdown':>9}  state"
    )
    for each in lines:
        why = f" ({each.reason})" if each.reason else ""
        print_line(
            f"{each.account:<16} {each.mode:<6} {each.session:<10} {float(each.equity):>16,.2f}"
            f" {float(each.cash):>16,.2f} {each.positions:>9} {each.drawdown:>8.1%}  "
            f"{each.state}{why}"
        )
    return Exit.OK
