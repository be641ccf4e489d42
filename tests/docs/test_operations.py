"""The pages about metrics and alert rules are what the code prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from slices.monitor.alerts.table import rules_table
from slices.monitor.metrics import metrics_table

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "printed", "module"),
    [
        ("metrics.md", metrics_table, "slices.monitor.metrics"),
        ("alerts.md", rules_table, "slices.monitor.alerts"),
    ],
    ids=["metrics", "alerts"],
)
def test_the_page_is_what_the_code_prints(
    page: str, printed: Callable[[], str], module: str
) -> None:
    assert (DOCS / page).read_text() == printed(), (
        f"write it anew: python -m {module} > docs/{page}"
    )
