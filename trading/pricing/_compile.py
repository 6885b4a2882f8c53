"""
Compilation of kernels, the numeric loops behind the formulas, by numba.

Only modules of kernels import this one, and functions import them when they first run: numba
takes half a second to load. Machine code is kept in the first of these that can be written:
`NUMBA_CACHE_DIR`, `__pycache__` beside the kernel, the user's cache directory. The key is the
content of the kernel's own file, so kernels that call each other stand in one file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, overload

P = ParamSpec("P")
R = TypeVar("R")


def compiled(kernel: Callable[P, R]) -> Callable[P, R]:
    """
    Return the function as machine code, compiled when it is first called.

    Division by zero gives IEEE's infinity or NaN; a product and a sum may be fused, and the order
    of additions is kept. Other threads run meanwhile. The Python function remains as `py_func`.
    """
    return _compile(kernel, inside=False)


def inlined(kernel: Callable[P, R]) -> Callable[P, R]:
    """
    Return the function as `compiled` does, to stand inside the loops that call it.

    Without choices between ways such a loop works on several elements at once, which it does
    threefold as fast.
    """
    return _compile(kernel, inside=True)


def _compile(kernel: Callable[P, R], *, inside: bool) -> Callable[P, R]:
    def compile_(cache: bool) -> Callable[P, R]:
        return cast(
            Callable[P, R],
            numba.njit(
                kernel, cache=cache, error_model="numpy", nogil=True, fastmath={"contract"},
                forceinline=inside,
            ),
        )  # fmt: skip

    try:
        return compile_(cache=True)
    except RuntimeError:  # nowhere to write: each process compiles for itself
        return compile_(cache=False)


def _reinterpret(given: Any, wanted: Any, into: Any) -> Callable[..., Any]:
    """Return an instruction of kernels that reads a number's 64 bits as another type."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], into)

    def instruction(typing_context: Any, x: Any) -> Any:
        return wanted(given), emit

    return cast(Callable[..., Any], intrinsic(instruction))


def _mark_wide(typing_context: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite's own `add` knows no attributes with a value.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), emit


_prefer_wide = cast(Callable[[], None], intrinsic(_mark_wide))


def wide_vectors() -> None:
    """
    Let the loops of the kernel that calls this work on 512 bits at a time, where a processor can.

    The compiler keeps to 256 unless told, for early processors clocked down; results are the same.
    """


@overload(wide_vectors, inline="always")
def _wide_vectors() -> Callable[[], None]:
    return lambda: _prefer_wide()


bits_of: Callable[[float], int] = _reinterpret(types.float64, types.int64, ir.IntType(64))
float_of: Callable[[int], float] = _reinterpret(types.int64, types.float64, ir.DoubleType())
