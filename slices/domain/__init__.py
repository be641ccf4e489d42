"""The words every slice shares: bars, calendars, parameters, errors, events, results and ports.

Knows nothing of Prefect, MLflow or any provider, and imports nothing from the other packages.
"""
