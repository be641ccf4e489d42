"""Which sessions a model may learn from before it is tested on others."""
