"""Tables of a backtest, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.report import Table, Unit

if TYPE_CHECKING:
    from slices.domain.backtests import Backtest, Trade
    from slices.domain.report import Cell
    from slices.domain.tearsheets import Tearsheet

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEWEST_TRADES = 50
"""How many trades a page lists; a rule that trades daily makes thousands."""


def performance_table(tested: Backtest) -> Table:
    """Compare the account with its benchmark."""
    both = ((tested.label, tested.performance), (tested.benchmark, tested.benchmark_performance))
    return Table(
        key="performance",
        title="What it made",
        columns=(
            "", "Total return", "Return a year", "Volatility", "Sharpe", "Sortino", "Calmar",
            "Max drawdown", "Value at risk", "Expected shortfall", "Skew",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.RATIO,
            Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION, Unit.RATIO,
        ),
        rows=tuple(
            (
                name, each.total_return, each.annualized_return, each.annualized_volatility,
                each.sharpe_ratio, each.sortino_ratio, each.calmar_ratio, each.max_drawdown,
                each.value_at_risk, each.expected_shortfall, each.skewness,
            )
            for name, each in both
        ),
        caption=(
            f"{tested.sessions[0]} to {tested.sessions[-1]}, {len(tested.sessions):,} sessions, "
            "net of costs. Value at risk and expected shortfall are losses of one session at 95 % "
            "confidence; ratios are over a risk-free rate of 0."
        ),
        best=("", "high", "high", "low", "high", "high", "high", "low", "low", "low", ""),
    )  # fmt: skip


def relative_table(tested: Backtest, measured: Tearsheet) -> Table:
    """Say what the account did that its benchmark does not explain."""
    each = measured.relative
    return Table(
        key="relative",
        title="Against the benchmark",
        columns=(
            "Alpha a year", "Beta", "Correlation", "Return a year above", "Tracking error",
            "Information ratio", "Up capture", "Down capture",
        ),
        units=(
            Unit.FRACTION, Unit.RATIO, Unit.RATIO, Unit.FRACTION, Unit.FRACTION, Unit.RATIO,
            Unit.RATIO, Unit.RATIO,
        ),
        rows=(
            (
                each.alpha, each.beta, each.correlation, each.active_return, each.tracking_error,
                each.information_ratio, each.up_capture, each.down_capture,
            ),
        ),
        caption=f"The benchmark is {_lowered(tested.benchmark)}, bought once, net of its costs.",
    )  # fmt: skip


def _lowered(name: str) -> str:
    return name[:1].lower() + name[1:]


def monthly_table(measured: Tearsheet) -> Table:
    """Lay out the returns of every month, a row per year, the benchmark's year at the end."""
    benchmark = {each.year: each.total for each in measured.benchmark_years}
    return Table(
        key="months",
        title="Returns by month",
        columns=("Year", *MONTHS, "Year", "Benchmark"),
        units=(Unit.TEXT, *(Unit.FRACTION for _ in MONTHS), Unit.FRACTION, Unit.FRACTION),
        rows=tuple(
            (str(each.year), *each.months, each.total, benchmark[each.year])
            for each in measured.years
        ),
        caption="Net of costs. The first and the last year are those parts of them there are.",
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
        columns=(
            "Window", "From the close of", "To", "Return", "Drawdown", "Benchmark",
            "Benchmark drawdown",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.name, str(each.first_session), str(each.last_session), each.total_return,
                each.max_drawdown, each.benchmark_return, each.benchmark_max_drawdown,
            )
            for each in measured.stress
        ),
        caption="Named windows from the high to the low of the S&P 500; only those that lie "
        f"between {tested.sessions[0]} and {tested.sessions[-1]}.",
    )  # fmt: skip


def round_trip_table(measured: Tearsheet) -> Table:
    """Summarise the closed trades."""
    each = measured.round_trips
    rows: tuple[tuple[Cell, Cell], ...] = (
        ("Hit rate", each.hit_rate),
        ("Average return of a trade", each.average_return),
        ("Average win", each.average_win),
        ("Average loss", each.average_loss),
        ("Best trade", each.best),
        ("Worst trade", each.worst),
    )
    return Table(
        key="round-trips",
        title=f"{each.count:,} closed trades",
        columns=("", "Of the notional at entry"),
        units=(Unit.TEXT, Unit.FRACTION),
        rows=rows,
        caption=(
            f"Net of costs. Money gained over money lost: {_number(each.profit_factor)}; average "
            f"win over average loss: {_number(each.payoff_ratio)}; held for "
            f"{_number(each.average_sessions_held)} sessions on average; at most "
            f"{each.longest_losing_streak} losing trades in a row."
        ),
    )


def _number(value: float) -> str:
    from slices.domain.numbers import written

    return written(value, Unit.RATIO)


def cost_table(tested: Backtest, measured: Tearsheet) -> Table:
    """Attribute what trading and holding cost."""
    costs = tested.costs
    rows = (
        ("Commission", costs.commission),
        ("Spread", costs.spread),
        ("Market impact", costs.impact),
        ("Borrow fees", costs.borrow_fees),
        ("All costs", costs.total),
        ("Interest earned", costs.interest),
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
    """List the newest closed trades and those that are open."""
    shown = (*tested.open_trades, *reversed(tested.trades))[:NEWEST_TRADES]
    total = len(tested.trades) + len(tested.open_trades)
    return Table(
        key="trades",
        title="Trades, newest first",
        columns=(
            "Symbol", "Side", "Entry", "Exit", "Sessions", "Shares", "Entry price", "Exit price",
            "Gain", "Costs", "Return",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.SESSIONS, Unit.RATIO, Unit.RATIO,
            Unit.RATIO, Unit.MONEY, Unit.MONEY, Unit.FRACTION,
        ),
        rows=tuple(_trade_row(each) for each in shown),
        caption=f"{len(shown):,} of {total:,}; an open one is valued at the last mark.",
    )  # fmt: skip


def _trade_row(each: Trade) -> tuple[Cell, ...]:
    return (
        each.symbol,
        "long" if each.is_long else "short",
        str(each.entry_session),
        str(each.exit_session) if each.exit_session else "open",
        each.sessions_held,
        each.quantity,
        each.entry_price,
        each.exit_price,
        each.pnl,
        each.costs,
        each.return_on_entry,
    )
