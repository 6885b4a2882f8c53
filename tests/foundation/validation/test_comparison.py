"""Comparing answers: types, shapes, tolerances, and what JSON cannot hold."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np
import pytest

from energyopti.foundation.validation.comparison import Unanswerable, as_json, compare, plain

ZERO = Decimal(0)


class Color(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("got", "expected", "tolerance", "agrees"),
    [
        (23, 23, "0", True),
        (23.0, 23, "0", True),
        (Fraction(23), 23, "0", True),
        (Decimal("2.8"), "2.80", "0", True),
        (Decimal("0.1"), 0.1, "0", True),
        (0.30000000000000004, 0.3, "0", False),
        (1.01, 1, "0.01", True),
        (1.0101, 1, "0.01", False),
        (0.99, 1, "0.01", True),
        (float("nan"), 1, "1", False),
        (float("inf"), 1, "1", False),
        (1, "one", "1", False),
        ("2.8", "2.80", "1", False),
        ("valid", "valid", "0", True),
        ("valid", "invalid", "0", False),
        (True, True, "0", True),
        (1, True, "0", False),
        (True, 1, "0", False),
        (0, None, "0", False),
        (None, None, "0", True),
        ("1", 1, "0", False),
        ([1, 2], [1, 2], "0", True),
        ([1, 2], [2, 1], "0", False),
        ([1], [1, 2], "0", False),
        ([], [], "0", True),
        (1, [1], "0", False),
        ([1], 1, "0", False),
        ({"a": 1}, 1, "0", False),
        (1, {"a": 1}, "0", False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}]}, "0", True),
        ({"a": 1, "b": 2}, {"a": 1}, "0", False),
        ({}, {"a": 1}, "0", False),
    ],
)
def test_answers_agree_or_not(got, expected, tolerance, agrees):
    assert compare(got, expected, Decimal(tolerance)).agrees is agrees


def test_tolerance_by_key_leaves_other_keys_exact():
    tolerance = {"var": Decimal("0.5")}

    compared = compare({"var": 1.4, "es": 2.4}, {"var": 1, "es": 2}, tolerance)

    assert not compared.agrees
    assert compare({"var": 1.4, "es": 2}, {"var": 1, "es": 2}, tolerance).agrees
    assert not compare([1.4], [1], tolerance).agrees


def test_tolerance_of_a_key_holds_below_it():
    assert compare({"x": [[1.1]]}, {"x": [[1]]}, {"x": Decimal("0.2")}).agrees


def test_difference_has_the_shape_of_the_expected_answer():
    compared = compare({"a": [1.5, "x"], "b": "y", "d": 4}, {"a": [1, "x"], "b": "z", "c": 3}, ZERO)

    assert compared.difference == {
        "a": [0.5, None],
        "b": "got 'y'",
        "c": "missing",
        "d": "not expected",
    }


def test_answers_become_plain_and_then_json():
    answer = {
        "array": np.array([[1.5, 2.0]]),
        "scalar": np.float64(0.5),
        "date": date(2027, 3, 28),
        "color": Color.RED,
        "money": Decimal("2.80"),
        "hours": Fraction(46, 2),
        "third": Fraction(1, 4),
        "nan": float("nan"),
        "tuple": (1, None, True),
    }

    assert as_json(plain(answer)) == {
        "array": [[1.5, 2.0]],
        "scalar": 0.5,
        "date": "2027-03-28",
        "color": "red",
        "money": "2.80",
        "hours": 23,
        "third": 0.25,
        "nan": "nan",
        "tuple": [1, None, True],
    }


def test_answers_without_a_place_in_json_are_refused():
    with pytest.raises(Unanswerable, match="of type set"):
        plain({"a": {1}})
