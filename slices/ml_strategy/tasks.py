"""The learning work flows can order."""
