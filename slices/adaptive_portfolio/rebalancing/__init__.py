"""Bringing an account back to its target weights."""
