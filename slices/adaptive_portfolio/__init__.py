"""Weights: allocators, their walk-forward evaluation, and the efficient frontier."""
