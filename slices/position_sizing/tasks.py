"""The sizing work flows can order."""

from slices.position_sizing import advice
from slices.runtime.kinds import compute

size_advice = compute(advice.size_advice)
