"""Training as a whole: the best candidate, its tracked run, and whether it may trade."""
