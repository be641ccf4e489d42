"""The sizing work flows can order."""

from slices.position_sizing import advice, sections
from slices.runtime.kinds import compute

size_advice = compute(advice.size_advice)
sizing_section = sections.sizing_section
