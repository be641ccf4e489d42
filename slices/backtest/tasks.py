"""The backtest work flows can order."""

from slices.backtest import (
    comparison,
    comparison_sections,
    findings,
    sections,
    selection,
    simulation,
    strategies,
)
from slices.runtime.kinds import compute

check_strategy = selection.check_strategy
choose_strategy = compute(selection.choose_strategy)
rivals = compute(selection.rivals)
backtest_choice = compute(strategies.backtest_choice)
backtest_strategy = compute(strategies.backtest_strategy)
backtest_targets = compute(simulation.backtest_targets)
compare_strategies = compute(comparison.compare_strategies)
tearsheet_sections = sections.tearsheet_sections
simple_backtest_findings = compute(findings.simple_backtest_findings)
quick_test_findings = compute(findings.quick_test_findings)
comparison_section = comparison_sections.comparison_section
