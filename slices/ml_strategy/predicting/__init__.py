"""From scores to probabilities, intervals and weights, and the reasons to say nothing."""
