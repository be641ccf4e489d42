"""Watching the stops of an account's positions, and leaving where one is hit."""
