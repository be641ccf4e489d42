"""A file knows its room."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
from prefect import Task

import slices
from flows.cli.catalogue import flow_entries
from slices.runtime.kinds import task_name

ROOT = Path(__file__).parents[2]
FLOW_FILES = sorted({entry.module for entry in flow_entries()})
MENUS = sorted(
    f"slices.{each.name}.tasks"
    for each in pkgutil.iter_modules(slices.__path__)
    if (ROOT / "slices" / each.name / "tasks.py").is_file()
)
SOURCES = sorted(
    file for folder in ("flows", "slices", "deployments") for file in (ROOT / folder).rglob("*.py")
)


def parsed(module: str) -> ast.Module:
    return ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())


@pytest.mark.parametrize("module", FLOW_FILES)
def test_a_flow_file_holds_flows_and_nothing_else(module: str) -> None:
    names = {entry.name for entry in flow_entries() if entry.module == module}
    for node in parsed(module).body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_flow = isinstance(node, ast.FunctionDef) and node.name in names
        assert is_docstring or is_flow or isinstance(node, ast.Import | ast.ImportFrom)


@pytest.mark.parametrize("module", FLOW_FILES)
def test_a_flow_reads_like_the_process(module: str) -> None:
    for node in ast.walk(parsed(module)):
        assert not isinstance(node, ast.Try | ast.With | ast.While | ast.Lambda | ast.Dict)
        if isinstance(node, ast.FunctionDef):
            assert len(node.body) <= 16


@pytest.mark.parametrize("module", MENUS)
def test_every_task_has_a_kind_and_stands_for_a_function_of_its_own_slice(module: str) -> None:
    found = [
        each for each in vars(importlib.import_module(module)).values() if isinstance(each, Task)
    ]
    assert found
    for each in found:
        assert sum(tag.startswith("kind:") for tag in each.tags) == 1
        assert each.fn.__module__.startswith(module.removesuffix("tasks"))
        assert each.name == task_name(each.fn)
        assert each.fn.__doc__


def test_task_names_are_unique() -> None:
    names = [
        each.name
        for module in MENUS
        for each in vars(importlib.import_module(module)).values()
        if isinstance(each, Task)
    ]
    assert len(names) == len(set(names))


def test_no_module_hides_one_of_the_standard_library_or_a_dependency() -> None:
    import sys

    taken = sys.stdlib_module_names | {"prefect", "pandas", "polars", "mlflow", "numpy", "click"}
    assert [file for file in (ROOT / "flows").glob("*.py") if file.stem in taken] == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_functions_and_files_stay_small(file: Path) -> None:
    text = file.read_text()
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
            assert (node.end_lineno or 0) - first.lineno < 50, node.name
