"""Allocators: functions from covariance, expected returns or returns to weights within bounds.

Modules that compile are imported by the functions that need them, so this package stays light.
"""
