"""The flows there are, read from their source text without importing anything of it."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.cli.exits import Exit
from flows.cli.output import print_json, print_line

FLOWS_FOLDER = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class FlowEntry:
    """A flow by name, with the module that defines it and the question it answers."""

    name: str
    module: str
    question: str

    @property
    def group(self) -> str:
        """The file it stands in: core, portfolio, risk or ml."""
        return self.module.rpartition(".")[2]

    @property
    def entrypoint(self) -> str:
        """The dotted path deployments use."""
        return f"{self.module}.{self.name}"


def _is_workflow(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == "workflow"
        for each in node.decorator_list
    )


def flow_entries() -> tuple[FlowEntry, ...]:
    """List every workflow, by file and then by place in the file."""
    found = []
    for file in sorted(FLOWS_FOLDER.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found += [
            FlowEntry(
                name=node.name,
                module=f"flows.{file.stem}",
                question=(ast.get_docstring(node) or "").partition("\n")[0],
            )
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and _is_workflow(node)
        ]
    return tuple(found)


def flow_names() -> tuple[str, ...]:
    """List the names of all workflows."""
    return tuple(entry.name for entry in flow_entries())


def show_list(*, as_json: bool) -> Exit:
    """Print the flows and the questions they answer."""
    entries = flow_entries()
    if as_json:
        print_json([asdict(entry) | {"group": entry.group} for entry in entries])
        return Exit.OK
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        print_line(f"{entry.name:<{width}}  {entry.group:<9}  {entry.question}")
    return Exit.OK
