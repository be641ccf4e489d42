from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from slices.runtime.deadline import HUNG
from slices.runtime.locks import KernelLocks
from tests.support.server import ROOT, clean_environment

ENDS_SECONDS = 120.0
"""A bound for a process that would otherwise hang for ever, on a machine that is busy."""

HANGING = """
import multiprocessing, pathlib, subprocess, sys, time
from slices.runtime.kinds import act
from slices.runtime.locks import KernelLocks

locks, noted = map(pathlib.Path, sys.argv[1:])


def sleep(seconds):
    "Start two processes, hold a lock, and wait."
    held = KernelLocks(locks)
    assert held.acquire_lock("account", "me")
    plain = subprocess.Popen(["sleep", "600"])
    forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
    forked.start()
    noted.write_text(f"{plain.pid} {forked.pid}")
    time.sleep(seconds)


sleep.__module__ = "slices.paper_trade.desk"
act(sleep).fn(600)
"""

TRAINING = """
import time
from slices.runtime import kinds

kinds.TRAINING_TIMEOUT_SECONDS = 2.0


def fit(seconds):
    "Train for ever."
    time.sleep(seconds)


fit.__module__ = "slices.optimize.tpe"
kinds.train(fit).fn(600)
"""

PROMPT = """
import time
from slices.runtime.kinds import act


def settle():
    "Do nothing."


settle.__module__ = "slices.paper_trade.desk"
act(settle).fn()
time.sleep(1.5)
"""


def ran(
    script: str, home: Path, *words: Path, seconds: int = 1
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        cwd=ROOT,
        env=clean_environment(home) | {"TRADEFLOWS_ACT_TIMEOUT_SECONDS": str(seconds)},
        timeout=ENDS_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_r15_an_act_that_hangs_ends_with_its_children_and_gives_back_its_lock(
    tmp_path: Path,
) -> None:
    locks, noted = tmp_path / "locks", tmp_path / "children"
    ended = ran(HANGING, tmp_path, locks, noted, seconds=4)
    assert ended.returncode == HUNG
    assert "paper_trade.sleep" in ended.stderr
    children = [int(each) for each in noted.read_text().split()]
    assert not [each for each in children if psutil.pid_exists(each)]
    assert KernelLocks(locks).acquire_lock("account", "another", 0.0)


@pytest.mark.slow
def test_r15_a_training_that_hangs_ends(tmp_path: Path) -> None:
    ended = ran(TRAINING, tmp_path)
    assert ended.returncode == HUNG
    assert "optimize.fit" in ended.stderr


@pytest.mark.slow
def test_r15_a_process_outlives_an_act_that_ended_in_time(tmp_path: Path) -> None:
    assert ran(PROMPT, tmp_path).returncode == 0
