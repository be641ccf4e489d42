"""Bars from the outside world: sources, validation, storage, adjustment and freshness.

`tasks` is the menu for flows. Everything that enters is checked; what fails a check is set aside
with its reason; nothing is repaired, filled or made up.
"""
