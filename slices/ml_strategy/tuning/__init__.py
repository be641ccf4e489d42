"""A small search for parameters, on sessions before the first that tests."""
