"""Prints the table of metrics: `python -m slices.monitor.metrics`."""

from __future__ import annotations

import sys

from slices.monitor.metrics import metrics_table

if __name__ == "__main__":
    sys.stdout.write(metrics_table())
