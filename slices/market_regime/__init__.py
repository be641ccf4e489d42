"""Which state a market is in, and how long such states last."""
