"""The one way this project compiles a loop.

Importing this module imports numba, so only modules that hold kernels do, and these are imported
where they are used. Machine code is kept on disk: the first call of a process loads it, and only
the very first on a machine compiles. The interpreter lock is released while a kernel runs.
"""

from __future__ import annotations

from functools import lru_cache
from types import FunctionType
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers; the plain one stays as its `py_func`."""
    return cast("Callable[P, R]", njit(cache=True, nogil=True)(function))


@lru_cache(maxsize=256)
def interpreted(kernel: Callable[P, R]) -> Callable[P, R]:
    """Return the Python text of a kernel, which calls the Python text of all kernels it calls.

    For a few short calls: compiling, or even loading, takes longer than they do. What it is handed
    should be made of Python's own numbers, as numpy's are slow one by one.

    >>> def doubled(number: float) -> float:
    ...     return 2.0 * number
    >>> interpreted(doubled)(1.5)
    3.0
    """
    function = cast("FunctionType", getattr(kernel, "py_func", kernel))
    names = dict(function.__globals__)
    copy = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    for name in function.__code__.co_names:
        if hasattr(names.get(name), "py_func"):
            names[name] = interpreted(names[name])
    return cast("Callable[P, R]", copy)
