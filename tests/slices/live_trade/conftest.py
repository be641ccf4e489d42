"""A local stand-in of the broker for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.broker_server import Exchange, trading_server


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """The broker's side."""
    with trading_server() as running:
        yield running
