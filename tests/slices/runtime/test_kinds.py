from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cloudpickle
import polars as pl
import pytest

from slices.analyze.tasks import diversification
from slices.data.tasks import fetch_bars
from slices.domain.errors import BadDataError, TransientSourceError
from slices.runtime import kinds, sources
from slices.runtime.kinds import ContentPolicy, act, compute, fetch, is_retryable, train

INPUTS: dict[str, Any] = {"symbols": ("AAPL", "MSFT"), "window": 20, "rate": 0.5}


def key(policy: ContentPolicy, inputs: dict[str, Any] = INPUTS) -> str:
    return policy.compute_key(None, inputs, {})  # type: ignore[arg-type]


def work(symbols: tuple[str, ...]) -> int:
    """Count symbols."""
    return len(symbols)


work.__module__ = "slices.analyze.work"
POLICY = ContentPolicy(name="analyze.work", code="1")


def test_each_kind_has_its_cache_and_retry_rules() -> None:
    tasks = {
        "fetch": fetch(work, version=lambda symbols: "1"),
        "compute": compute(work),
        "train": train(work),
        "act": act(work),
    }
    assert {name: each.retries for name, each in tasks.items()} == {
        "fetch": 3,
        "compute": 0,
        "train": 0,
        "act": 0,
    }
    cached = {name for name, each in tasks.items() if isinstance(each.cache_policy, ContentPolicy)}
    assert cached == {"fetch", "compute", "train"}
    assert all(f"kind:{name}" in each.tags for name, each in tasks.items())
    assert "training" in tasks["train"].tags
    assert tasks["act"].name == "analyze.work"


def test_r17_changed_inputs_are_another_key() -> None:
    keys = [
        key(POLICY),
        key(POLICY, INPUTS | {"window": 21}),
        key(POLICY, INPUTS | {"symbols": ("MSFT", "AAPL")}),
        key(POLICY, INPUTS | {"frame": pl.DataFrame({"a": [1], "b": [2]})}),
        key(POLICY, INPUTS | {"frame": pl.DataFrame({"b": [2], "a": [1]})}),
        key(ContentPolicy(name="analyze.other", code="1")),
    ]
    assert len(set(keys)) == len(keys)
    assert key(POLICY, dict(reversed(INPUTS.items()))) == key(POLICY)


def test_r17_a_frame_after_a_parquet_round_trip_is_the_same_key(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1.0, None], "b": ["x", None]})
    frame.write_parquet(tmp_path / "frame.parquet")
    copy = pl.read_parquet(tmp_path / "frame.parquet")
    assert key(POLICY, {"frame": copy}) == key(POLICY, {"frame": frame})


def test_r17_another_library_version_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(POLICY)
    monkeypatch.setattr(kinds, "library_versions", lambda: (("numpy", "0.1"),))
    assert key(POLICY) != before


def test_r17_an_edited_helper_of_the_slice_is_another_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("slices/domain", "slices/quant", "slices/analyze", "slices/data"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "code.py").write_text("VALUE = 1\n")
    monkeypatch.setattr(sources, "PACKAGES", tmp_path)

    def fresh() -> str:
        sources.source_digest.cache_clear()
        return key(compute(work).cache_policy)  # type: ignore[arg-type]

    before = fresh()
    (tmp_path / "slices/data/code.py").write_text("VALUE = 2\n")
    assert fresh() == before
    for folder in ("slices/analyze", "slices/quant", "slices/domain"):
        (tmp_path / folder / "code.py").write_text(f"VALUE = '{folder}'\n")
        after = fresh()
        assert after != before
        before = after
    sources.source_digest.cache_clear()


def test_r17_three_processes_agree_whatever_their_hash_seed() -> None:
    code = (
        "from slices.runtime.kinds import ContentPolicy\n"
        "policy = ContentPolicy(name='analyze.work', code='1')\n"
        "inputs = {'symbols': ('AAPL', 'MSFT'), 'window': 20, 'rate': 0.5}\n"
        "print(policy.compute_key(None, inputs, {}))\n"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("0", "1")  # this process is the third
    }
    assert keys == {key(POLICY)}


def test_a_fetch_asks_what_the_world_has() -> None:
    answers = iter(["monday", "monday", "tuesday"])
    policy = ContentPolicy(name="data.work", code="1", version=lambda symbols: next(answers))
    keys = [key(policy, {"symbols": ("A",)}) for _ in range(3)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientSourceError(source="s", problem="p"), True),
        (BadDataError(dataset="d", problem="p"), False),
        (ConnectionError("x"), False),
        ("no error", False),
    ],
)
def test_only_errors_that_say_so_are_tried_again(error: object, again: bool) -> None:  # noqa: FBT001
    class State:
        def result(self, *, raise_on_failure: bool) -> object:
            assert not raise_on_failure
            return error

    assert is_retryable(None, None, State()) is again  # type: ignore[arg-type]


def test_a_real_task_depends_on_its_own_slice() -> None:
    policy = diversification.cache_policy
    assert isinstance(policy, ContentPolicy)
    assert policy.code == sources.slice_digest("slices.analyze.structure")


def test_r17_what_is_edited_after_the_import_is_not_what_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = compute(work).cache_policy
    assert isinstance(policy, ContentPolicy)
    before = key(policy)
    monkeypatch.setattr(sources, "PACKAGES", tmp_path)
    sources.source_digest.cache_clear()
    assert key(policy) == before
    sources.source_digest.cache_clear()


@pytest.mark.parametrize("task", [diversification, fetch_bars])
def test_a_task_travels_to_another_process(task: Any) -> None:
    copy = cloudpickle.loads(cloudpickle.dumps(task))
    assert copy.name == task.name
    assert copy.cache_policy.code == task.cache_policy.code
    assert copy.cache_policy.lock_manager.acquire_lock("key", "holder", acquire_timeout=1)
    copy.cache_policy.lock_manager.release_lock("key", "holder")
