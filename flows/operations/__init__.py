"""Watching the system and showing what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.operations.summary import Dashboard


def get_dashboard() -> Dashboard:
    """Return the state of the system: a notebook shows it, `generate_summary()` is its text.

    It is what the watch measured last. Where none runs, the system is measured on the spot.
    """
    from flows.operations.summary import current_dashboard

    return current_dashboard()
