"""Tables of a backtest, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.numbers import written
from slices.domain.report import Table, Unit
from slices.domain.verdicts import over_cash

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest, Trade
    from slices.domain.portfolio import Performance
    from slices.domain.report import Cell
    from slices.domain.tearsheets import Tearsheet

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
THE_ACCOUNT = "The strategy"
"""What the account is called beside its benchmark, where its full name would not fit."""

NEWEST_TRADES = 50
"""How many trades a page lists; a rule that trades daily makes thousands."""


def performance_table(tested: Backtest) -> Table:
    """Compare what the account made with its benchmark."""
    return Table(
        key="performance",
        title="The account and its benchmark",
        columns=(
            "", "Total return", "Return a year", "Volatility", "Sharpe", "Sortino", "Calmar",
            "Max drawdown",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.RATIO,
            Unit.RATIO, Unit.FRACTION,
        ),
        rows=tuple(
            (
                name, each.total_return, each.annualized_return, each.annualized_volatility,
                each.sharpe_ratio, each.sortino_ratio, each.calmar_ratio, each.max_drawdown,
            )
            for name, each in _both(tested)
        ),
        caption=(
            f"{tested.sessions[0]} to {tested.sessions[-1]}, {len(tested.sessions):,} sessions, "
            f"net of costs; Sharpe and Sortino ratio are{_over(tested)}.{_until(tested)}"
        ),
        best=("", "high", "high", "low", "high", "high", "high", "low"),
    )  # fmt: skip


def _over(tested: Backtest) -> str:
    return over_cash(tested.verdict) or " over a risk-free rate of 0"


def _until(tested: Backtest) -> str:
    return f" Measures of the account end with its ruin on {tested.ruined}." * bool(tested.ruined)


def tail_table(tested: Backtest) -> Table:
    """Compare the shape of the returns with the benchmark's."""
    return Table(
        key="tails",
        title="Single sessions",
        columns=(
            "", "Value at risk", "Expected shortfall", "Skewness", "Excess kurtosis",
            "Sessions that gained", "Longest below a peak",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.RATIO, Unit.FRACTION,
            Unit.SESSIONS,
        ),
        rows=tuple(
            (
                name, each.value_at_risk, each.expected_shortfall, each.skewness,
                each.excess_kurtosis, each.hit_rate, each.max_drawdown_sessions,
            )
            for name, each in _both(tested)
        ),
        caption=(
            "Value at risk and expected shortfall are losses of one session at 95 % confidence, "
            "taken from the past as it was."
        ),
    )  # fmt: skip


def _both(tested: Backtest) -> tuple[tuple[str, Performance], ...]:
    return (
        (THE_ACCOUNT, tested.performance),
        (tested.benchmark, tested.benchmark_performance),
    )


def relative_table(tested: Backtest, measured: Tearsheet) -> Table:
    """Say what the account did that its benchmark does not explain."""
    each = measured.relative
    return Table(
        key="relative",
        title="Against the benchmark",
        columns=(
            "Alpha a year", "Beta", "Correlation", "Return a year above", "Tracking error",
            "Information ratio",
        ),
        units=(
            Unit.FRACTION, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.RATIO,
        ),
        rows=(
            (
                each.alpha, each.beta, each.correlation, each.active_return, each.tracking_error,
                each.information_ratio,
            ),
        ),
        caption=(
            "The benchmark buys the same symbols in equal weights when the account begins and "
            f"holds them, net of its costs.{_until(tested)}"
        ),
    )  # fmt: skip


def monthly_table(measured: Tearsheet) -> Table:
    """Lay out the returns of every month, a row per year.

    In percent, so that fourteen columns fit the width of a page.
    """
    return Table(
        key="months",
        title="Returns by month, in percent",
        columns=("", *MONTHS, "Year"),
        units=(Unit.TEXT, *(Unit.COUNT for _ in MONTHS), Unit.COUNT),
        rows=tuple(
            (
                str(each.year),
                *(month * 100.0 for month in each.months),
                each.total * 100.0,
            )
            for each in measured.years
        ),
        caption="Net of costs; a dash where there was no account yet, or no more.",
    )


def drawdown_table(measured: Tearsheet) -> Table:
    """List the deepest drawdowns."""
    return Table(
        key="drawdowns",
        title="Worst drawdowns",
        columns=("Depth", "Peak", "Trough", "Recovered", "Sessions", "To the trough"),
        units=(Unit.FRACTION, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.SESSIONS, Unit.SESSIONS),
        rows=tuple(
            (
                each.depth,
                str(each.peak),
                str(each.trough),
                str(each.recovery) if each.recovery else "not yet",
                each.sessions,
                each.sessions_to_trough,
            )
            for each in measured.worst_drawdowns
        ),
        caption="Sessions count from the peak to the recovery, or to the end of the history.",
    )


