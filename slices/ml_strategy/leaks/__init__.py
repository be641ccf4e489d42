"""Features, labels and splits that carry the future, found by name."""
