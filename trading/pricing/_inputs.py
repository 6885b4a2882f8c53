"""What every formula asks of its arguments: finite numbers within their rule, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Word = TypeVar("Word", bound=StrEnum)


class PricingError(ValueError):
    """An argument that the formula cannot take; names the argument, its index and the rule."""


class NonPositivePrice(PricingError):
    """A forward or strike at or below zero, which has no logarithm."""


class OptionType(StrEnum):
    """Whether the holder may buy or sell."""

    CALL = "CALL"
    PUT = "PUT"


# One for all, or one each: an array of the words broadcasts with the other arguments.
Options = OptionType | Sequence[OptionType] | npt.NDArray[np.str_]


def numbers(name: str, value: npt.ArrayLike) -> Floats:
    """
    Return an argument as 64-bit numbers.

    :raises PricingError: naming the argument that is none.
    """
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PricingError(f"{name}: must be numbers, in rows of one length.") from error


def member(name: str, words: type[Word], value: str) -> Word:
    """
    Return the member of an enumeration that a word names.

    :raises PricingError: naming the argument and the words there are.
    """
    try:
        return words(value)
    except ValueError as error:
        raise PricingError(f"{name}: {value} must be one of {', '.join(words)}.") from error


def together(**arguments: npt.ArrayLike) -> tuple[Floats, ...]:
    """
    Return arguments as 64-bit arrays that broadcast; nothing is copied or expanded.

    :raises PricingError: naming the argument that is no number, or whose shape does not fit.
    """
    found: list[Floats] = []
    shape: tuple[int, ...] = ()
    for name, value in arguments.items():
        row = numbers(name, value)
        try:
            shape = np.broadcast_shapes(shape, row.shape)
        except ValueError as error:
            raise PricingError(
                f"{name}: shape {row.shape} must fit {shape}, that of the arguments before it."
            ) from error
        found.append(row)
    return tuple(found)


def broadcast(**arguments: npt.ArrayLike) -> tuple[Floats, ...]:
    """
    Return arguments as 64-bit arrays of one shape.

    :raises PricingError: as `together`.
    """
    found = together(**arguments)
    shape = np.broadcast_shapes(*(row.shape for row in found))
    # Not `broadcast_arrays`, whose results warn when somebody asks whether they may be written.
    return tuple(np.broadcast_to(row, shape) for row in found)


def by_interval(**arguments: npt.ArrayLike) -> tuple[Floats, ...]:
    """
    Return arguments as 64-bit arrays that broadcast; their last axis is the interval.

    The first argument has that axis. Of the others a number, or a last axis of one, holds for
    all intervals.

    :raises PricingError: as `together`, and for no intervals, or more than the first has.
    """
    leading = next(iter(arguments))
    first = numbers(leading, arguments[leading])
    if first.ndim == 0 or first.size == 0:
        raise PricingError(f"{leading}: must have at least one interval.")
    found = together(**arguments)
    intervals = first.shape[-1]
    for name, row in zip(arguments, found, strict=True):
        if row.ndim and row.shape[-1] not in (1, intervals):
            raise PricingError(f"{name}: has {row.shape[-1]} intervals; must have {intervals}.")
    return found


def check(
    name: str,
    row: Floats,
    holds: npt.NDArray[np.bool_],
    rule: str,
    error: type[PricingError] = PricingError,
) -> None:
    """
    Refuse an argument unless it is finite and the rule holds everywhere.

    rule    how the sentence goes on after the value: "must be above 0"

    :raises PricingError: of the class given, naming the argument and the first offending index.
    """
    wrong = ~(holds & np.isfinite(row))
    if wrong.any():
        where = np.argwhere(wrong)[0].tolist()
        at = f"{name}{where}" if where else name
        raise error(f"{at}: {row[tuple(where)]} {rule}, and be finite.")


def _lies_between(row: Floats, low: float) -> bool:
    """Say quickly that all is above a bound and finite; NaN is neither, and nothing says no."""
    return bool(row.size and row.min() > low and row.max() < np.inf)


def finite(name: str, value: npt.ArrayLike) -> Floats:
    """
    Return an argument as 64-bit numbers.

    :raises PricingError: naming the argument and its first index that is not finite.
    """
    row = numbers(name, value)
    if not _lies_between(row, -np.inf):
        check(name, row, np.isfinite(row), "must be a number")
    return row


def positive(
    name: str, value: npt.ArrayLike, error: type[PricingError] = NonPositivePrice
) -> Floats:
    """
    Return an argument that must be above zero as 64-bit numbers.

    :raises PricingError: of the class given, naming the argument and the first offending index.
    """
    row = numbers(name, value)
    if not _lies_between(row, 0.0):
        check(name, row, row > 0, "must be above 0", error)
    return row


def not_negative(name: str, value: npt.ArrayLike) -> Floats:
    """
    Return an argument that must not be below zero as 64-bit numbers.

    :raises PricingError: naming the argument and the first offending index.
    """
    row = numbers(name, value)
    if not _lies_between(row, np.nextafter(0.0, -1.0)):
        check(name, row, row >= 0, "must not be negative")
    return row


def signs(option: Options) -> Floats:
    """
    Return +1 for each call and −1 for each put.

    :raises PricingError: naming the first index that is neither.
    """
    words = np.asarray(option)
    is_call = words == OptionType.CALL
    wrong = ~(is_call | (words == OptionType.PUT))
    if np.any(wrong):
        where = np.argwhere(wrong)[0].tolist()
        at = f"option{where}" if where else "option"
        raise PricingError(f"{at}: {words[tuple(where)]} must be CALL or PUT.")
    return np.where(is_call, 1.0, -1.0)


def shape_of(*arguments: Floats) -> tuple[int, ...]:
    """
    Return the shape that the arguments broadcast to.

    :raises PricingError: if the shapes do not broadcast.
    """
    try:
        return np.broadcast_shapes(*(a.shape for a in arguments))
    except ValueError as error:
        shapes = ", ".join(str(a.shape) for a in arguments)
        raise PricingError(f"shapes: {shapes} must be one, or broadcast to one.") from error


def one_row(argument: Floats, shape: tuple[int, ...]) -> Floats:
    """
    Return an argument as one row of a shape for a kernel; of one number a row of one.

    The row is contiguous and writable, because a kernel is compiled once for each layout.
    """
    wide = argument
    if argument.size > 1 and argument.shape != shape:
        wide = np.broadcast_to(argument, shape)
    return np.require(wide.reshape(-1), requirements=("C", "W"))


def rows(*arguments: Floats) -> tuple[tuple[int, ...], list[Floats]]:
    """
    Return the shape that the arguments broadcast to, and each as one row of it for a kernel.

    All rows are contiguous and writable, because a kernel is compiled once for each layout.

    :raises PricingError: if the shapes do not broadcast.
    """
    shape = shape_of(*arguments)
    wide = (a if a.shape == shape else np.broadcast_to(a, shape) for a in arguments)
    return shape, [np.require(a.reshape(-1), requirements=("C", "W")) for a in wide]


def refuse_overflow(first: int, shape: tuple[int, ...]) -> None:
    """
    Refuse a result that a kernel found beyond 64-bit numbers.

    first   the flat index of the first such row, or −1 where there is none

    :raises PricingError: naming the index.
    """
    if first >= 0:
        where = [int(i) for i in np.unravel_index(first, shape)]
        raise PricingError(f"result{where or ''}: the arguments lead beyond 64-bit numbers.")
