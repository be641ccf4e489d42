"""The portfolio work flows can order."""

from slices.adaptive_portfolio import allocators, evaluation, findings, frontier
from slices.runtime.kinds import compute

compared = allocators.compared
evaluate = compute(evaluation.evaluate, run_name="evaluate {allocator}")
efficient_frontier = compute(frontier.efficient_frontier)
portfolio_findings = compute(findings.portfolio_findings)
