"""How good scores were where nothing was known, and whether that can be believed."""