def stress_table(tested: Backtest, measured: Tearsheet) -> Table:
    """Show the bad times the history covers."""
    return Table(
        key="stress",
        title="Bad times",
        columns=("Window", "From the close of", "To", "Return", "Drawdown", "Benchmark"),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.name, str(each.first_session), str(each.last_session), each.total_return,
                each.max_drawdown, each.benchmark_return,
            )
            for each in measured.stress
        ),
        caption="Named windows from the high to the low of the S&P 500; only those that lie "
        f"between {tested.sessions[0]} and {tested.sessions[-1]}.",
    )  # fmt: skip


def round_trip_table(measured: Tearsheet) -> Table:
    """Summarise the closed trades."""
    each = measured.round_trips
    rows: tuple[tuple[str, float, Unit], ...] = (
        ("Closed trades", each.count, Unit.COUNT),
        ("Of them gained", each.hit_rate, Unit.FRACTION),
        ("Money gained over money lost", each.profit_factor, Unit.RATIO),
        ("Average win over average loss", each.payoff_ratio, Unit.RATIO),
        ("Average return on entry", each.average_return, Unit.FRACTION),
        ("Average win", each.average_win, Unit.FRACTION),
        ("Average loss", each.average_loss, Unit.FRACTION),
        ("Best", each.best, Unit.FRACTION),
        ("Worst", each.worst, Unit.FRACTION),
        ("Average holding time", each.average_sessions_held, Unit.SESSIONS),
        ("Most losing trades in a row", each.longest_losing_streak, Unit.COUNT),
        ("Gain of all", each.pnl, Unit.MONEY),
        ("Costs of all", each.costs, Unit.MONEY),
    )
    return Table(
        key="round-trips",
        title="Closed trades",
        columns=("", "Value"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=tuple((name, written(value, unit)) for name, value, unit in rows),
        caption=(
            "Net of the costs of their fills; borrow fees and interest are the account's. Wins and "
            "losses are fractions of the notional at entry."
        ),
    )


def cost_table(tested: Backtest, measured: Tearsheet) -> Table:
    """Attribute what trading and holding cost."""
    costs = tested.costs
    rows = (
        ("Commission", costs.commission),
        ("Spread", costs.spread),
        ("Market impact", costs.impact),
        ("Borrow fees", costs.borrow_fees),
        ("All costs", costs.total),
        ("Interest earned, less paid", costs.interest),
        ("Dividends", costs.dividends),
    )
    return Table(
        key="costs",
        title="What trading cost",
        columns=("", "Money", "Of the capital"),
        units=(Unit.TEXT, Unit.MONEY, Unit.FRACTION),
        rows=tuple((name, value, value / tested.capital) for name, value in rows if value),
        caption=(
            f"{measured.annual_costs * 1e4:,.0f} bps of the average account value a year, at a "
            f"one-way turnover of {tested.annual_turnover:,.1f} times the account a year."
        ),
    )


def trade_table(tested: Backtest) -> Table:
    """List the open trades and the newest closed ones."""
    shown = (*tested.open_trades, *reversed(tested.trades))[:NEWEST_TRADES]
    total = len(tested.trades) + len(tested.open_trades)
    return Table(
        key="trades",
        title="Trades, newest first",
        columns=(
            "Symbol", "Entry", "Exit", "Sessions", "Shares", "Entry price", "Exit price", "Gain",
            "Return",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.SESSIONS, Unit.RATIO, Unit.MONEY, Unit.MONEY,
            Unit.MONEY, Unit.FRACTION,
        ),
        rows=tuple(_trade_row(each) for each in shown),
        caption=f"{len(shown):,} of {total:,}, net of costs; an open one is valued at the last "
        "mark. Prices are averages of the fills, adjusted as the data is.",
    )  # fmt: skip


def _trade_row(each: Trade) -> tuple[Cell, ...]:
    return (
        each.symbol if each.is_long else f"{each.symbol}, short",
        str(each.entry_session),
        str(each.exit_session) if each.exit_session else "open",
        each.sessions_held,
        each.quantity,
        each.entry_price,
        each.exit_price,
        each.pnl,
        each.return_on_entry,
    )
