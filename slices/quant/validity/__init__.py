"""Whether a backtest may be believed: statistics, the look-ahead probe and the verdict."""
