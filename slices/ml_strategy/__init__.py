"""Machine learning on bars: features, labels, honest validation, models and their registry."""
