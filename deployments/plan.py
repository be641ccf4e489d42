"""What has to change on a server: found first, made afterwards, said in one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from prefect.client.orchestration import SyncPrefectClient

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """One difference between what is wanted and what the server has.

    Attributes:
        line: What is done, such as `create work pool local`.
        make: Does it.
    """

    line: str
    make: Callable[[SyncPrefectClient], object]


Stage = Callable[[SyncPrefectClient], tuple[Change, ...]]
"""Compares one kind of thing with the server; what it needs was made by stages before it."""


def differing(wanted: dict[str, object], found: dict[str, object]) -> str:
    """Name the fields that differ; empty where none does.

    >>> differing({"limit": 1, "tag": "a"}, {"limit": 2, "tag": "a", "id": 7})
    'limit'
    """
    return ", ".join(name for name, value in wanted.items() if found.get(name) != value)


def paged(read: Callable[[int], list[T]]) -> list[T]:
    """Read everything a server hands out in pages, from an offset on."""
    found: list[T] = []
    while page := read(len(found)):
        found += page
    return found
