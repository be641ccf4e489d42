"""Which strategy now: a classifier over regimes and recent performance, judged by regret."""
