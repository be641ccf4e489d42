"""Registered models: proven before they are read, changed in one step, and announced."""
