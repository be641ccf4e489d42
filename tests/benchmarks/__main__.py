"""The whole suite: `python -m tests.benchmarks [--full]`, which is what `make bench` runs.

Every part is a process of its own, so that none runs in the memory or the threads of another.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

PARTS = (
    "bench_alerts",
    "bench_allocators",
    "bench_data",
    "bench_flows",
    "bench_indicators",
    "bench_learning",
    "bench_paper",
    "bench_regimes",
    "bench_validity",
    "bench_simulation",
    "bench_sweeps",
)
TAKES_FULL = (
    "bench_allocators",
    "bench_flows",
    "bench_learning",
    "bench_validity",
    "bench_simulation",
    "bench_sweeps",
)


def main() -> int:
    """Run every part; return 1 where an answer was wrong in any."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Benchmarks.")
    parser.add_argument("--full", action="store_true", help="all sizes; takes minutes")
    is_full = parser.parse_args().full
    codes = []
    for part in PARTS:
        options = ["--full"] if is_full and part in TAKES_FULL else []
        words = [sys.executable, "-m", f"tests.benchmarks.{part}", *options]
        codes.append(subprocess.run(words, check=False).returncode)
        sys.stdout.write("\n")
        sys.stdout.flush()
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
