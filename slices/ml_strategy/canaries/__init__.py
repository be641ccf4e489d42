"""Tests of a training itself: what must not be found, and what must be."""
