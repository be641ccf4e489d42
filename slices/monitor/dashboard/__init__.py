"""The dashboard: pages that show what the watch measured, on loopback, read-only."""
