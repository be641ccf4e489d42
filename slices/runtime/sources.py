"""Digests of source code: what a cached result was computed with."""

from __future__ import annotations

import importlib.metadata
import sys
from functools import cache
from pathlib import Path

from slices.domain.fingerprint import fingerprint

PACKAGES = Path(__file__).resolve().parents[2]
SHARED = ("slices/domain", "slices/quant")
NUMERIC_LIBRARIES = (
    "numpy", "scipy", "pandas", "polars", "numba", "scikit-learn", "skfolio", "highspy",
    "lightgbm", "exchange-calendars", "pyarrow", "arch", "optuna", "statsmodels", "ta-lib",
)  # fmt: skip


@cache
def source_digest(*folders: str) -> str:
    """Digest the Python sources and templates of folders, by relative path and content."""
    files = sorted(
        file
        for folder in folders
        for file in (PACKAGES / folder).rglob("*")
        if file.suffix in {".py", ".j2"}
    )
    return fingerprint([(f.relative_to(PACKAGES).as_posix(), f.read_bytes()) for f in files])


@cache
def library_versions() -> tuple[tuple[str, str], ...]:
    """List the versions that numbers depend on: Python's minor version and numeric libraries."""
    python = ("python", f"{sys.version_info.major}.{sys.version_info.minor}")
    return (python, *((name, importlib.metadata.version(name)) for name in NUMERIC_LIBRARIES))


def slice_digest(module: str) -> str:
    """Digest what a function of this module depends on: its slice, `quant` and `domain`.

    Args:
        module: A dotted module name such as `slices.analyze.holdings`.
    """
    own = "/".join(module.split(".")[:2])
    return source_digest(*sorted({own, *SHARED}))


@cache
def code_version() -> str:
    """Name the running code: the package version and the digest of all its sources."""
    version = importlib.metadata.version("tradeflows")
    return f"{version}+{source_digest('flows', 'slices')[:10]}"
