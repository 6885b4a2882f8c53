"""What every structure asks of its series: one value an interval. The last axis is the interval."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check

Dates = npt.NDArray[np.datetime64]


class InfeasibleContract(PricingError):
    """Terms that no plan can fulfil; the message names the constraint and the interval."""


def series(
    name: str,
    values: npt.ArrayLike,
    count: int,
    *,
    least: float = -np.inf,
    most: float = np.inf,
) -> Floats:
    """
    Return one finite value an interval, within its bounds; a single number stands for all.

    :raises PricingError: naming the argument and index.
    """
    row = np.array(values, dtype=np.float64)
    if row.shape not in ((), (count,)):
        raise PricingError(f"{name}: shape {row.shape} is not one value for {count} intervals.")
    rule = (
        "must be a number"
        if np.isinf(least) and np.isinf(most)
        else f"must be {least:g} or more"
        if np.isinf(most)
        else f"must be {least:g} to {most:g}"
    )
    check(name, row, (row >= least) & (row <= most), rule)
    row = np.broadcast_to(row, (count,)).copy()
    row.setflags(write=False)
    return row


def number(name: str, value: float, *, least: float = -np.inf, most: float = np.inf) -> float:
    """
    Return a finite number within its bounds.

    :raises PricingError: naming the argument.
    """
    return float(series(name, value, 1, least=least, most=most)[0])


def delivery_dates(name: str, dates: npt.ArrayLike) -> Dates:
    """
    Return delivery dates, one an interval, never falling: the local date of the delivery.

    :raises PricingError: for no date, one that is missing, or one before its predecessor.
    """
    row = np.array(dates, dtype="datetime64[D]")
    if row.ndim != 1 or not row.size:
        raise PricingError(f"{name}: shape {row.shape} is not one row with at least one date.")
    if np.isnat(row).any():
        raise PricingError(f"{name}[{int(np.isnat(row).argmax())}]: must be a date.")
    back = np.flatnonzero(np.diff(row) < np.timedelta64(0, "D"))
    if back.size:
        raise PricingError(
            f"{name}[{back[0] + 1}]: {row[back[0] + 1]} must not be before the last."
        )
    row.setflags(write=False)
    return row
