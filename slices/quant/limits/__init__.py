"""Limits: what an order would lead to, and what speaks against it. Pure, exact, without I/O."""
