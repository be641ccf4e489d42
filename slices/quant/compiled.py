"""The one way this project compiles a loop.

Importing this module imports numba, so only modules that hold kernels do, and these are imported
where they are used. Machine code is kept on disk: the first call of a process loads it, and only
the very first on a machine compiles. The interpreter lock is released while a kernel runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers; the plain one stays as its `py_func`."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))
