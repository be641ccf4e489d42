"""The strategy catalogue: small pure functions from panels to signals in [-1, 1]."""
