"""The workflows. Importing one sets up where Prefect and the system write."""

from slices.runtime.environment import prepare

prepare()
