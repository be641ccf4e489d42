"""The portfolio work flows can order."""

from slices.adaptive_portfolio import (
    allocators,
    ensemble_report,
    ensembles,
    evaluation,
    findings,
    frontier,
    pausing,
    protection,
    protection_findings,
    protection_plan,
    risk_findings,
    risk_watch,
)
from slices.adaptive_portfolio.mean_reversion import findings as reversion_findings
from slices.adaptive_portfolio.mean_reversion import judging, spreads
from slices.adaptive_portfolio.mean_reversion import walk as reversion
from slices.adaptive_portfolio.momentum import decay, scores
from slices.adaptive_portfolio.momentum import findings as winner_findings
from slices.adaptive_portfolio.momentum import walk as momentum
from slices.adaptive_portfolio.rebalancing import findings as rebalance_findings
from slices.adaptive_portfolio.rebalancing import targets, weighing
from slices.adaptive_portfolio.risk_parity import findings as parity_findings
from slices.adaptive_portfolio.risk_parity import fit
from slices.adaptive_portfolio.risk_parity import walk as parity
from slices.adaptive_portfolio.stops import findings as stop_findings
from slices.adaptive_portfolio.stops import keeping, watching
from slices.adaptive_portfolio.views import deciding, planning
from slices.adaptive_portfolio.views import findings as view_findings
from slices.adaptive_portfolio.views import risk as view_risk
from slices.adaptive_portfolio.views import walk as views
from slices.domain.alerts import Level, TradingPaused
from slices.domain.protection import Pause
from slices.domain.risk_monitoring import RiskWatch
from slices.runtime.events import emit
from slices.runtime.kinds import act, compute

compared = allocators.compared
evaluate = compute(evaluation.evaluate, run_name="evaluate {allocator}")
efficient_frontier = compute(frontier.efficient_frontier)
portfolio_findings = compute(findings.portfolio_findings)

ESTIMATORS = fit.ESTIMATORS
parity_rule = fit.ParityRule
equal_risk = compute(parity.equal_risk)
evaluate_estimator = compute(parity.evaluate_estimator, run_name="evaluate {estimator}")
risk_parity_targets = compute(parity.risk_parity_targets)
risk_parity_findings = compute(parity_findings.risk_parity_findings)

momentum_rule = scores.MomentumRule
score_decay = compute(decay.score_decay)
walk_momentum = compute(momentum.walk_momentum)
momentum_findings = compute(winner_findings.momentum_findings)

reversion_rule = spreads.ReversionRule
reversion_evidence = compute(judging.reversion_evidence)
walk_reversion = compute(reversion.walk_reversion)
mean_reversion_findings = compute(reversion_findings.mean_reversion_findings)

strategy_sleeve = compute(ensembles.strategy_sleeve, run_name="trade {name}")
combine = compute(ensembles.combine)
check_members = ensembles.check_members
targets_of = ensembles.targets_of
chosen_of = ensembles.chosen_of
ensemble_findings = compute(ensemble_report.ensemble_findings)

newest_release = act(pausing.newest_release)
assess_protection = compute(protection.assess_protection)
pause_trading = act(pausing.pause_trading)
halt_trading = act(pausing.halt_trading)
to_withdraw = pausing.to_withdraw
plan_reduction = protection_plan.plan_reduction
drawdown_protection_findings = compute(protection_findings.drawdown_protection_findings)


def announce_pauses(*pauses: Pause) -> tuple[Pause, ...]:
    """Send an event for every change of state that was written, and return all of them."""
    for each in pauses:
        if each.is_new:
            emit(
                TradingPaused(
                    subject=each.account,
                    level=Level.CRITICAL if each.is_halt else Level.ERROR,
                    message=f"{each.account}: {each.after.value}, {each.reason}",
                    state=each.after.value,
                    session=str(each.session or ""),
                )
            )
    return pauses


watch_account = compute(risk_watch.watch_account)
risk_monitoring_findings = compute(risk_findings.risk_monitoring_findings)


def announce_breaches(watch: RiskWatch, *, mode: str) -> int:
    """Send an event for every limit the account is beyond, once for each limit and session.

    Returns:
        How many were sent now.
    """
    return sum(risk_watch.announce_once(watch, each, mode=mode) for each in watch.breached)


rebalance_targets = compute(targets.rebalance_targets)
plan_rebalance = compute(weighing.plan_rebalance)
nothing_to_place = rebalance_findings.nothing_to_place
portfolio_rebalance_findings = compute(rebalance_findings.portfolio_rebalance_findings)

keep_stops = act(keeping.keep_stops)
watch_stops = compute(watching.watch_stops)
record_triggers = act(keeping.record_triggers)
stop_loss_findings = compute(stop_findings.stop_loss_findings)

measure_risk = compute(view_risk.measure_risk)
optimise_views = compute(deciding.optimise_views)
plan_views = compute(planning.plan_views)
walk_views = compute(views.walk_views)
ml_portfolio_findings = compute(view_findings.ml_portfolio_findings)
