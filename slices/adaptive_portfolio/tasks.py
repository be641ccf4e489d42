"""The portfolio work flows can order."""

from slices.adaptive_portfolio import evaluation, findings, frontier
from slices.runtime.kinds import compute

evaluate = compute(evaluation.evaluate, run_name="evaluate {allocator}")
efficient_frontier = compute(frontier.efficient_frontier)
portfolio_findings = compute(findings.portfolio_findings)
