from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "flows" / "notebooks" / "portfolio_analysis.ipynb"


@pytest.mark.slow
# Tornado and jupyter_client still touch event-loop APIs that later Pythons retire.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_flow_runs_in_a_cell_inside_a_running_event_loop(
    api_url: str, fresh_home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", api_url)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    is_running = nbformat.v4.new_code_cell(
        "import asyncio; asyncio.get_running_loop().is_running()"
    )
    notebook.cells.append(is_running)
    NotebookClient(notebook, timeout=180, kernel_name="python3").execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    shown = next(each for each in outputs[0] if each.output_type == "execute_result")
    assert "Volatility a year" in shown.data["text/html"]
    assert "GOOGL" in outputs[1][0].data["text/plain"]
    assert "at least 2 values" in "".join(each.get("text", "") for each in outputs[2])
    assert outputs[3][0].data["text/plain"] == "True"
    assert list((Path(fresh_home) / "reports").glob("*.html"))
