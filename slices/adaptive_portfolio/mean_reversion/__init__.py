"""Stretched prices: spreads, whether they come back, and when to take and let go of them."""
