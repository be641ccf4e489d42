"""The table of docs/strategies.md is what the catalogue says.

Written anew by `python -m tests.docs.test_strategies`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from slices.quant.signals.catalogue import STRATEGIES, default_parameters, search_space
from slices.quant.signals.strategy import Strategy

PAGE = Path(__file__).parents[2] / "docs" / "strategies.md"
HEAD = "| strategy | idea | parameters: default (range) |\n|---|---|---|\n"


def row(strategy: Strategy) -> str:
    """Describe one strategy."""
    spaces = {each.name: each for each in search_space(strategy.name)}
    texts = []
    for name, value in default_parameters(strategy.name):
        space = spaces.get(name)
        limits = f" ({space.low:g} to {space.high:g})" if space and not space.choices else ""
        shown = str(value).lower() if isinstance(value, bool) else value
        texts.append(f"{name} {shown}{limits}")
    return f"| `{strategy.name}` | {strategy.idea} | {', '.join(texts) or 'none'} |\n"


def table() -> str:
    """Describe every strategy of the catalogue."""
    return HEAD + "".join(row(each) for each in STRATEGIES.values())


def test_the_page_lists_every_strategy_with_its_parameters() -> None:
    assert table() in PAGE.read_text(), "write it anew: python -m tests.docs.test_strategies"


if __name__ == "__main__":
    text = PAGE.read_text()
    start = text.index(HEAD.splitlines()[0]) if HEAD.splitlines()[0] in text else len(text)
    PAGE.write_text(text[:start] + table())
    sys.stdout.write(f"{PAGE.name} written\n")
