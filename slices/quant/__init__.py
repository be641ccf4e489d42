"""Mathematics that two or more slices use: returns, covariance, metrics, allocation, simulation.

Pure functions of arrays and values; knows nothing of Prefect, storage or providers.
"""
