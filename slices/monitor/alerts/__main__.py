"""Prints the rules as Markdown: `python -m slices.monitor.alerts`."""

from __future__ import annotations

import sys

from slices.monitor.alerts.table import rules_table

if __name__ == "__main__":
    sys.stdout.write(rules_table())
