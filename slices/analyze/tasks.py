"""The analyses flows can order."""

from slices.analyze import holdings, structure
from slices.runtime.kinds import compute

holdings_risk = compute(holdings.holdings_risk)
diversification = compute(structure.diversification)
