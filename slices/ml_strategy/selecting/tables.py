"""Tables and charts of a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slices.domain.report import BarChart, LineChart, Series, Table, Unit
from slices.domain.selection_parameters import SelectionModel, SelectionRule
from slices.ml_strategy.selecting.wording import (
    OUTCOMES,
    model_label,
    regime_words,
    settings_text,
    span_text,
    title,
)

if TYPE_CHECKING:
    from slices.domain.report import Cell
    from slices.domain.strategy_selection import (
        Activation,
        DecidedPeriod,
        SelectionDecision,
        SelectionEvidence,
        SelectionTuning,
    )

ACCOUNTS = "accounts"
NEWEST_DECISIONS = 12


def probability_chart(evidence: SelectionEvidence) -> BarChart:
    """Draw what both classifiers say at the newest session, the most probable one first."""
    ordered = sorted(evidence.tallies, key=lambda each: -each.probability)
    rival = next(each for each in SelectionModel if each is not evidence.model)
    return BarChart(
        key="probabilities",
        title="Probability of being the best of the next period",
        categories=tuple(title(each.strategy) for each in ordered),
        groups=(
            (_upper(model_label(evidence.model)), tuple(each.probability for each in ordered)),
            (_upper(model_label(rival)), tuple(each.rival_probability for each in ordered)),
        ),
        unit=Unit.FRACTION,
        caption=f"Choosing blindly is right with a probability of {evidence.chance:.1%}.",
    )


def regime_chart(evidence: SelectionEvidence) -> BarChart:
    """Draw the probability of every regime at the newest session."""
    return BarChart(
        key="regimes",
        title="The market's regime",
        categories=tuple(regime_words(name) for name, _ in evidence.regime_probabilities),
        groups=(("Probability", tuple(chance for _, chance in evidence.regime_probabilities)),),
        unit=Unit.FRACTION,
        caption="Filtered: by models fitted to the past alone.",
    )


def decision_table(decision: SelectionDecision, activation: Activation) -> Table:
    """Say what is traded from now on."""
    before = activation.before
    chosen = "Nothing new" if decision.strategy is None else title(decision.strategy)
    rows = (
        ("Strategy", chosen),
        ("Parameters", settings_text(decision.parameters) or "none to set"),
        ("Why", decision.reason),
        ("Stored", OUTCOMES[activation.outcome]),
        (
            "Before",
            "nothing"
            if before is None
            else f"{title(before.strategy)} ({settings_text(before.parameters)}), chosen on "
            f"{before.session}",
        ),
    )
    return Table(
        key="decision",
        title=f"The choice of {decision.session}",
        columns=("What", "Answer"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=rows,
        caption="It holds from that close on, until a newer choice takes its place.",
    )


def account_chart(evidence: SelectionEvidence) -> LineChart:
    """Draw the accounts of all ways of choosing but perfect foresight, which would dwarf them."""
    shown = [each for each in evidence.rules if each.rule is not SelectionRule.FORESIGHT]
    return LineChart(
        key=ACCOUNTS,
        title="What each way of choosing made out of sample",
        series=tuple(Series(name=each.label, x=each.sessions, y=each.equity) for each in shown),
        y_unit=Unit.MONEY,
        y_label="account value",
        caption="Net of costs, those of switching included; not at equal risk.",
        log_scale=True,
    )


def result_table(evidence: SelectionEvidence) -> Table:
    """Show what the account of every way of choosing made."""
    return Table(
        key="results",
        title="The accounts",
        columns=(
            "Choosing", "Return a year", "Volatility a year", "Sharpe", "Drawdown",
            "Turnover a year", "Switches",
        ),
        units=(
            Unit.TEXT, Unit.FRACTION, Unit.FRACTION, Unit.RATIO, Unit.FRACTION, Unit.RATIO,
            Unit.COUNT,
        ),
        rows=tuple(
            (
                each.label, each.performance.annualized_return,
                each.performance.annualized_volatility, each.performance.sharpe_ratio,
                each.performance.max_drawdown, each.annual_turnover, each.switches,
            )
            for each in evidence.rules
        ),
        caption="Net of costs. The last two rows know the future: nobody can trade them. Turnover "
        "is one-way, in multiples of the account.",
    )  # fmt: skip


def regret_table(evidence: SelectionEvidence) -> Table:
    """Set the ways of choosing against the best in hindsight and the mix, at equal risk."""
    return Table(
        key="regret",
        title="Regret, and what was gained over the mix",
        columns=(
            "Choosing", "Regret a year", "95 % interval", "Over the mix a year", "95 % interval ",
            "t",
        ),
        units=(Unit.TEXT, Unit.FRACTION, Unit.TEXT, Unit.FRACTION, Unit.TEXT, Unit.RATIO),
        rows=tuple(
            (
                each.label, each.regret.value, span_text(each.regret), each.excess.value,
                span_text(each.excess), each.excess.t_statistic,
            )
            for each in evidence.rules
        ),
        caption=(
            "Regret is what the best single strategy in hindsight made more. Both differences are "
            "at the volatility of the equal mix; intervals of the stationary bootstrap, "
            "t-statistics with Newey-West errors."
        ),
    )  # fmt: skip


def tally_table(evidence: SelectionEvidence) -> Table:
    """Show for every strategy how often it was chosen, was the best, and was both."""
    ordered = sorted(evidence.tallies, key=lambda each: -each.best)
    return Table(
        key="hits",
        title="Was the best one chosen?",
        columns=(
            "Strategy", "Chosen", "Was the best", "Both", "Right when chosen", "Probability now",
            "Sharpe so far",
        ),
        units=(
            Unit.TEXT, Unit.COUNT, Unit.COUNT, Unit.COUNT, Unit.FRACTION, Unit.FRACTION,
            Unit.RATIO,
        ),
        rows=tuple(
            (
                title(each.strategy), each.chosen, each.best, each.right,
                each.right / each.chosen if each.chosen else None, each.probability,
                each.sharpe_ratio,
            )
            for each in ordered
        ),
        caption=f"Over {evidence.known:,} decisions out of sample whose outcome is known. Best is "
        "the most return for its risk over the period.",
    )  # fmt: skip


def newest_table(evidence: SelectionEvidence) -> Table:
    """Show the newest decisions, what was chosen and what would have been best."""
    newest = evidence.decisions[: -NEWEST_DECISIONS - 1 : -1]
    return Table(
        key="decisions",
        title="The newest decisions",
        columns=(
            "Session", "Regime", "Chosen by the model", "Probability", "Best afterwards", "Rank",
            "Return", "Return of the best", "Mean return",
        ),
        units=(
            Unit.TEXT, Unit.TEXT, Unit.TEXT, Unit.FRACTION, Unit.TEXT, Unit.COUNT,
            Unit.FRACTION, Unit.FRACTION, Unit.FRACTION,
        ),
        rows=tuple(_decided(each) for each in newest),
        caption="Returns of the strategies' own accounts over the period; best and rank are by "
        "return for risk. A period is over one session after the next decision.",
    )  # fmt: skip


def _decided(each: DecidedPeriod) -> tuple[Cell, ...]:
    best = "not over yet" if each.best is None else title(each.best)
    return (
        str(each.session), regime_words(each.regime), title(each.chosen), each.probability, best,
        each.rank or None, each.chosen_return, each.best_return, each.mean_return,
    )  # fmt: skip


def tuning_table(tuning: SelectionTuning, decision: SelectionDecision) -> Table:
    """Show what the search of the chosen strategy's parameters found."""
    found = settings_text(tuning.found) or "no plateau"
    return Table(
        key="tuning",
        title="Its parameters",
        columns=("What", "Answer"),
        units=(Unit.TEXT, Unit.TEXT),
        rows=(
            ("Traded", settings_text(decision.parameters)),
            ("Centre of the plateau", found),
            ("Trials", f"{tuning.trials:,}"),
            ("Highest Sharpe ratio among them", f"{tuning.best_sharpe:.2f}"),
            ("Deflated for the trials", f"{tuning.deflated_sharpe_ratio:.1%}"),
        ),
        caption=f"{tuning.reason} The search saw sessions up to the decision alone.",
    )


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
