"""The command line as a person or a script uses it: real processes, real answers.

Where the process is not what a test is about, it gives its words to `main`: to import what a
command needs takes a process of its own several seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.cli import main
from flows.cli.exits import EXIT_CODES, Exit
from flows.cli.run import CONSOLE_LEVEL

ROOT = Path(__file__).parents[2]
HEAVY = ("prefect", "pandas", "mlflow", "polars", "numpy", "pydantic")


@pytest.fixture
def tradeflows(api_url: str, fresh_home: str) -> Any:
    def run(*words: str, module: bool = False) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "flows"] if module else [str(BIN)]
        return subprocess.run(
            [*program, *words],
            cwd=ROOT if module else fresh_home,
            env=os.environ | {"PREFECT_API_URL": api_url, "TRADEFLOWS_HOME": fresh_home},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )

    return run


@dataclass(frozen=True)
class Answer:
    """What a command gave back; named as those of a process are."""

    returncode: object
    stdout: str
    stderr: str


@pytest.fixture
def told(
    fresh_home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    assert fresh_home
    monkeypatch.setenv(CONSOLE_LEVEL, "CRITICAL")  # which a run sets for the rest of its process

    def tell(*words: str) -> Answer:
        capsys.readouterr()
        try:
            code: object = main(words)
        except SystemExit as ended:
            code = ended.code
        seen = capsys.readouterr()
        return Answer(code, seen.out, seen.err)

    return tell


BIN = Path(sys.executable).parent / "tradeflows"


@pytest.mark.slow
def test_run_prints_the_answer_and_the_report(tradeflows: Any, fresh_home: str) -> None:
    words = ("run", "portfolio_analysis", "--symbols", "AAPL", "MSFT", "--start", "2010-01-04")
    done = tradeflows(*words)
    assert done.returncode == Exit.OK, done.stderr
    assert "Volatility a year" in done.stdout
    report = next(line for line in done.stdout.splitlines() if "report:" in line)
    path = Path(report.partition("report:")[2].strip())
    assert path.is_file()
    assert path.is_relative_to(fresh_home)
    assert "analyze.holdings_risk  Completed" in done.stderr


@pytest.mark.slow
def test_json_is_one_document_on_stdout(tradeflows: Any) -> None:
    done = tradeflows(
        "run", "portfolio-analysis", "--json", "--start", "2011-01-03", "--held-weights",
        "AAPL=0.5", "MSFT=0.25", "GOOGL=0.25", "--costs.commission-bps", "0", module=True,
    )  # fmt: skip
    assert done.returncode == Exit.OK, done.stderr
    answer = json.loads(done.stdout)
    assert answer["exit_code"] == 0
    assert answer["state"] == "Completed"
    assert answer["result"]["risk"]["weights"] == [0.5, 0.25, 0.25]
    parameters = dict(answer["result"]["provenance"]["parameters"])
    assert json.loads(parameters["costs"])["commission_bps"] == 0


@pytest.mark.slow
def test_an_unknown_symbol_has_its_own_exit_code_and_names_what_there_is(told: Any) -> None:
    done = told("run", "portfolio_analysis", "--json", "--symbols", "AAPL", "ZZZZ")
    assert done.returncode == Exit.DATA
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "SymbolNotFoundError"
    assert "ZZZZ" in error["message"]
    assert "MSFT" in error["message"]
    assert "ZZZZ" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_missing_sessions_are_named_and_the_run_is_degraded(told: Any, tmp_path: Path) -> None:
    lines = ["date,symbol,open,high,low,close,volume"]
    for symbol, base in (("ONE", 50.0), ("TWO", 80.0)):
        for place, session in enumerate(sessions()):
            price = base + (place * 7919 % 97) / 10
            row = f"{session},{symbol},{price},{price + 1},{price - 1},{price},1000"
            lines.append(row.replace(f"{price - 1}", "-1", 1) if place == 30 else row)
    file = tmp_path / "prices.csv"
    file.write_text("\n".join(line for at, line in enumerate(lines) if at != 60))
    done = told(
        "run", "portfolio_analysis", "--symbols", "ONE", "TWO", "--source", "files",
        "--feed", str(file), "--lookback-sessions", "60", "--adjustment", "split", "--json",
    )  # fmt: skip
    assert done.returncode == Exit.DEGRADED, done.stderr
    answer = json.loads(done.stdout)
    assert answer["state"] == "Degraded"
    assert any("TWO" in each and "set aside" in each for each in answer["result"]["caveats"])
    assert any("ONE" in each and "without a bar" in each for each in answer["result"]["caveats"])


def sessions() -> list[str]:
    import datetime as dt

    from slices.domain.calendar import sessions_between

    return [str(day) for day in sessions_between(dt.date(2019, 1, 2), dt.date(2020, 6, 30))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--start", "2013-13-01"), "start"),
        (("--capital", "-5"), "capital"),
        (("--symbols",), "symbols"),
        (("--symbols", "AAPL"), "symbols"),
        (("--nonsense", "1"), "options"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_anything_starts(
    told: Any, fresh_home: str, words: tuple[str, ...], named: str
) -> None:
    done = told("run", "portfolio_analysis", *words)
    assert done.returncode == Exit.BAD_INPUT
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"tradeflows: {named}: found")
    assert not (Path(fresh_home) / "results").exists()


@pytest.mark.slow
def test_a_process_that_is_given_bad_input_says_so_and_nothing_else(
    tradeflows: Any, fresh_home: str
) -> None:
    done = tradeflows("run", "portfolio_analysis", "--capital", "-5")
    assert done.returncode == Exit.BAD_INPUT
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("tradeflows: capital: found")
    assert not (Path(fresh_home) / "results").exists()


def test_an_unknown_flow_lists_those_there_are(tradeflows: Any) -> None:
    done = tradeflows("run", "portfolio_analisys")
    assert done.returncode == Exit.BAD_INPUT
    assert "portfolio_analysis" in done.stderr


def test_list_names_the_flows(tradeflows: Any) -> None:
    assert "portfolio_analysis" in tradeflows("list").stdout
    listed = json.loads(tradeflows("list", "--json").stdout)
    assert {"name", "module", "question", "group"} <= set(listed[0])


def test_output_that_nobody_reads_any_more_ends_a_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "flows", "list", "--json"],
            cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (Exit.UNREAD, "")


def test_help_documents_every_exit_code(tradeflows: Any) -> None:
    shown = tradeflows("--help").stdout
    assert all(f"{code.value}  {text}" in shown for code, text in EXIT_CODES.items())
    readme = (ROOT / "README.md").read_text()
    assert all(f"| {code.value} | {text}" in readme for code, text in EXIT_CODES.items())


@pytest.mark.slow
def test_run_help_explains_every_parameter(told: Any) -> None:
    shown = told("run", "portfolio_analysis", "--help").stdout
    assert "What do I hold" in shown
    for option in ("--symbols", "--held-weights", "--costs.commission-bps", "--bounds.largest"):
        assert option in shown


@pytest.mark.parametrize("words", [["--help"], ["list"], ["list", "--json"]])
def test_help_and_list_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom flows.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


@pytest.mark.slow
def test_status_shows_the_latest_runs(told: Any) -> None:
    assert told("run", "portfolio_analysis", "--symbols", "AAPL", "XXXX").returncode == 4
    runs = json.loads(told("status", "--last", "1", "--json").stdout)
    assert len(runs) == 1
    assert runs[0]["flow"] == "portfolio-analysis"
    assert runs[0]["state"] == "Failed"
    assert "XXXX" in runs[0]["message"]
    assert "portfolio-analysis" in told("status").stdout
    assert told("status", "--last", "0").returncode == Exit.BAD_INPUT


@pytest.mark.slow
def test_doctor_finds_a_healthy_and_a_broken_installation(
    told: Any, monkeypatch: pytest.MonkeyPatch, fresh_home: str
) -> None:
    healthy = told("doctor", "--json")
    assert healthy.returncode == Exit.OK, healthy.stdout
    assert {each["check"] for each in json.loads(healthy.stdout)} >= {"store", "Prefect API"}
    monkeypatch.setenv("TRADEFLOWS_MAX_WORKERS", "none")
    broken = told("doctor")
    assert broken.returncode == Exit.SETTINGS
    assert "TRADEFLOWS_MAX_WORKERS" in broken.stdout


def test_environment_prints_exports_for_the_shell(tradeflows: Any, fresh_home: str) -> None:
    done = tradeflows("environment")
    assert done.returncode == Exit.OK
    assert f"export TRADEFLOWS_HOME={fresh_home}" in done.stdout.splitlines()
    assert all(line.startswith("export ") for line in done.stdout.splitlines())


def test_clean_says_what_it_removed(told: Any) -> None:
    done = told("clean", "--json")
    assert {each["kind"] for each in json.loads(done.stdout)} == {"bars", "datasets", "results"}
    assert told("clean", "--older-than-days", "-1").returncode == Exit.BAD_INPUT


INTERRUPTED = """
import os, signal, subprocess, sys, time
run = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, start_new_session=True, text=True)
for line in run.stderr:
    if "assemble_bars" in line:
        break
os.killpg(run.pid, signal.SIGINT)
print(run.wait(60))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_home")
def test_ctrl_c_ends_a_run_at_once() -> None:
    words = [str(BIN), "run", "portfolio_analysis", "--rebalance", "weekly"]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words],
        env={k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.strip() == str(Exit.INTERRUPTED.value), done.stderr


@pytest.mark.slow
def test_a_killed_command_leaves_no_server_behind(fresh_home: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    with subprocess.Popen(
        [str(BIN), "run", "portfolio_analysis"],
        env=environment | {"TRADEFLOWS_HOME": fresh_home},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stderr is not None
        next(line for line in run.stderr if "assemble_bars" in line)
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
    assert children
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
