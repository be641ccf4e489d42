"""What knows Prefect and the environment: task kinds, caching, results, settings, events."""
