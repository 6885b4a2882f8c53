"""
Compilation of kernels, the numeric loops behind the formulas, by numba.

Only modules of kernels import this one, and functions import them when they first run: numba
takes half a second to load. Machine code is kept in the first of these that can be written:
`NUMBA_CACHE_DIR`, `__pycache__` beside the kernel, the user's cache directory. The key is the
content of the kernel's own file, so kernels that call each other stand in one file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """
    Return the function as machine code, compiled when it is first called.

    Division by zero gives IEEE's infinity or NaN; a product and a sum may be fused, and the order
    of additions is kept. Other threads run meanwhile. The Python function remains as `py_func`.
    """

    def compile_(cache: bool) -> Callable[P, R]:
        return cast(
            Callable[P, R],
            numba.njit(kernel, cache=cache, error_model="numpy", nogil=True, fastmath={"contract"}),
        )

    try:
        return compile_(cache=True)
    except RuntimeError:  # nowhere to write: each process compiles for itself
        return compile_(cache=False)
