"""Reading JSON without losing a digit, writing it in one way only, and hashing that."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Any

import rfc8785

# A member name that PostgreSQL's jsonb refuses, so that no stored value can imitate the tag.
_NUMBER_TAG = "\x00number"
_SAFE_INTEGER = 2**53 - 1


def read_exactly(text: str) -> Any:
    """
    Parse JSON so that every number keeps its value: as float or int where these are exact.

    :raises ValueError: if the text is not JSON, or holds NaN or Infinity.
    """
    return json.loads(
        text, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant
    )


def canonical_json(value: Any) -> bytes:
    """
    Return the RFC 8785 form of a JSON value, UTF-8.

    :raises ValueError: for anything that is not JSON: Decimal, datetime, NaN, a lone surrogate.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"value: not canonical JSON ({error}).") from error


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of a JSON value's canonical form, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _integer(token: str) -> Any:
    # Digits are compared as text first: a million of them must not be multiplied out.
    if len(token) <= 17 and abs(int(token)) <= _SAFE_INTEGER:
        return int(token)
    return {_NUMBER_TAG: token}


def _fraction(token: str) -> Any:
    number = float(token)
    if math.isfinite(number) and Decimal(repr(number)) == Decimal(token):
        return number
    return {_NUMBER_TAG: token}


def _refuse_constant(token: str) -> Any:
    raise ValueError(f"value: {token} is not a JSON number.")
