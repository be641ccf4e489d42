"""The regime work flows can order."""

from slices.market_regime import overview, regimes, sections
from slices.runtime.kinds import compute

market_regime = compute(regimes.market_regime)
symbol_regimes = compute(regimes.symbol_regimes)
regime_section = sections.regime_section
regime_table = sections.regime_table
market_overview = compute(overview.market_overview)
regime_sections = overview.regime_sections
