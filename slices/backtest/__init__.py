"""Strategies simulated over history, with the evidence for and against believing them."""
