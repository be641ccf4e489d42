"""The sizing work flows can order."""

from slices.position_sizing import (
    advice,
    checking,
    positions,
    sections,
    sizing_findings,
    trade,
    trade_findings,
)
from slices.runtime.kinds import act, compute

size_advice = compute(advice.size_advice)
sizing_section = sections.sizing_section
terms_of = positions.terms_of
size_positions = compute(positions.size_positions)
position_sizing_findings = compute(sizing_findings.position_sizing_findings)
universe = trade.universe
check_rules_fit = trade.check_rules_fit
trade_risk = compute(trade.trade_risk)
propose_trade = compute(trade.propose_trade)
nothing_placed = checking.nothing_placed
first_check = act(checking.first_check)
risk_adjusted_findings = compute(trade_findings.risk_adjusted_findings)
