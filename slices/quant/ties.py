"""When two numbers count as equal."""

TIE = 1e-12
"""Two values this close, as a fraction of their size, are equal; no state changes on a tie.

Averages of prices with three decimals are exactly equal now and then; without a tolerance, rounding
in the last bit would decide whether that is a trade.
"""
