"""Watching the system and showing what was measured."""
