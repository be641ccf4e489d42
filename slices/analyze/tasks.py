"""The analyses flows can order."""

from slices.analyze import full, holdings, market, overview, sections, structure, symbols
from slices.runtime.kinds import compute

holdings_risk = compute(holdings.holdings_risk)
diversification = compute(structure.diversification)
market_structure = compute(market.market_structure)
symbol_batches = symbols.symbol_batches
analyse_symbols = compute(symbols.analyse_symbols, run_name="analyse from {symbols[0]}")
overview_section = sections.overview_section
symbol_sections = sections.symbol_sections
structure_overview = compute(overview.structure_overview)
full_findings = compute(full.full_findings)
seen_sections = overview.seen_sections
