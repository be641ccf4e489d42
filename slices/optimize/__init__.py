"""Searching parameters, and telling what the search found from luck."""
