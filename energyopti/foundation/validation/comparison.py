"""Comparing an answer with the expected one, leaf by leaf, within an absolute tolerance."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any

Json = Any
_EXPONENT = re.compile(r"[eE]([-+]?[0-9_]+)\s*$")
_MOST_DIGITS = 999
_BEYOND = Fraction(10**300)  # what still is a float


class Unanswerable(TypeError):
    """Raised for an answer of a type that has no place in JSON."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    agrees      whether every leaf is within its tolerance
    difference  got − expected in the shape of the expected answer: numbers for numbers, null
                where other leaves agree, a sentence where they do not
    worst       largest |got − expected| / tolerance of the numbers that have a tolerance above
                0; None if there is none
    """

    agrees: bool
    difference: Json
    worst: float | None = None


def plain(answer: object) -> object:
    """
    Return an answer as mappings, lists, text, bool, None and exact or float numbers.

    NumPy arrays and scalars become lists and numbers, dates ISO text, enums their value.

    :raises Unanswerable: for any other type.
    """
    if isinstance(answer, Enum):
        return plain(answer.value)
    if answer is None or isinstance(answer, bool | str | int | float | Decimal | Fraction):
        return answer
    if isinstance(answer, Mapping):
        return {str(key): plain(value) for key, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [plain(value) for value in answer]
    if isinstance(answer, date):
        return answer.isoformat()
    if hasattr(answer, "tolist"):
        return plain(answer.tolist())
    raise Unanswerable(f"an answer of type {type(answer).__name__} cannot be compared")


def as_json(answer: object) -> Json:
    """
    Return a plain answer for JSON: Decimal as text, whole fractions as integers.

    Infinities and NaN, which JSON lacks, become text.
    """
    if isinstance(answer, dict):
        return {key: as_json(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [as_json(value) for value in answer]
    if isinstance(answer, Decimal):
        return str(answer)
    if isinstance(answer, Fraction):
        return answer.numerator if answer.denominator == 1 else float(answer)
    if isinstance(answer, float) and not math.isfinite(answer):
        return str(answer)
    return answer


def compare(
    got: object, expected: object, tolerance: Decimal | Mapping[str, Decimal]
) -> Comparison:
    """
    Compare a plain answer with the expected one.

    Numbers compare exactly as written (0.1 is one tenth), also where the expected one is text
    ("2.80") and the answer a number. Text against text, bool and null must be equal. Objects
    need the same keys, lists the same length.
    """
    if isinstance(expected, dict):
        return _compare_objects(got, expected, tolerance)
    allowed = Decimal(0) if isinstance(tolerance, Mapping) else tolerance
    if isinstance(expected, list):
        return _compare_lists(got, expected, allowed)
    return _compare_leaves(got, expected, allowed)


def _compare_objects(
    got: object, expected: dict[str, object], tolerance: Decimal | Mapping[str, Decimal]
) -> Comparison:
    if not isinstance(got, dict):
        return _unlike(got, "an object")
    agrees, difference = True, {}
    ratios: list[float | None] = []
    for key, value in expected.items():
        if key not in got:
            agrees, difference[key] = False, "missing"
            continue
        allowed = tolerance.get(key, Decimal(0)) if isinstance(tolerance, Mapping) else tolerance
        compared = compare(got[key], value, allowed)
        agrees, difference[key] = agrees and compared.agrees, compared.difference
        ratios.append(compared.worst)
    for key in got.keys() - expected.keys():
        agrees, difference[key] = False, "not expected"
    return Comparison(agrees, difference, _largest(ratios))


def _compare_lists(got: object, expected: list[object], tolerance: Decimal) -> Comparison:
    if not isinstance(got, list):
        return _unlike(got, "a list")
    if len(got) != len(expected):
        return Comparison(False, f"{len(got)} entries, expected {len(expected)}")
    compared = [compare(g, e, tolerance) for g, e in zip(got, expected, strict=True)]
    return Comparison(
        all(c.agrees for c in compared),
        [c.difference for c in compared],
        _largest([c.worst for c in compared]),
    )


def _compare_leaves(got: object, expected: object, tolerance: Decimal) -> Comparison:
    if isinstance(got, dict | list):
        return Comparison(False, f"got {'an object' if isinstance(got, dict) else 'a list'}")
    if not _is_number(got) or isinstance(expected, bool) or expected is None:
        same = type(got) is type(expected) and got == expected
        return Comparison(same, None if same else f"got {got!r}")
    left, right = _exact(got), _exact(expected)
    if left is None or right is None:
        return Comparison(False, f"got {got}, which cannot be compared with {expected!r}")
    difference = left - right
    if abs(difference) > _BEYOND:
        return Comparison(False, f"got {got}, more than 1e300 away", float(_BEYOND))
    shown = difference.numerator if difference.denominator == 1 else float(difference)
    allowed = Fraction(tolerance)
    worst = float(min(abs(difference) / allowed, _BEYOND)) if allowed else None
    return Comparison(abs(difference) <= allowed, shown, worst)


def _largest(ratios: list[float | None]) -> float | None:
    return max((ratio for ratio in ratios if ratio is not None), default=None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool)


def _exact(value: object) -> Fraction | None:
    """Return a number, or a number written as text, as it is written; None if it is neither."""
    exponent = _EXPONENT.search(str(value))
    if exponent is not None and abs(int(exponent[1])) > _MOST_DIGITS:
        return None  # its digits, written out, would not fit in memory
    try:
        return Fraction(str(value))
    except ValueError:
        return None


def _unlike(got: object, shape: str) -> Comparison:
    return Comparison(False, f"expected {shape}, got {got!r}")
