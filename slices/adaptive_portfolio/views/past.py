"""The past of forecasts as tables and charts: accounts side by side, tests, what was believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.adaptive_portfolio.views.comparing import CLEAR, is_worth_having, verdict_sentence
from slices.domain.numbers import written
from slices.domain.report import LineChart, Note, Section, Series, Table, Tone, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slices.domain.backtests import Backtest
    from slices.domain.view_portfolio import Belief, RivalTest

EQUITY = "view-equity"


def past_section(tested: Sequence[Backtest], tests: tuple[RivalTest, ...]) -> Section:
    """Show what the same decisions made through history, beside those of others."""
    own = tested[0]
    tone = Tone.GOOD if is_worth_having(tests) else Tone.WARNING
    verdict = Note(text=verdict_sentence(tested, tests), tone=tone)
    return Section(
        title="Did forecasts pay?",
        intro=(
            f"From {own.sessions[0]} to {own.sessions[-1]} the same rule decided by scores that "
            "models gave to sessions they had not been trained on, and by what was known of their "
            "worth at each session. All accounts decide at the same closes, trade at the next "
            "session and pay the same costs. What forecasts add is the difference from the same "
            "rule without them: a rule that trades little lets winners grow, which alone beats "
            "equal weights among symbols that are known to have survived. Which kind of model is "
            "trained was settled with a view of these sessions, so the past is the better side of "
            "the truth."
        ),
        blocks=(verdict, equity_chart(tested), account_table(tested), rival_table(tests)),
    )


def equity_chart(tested: Sequence[Backtest]) -> LineChart:
    """Draw all accounts."""
    return LineChart(
        key=EQUITY,
        title="Account value",
        series=tuple(Series(name=e.label, x=e.sessions, y=e.equity) for e in tested),
        y_unit=Unit.MONEY,
        log_scale=True,
        caption="Net of costs, on a logarithmic scale.",
    )


def account_table(tested: Sequence[Backtest]) -> Table:
    """List what each account made and risked."""
    return Table(
        key="view-accounts",
        title="Accounts side by side",
        columns=(
            "Weights", "Return a year", "Volatility", "Sharpe ratio", "Largest drawdown",
            "Turnover a year", "Costs a year",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION, Unit.FRACTION,
            Unit.FRACTION,
        ),
        rows=tuple(
            (
                each.label,
                each.performance.annualized_return,
                each.performance.annualized_volatility,
                each.performance.sharpe_ratio,
                each.performance.max_drawdown,
                each.annual_turnover,
                annual_costs(each),
            )
            for each in tested
        ),
        caption="Turnover is one-way; costs are of the mean equity.",
        best=("", "high", "low", "high", "low", "low", "low"),
    )  # fmt: skip


def annual_costs(tested: Backtest) -> float:
    """Return costs a year over the mean equity."""
    years = (tested.lived - 1) / tested.periods_per_year
    mean = sum(tested.equity[: tested.lived]) / tested.lived
    return tested.costs.total / years / mean


def rival_table(tests: tuple[RivalTest, ...]) -> Table:
    """List how the forecasts' account differs from each other, and how sure that is."""
    differences = [(each.rival, each.difference) for each in tests]
    return Table(
        key="view-tests",
        title="With forecasts, against",
        columns=(
            "Rival", "Sharpe difference", "Interval from", "to", "p-value", "t-statistic",
            "Return difference", "its t-statistic", "Told apart",
        ),
        units=(
            Unit.TEXT, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.RATIO, Unit.FRACTION,
            Unit.RATIO, Unit.TEXT,
        ),
        rows=tuple(
            (
                rival, each.sharpe_difference, each.low, each.high, each.p_value, each.t_statistic,
                each.return_difference, each.return_t, "yes" if each.is_significant else "no",
            )
            for rival, each in differences
        ),
        caption=(
            f"Both accounts resampled together in blocks (Politis, Romano); the interval holds "
            f"{written(CLEAR, Unit.FRACTION)}. The t-statistic of the Sharpe difference is Ledoit "
            "and Wolf's; differences are per year."
        ),
    )  # fmt: skip


def belief_section(beliefs: tuple[Belief, ...]) -> Section:
    """Show what was measured and what was believed at every past decision."""
    silent = sum(not each.believed > 0 for each in beliefs)
    return Section(
        title="How far the model was believed",
        intro=(
            f"At each of {len(beliefs):,} decisions the coefficient is the mean over all sessions "
            "whose outcomes were known by then. What is believed is that mean times 1 − 1 / t²; "
            f"{silent:,} times it was nothing, and the prior was held."
        ),
        blocks=(belief_chart(beliefs),),
    )


def belief_chart(beliefs: tuple[Belief, ...]) -> LineChart:
    """Draw the measured coefficient with two errors on both sides, and what was believed."""
    known = [each for each in beliefs if each.standard_error == each.standard_error]
    sessions = tuple(each.session for each in known)

    def line(name: str, errors: float) -> Series:
        values = (e.information_coefficient + errors * e.standard_error for e in known)
        return Series(name=name, x=sessions, y=tuple(values))

    return LineChart(
        key="beliefs",
        title="Information coefficient by what was known",
        series=(
            line("Measured", 0.0),
            Series(name="Believed", x=sessions, y=tuple(each.believed for each in known)),
            line("Two errors below", -2.0),
            line("Two errors above", 2.0),
        ),
        y_unit=Unit.RATIO,
        y_label="rank correlation",
        caption="Where the band holds 0, the scores are not shown to tell anything.",
    )
