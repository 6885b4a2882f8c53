"""Decimals and moments are taken exactly as written, or refused by name."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer


class Price(StrictSerializer):
    price = DecimalString(max_digits=12, decimal_places=4)


class Moment(StrictSerializer):
    at = InstantField()


@given(st.decimals(min_value=-99999999, max_value=99999999, places=4))
def test_a_decimal_comes_back_to_the_digit(number):
    serializer = Price(data={"price": f"{number:f}"})

    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data["price"] == number
    assert Decimal(Price({"price": number}).data["price"]) == number


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (12.5, "not_a_string"),
        (12, "not_a_string"),
        (True, "not_a_string"),
        ("1e3", "not_plain"),
        ("NaN", "not_plain"),
        ("Infinity", "not_plain"),
        (" 12", "not_plain"),
        ("12 ", "not_plain"),
        ("1,000", "not_plain"),
        ("１２", "not_plain"),
        ("+1", "not_plain"),
        (".5", "not_plain"),
        ("", "not_plain"),
        ("1" * 40, "not_plain"),
        ("0.00001", "max_decimal_places"),
        ("123456789.0", "max_whole_digits"),
        (None, "null"),
    ],
)
def test_a_loose_decimal_is_refused(sent, code):
    serializer = Price(data={"price": sent})

    assert not serializer.is_valid()
    assert [error.code for error in serializer.errors["price"]] == [code]


def test_a_float_does_not_leave_as_a_decimal():
    with pytest.raises(TypeError, match="price: a float"):
        _ = Price({"price": 0.1}).data


@pytest.mark.parametrize(
    "sent", ["2026-11-21T09:00:00Z", "2026-10-25T02:30:00+01:00", "2026-11-21T09:00:00.5+0530"]
)
def test_a_moment_with_an_offset_is_taken(sent):
    serializer = Moment(data={"at": sent})

    assert serializer.is_valid(), serializer.errors
    assert serializer.validated_data["at"].utcoffset() is not None


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("2026-11-21T09:00:00", "no_offset"),
        ("2026-11-21", "no_offset"),
        (1763715600, "not_a_string"),
        ("2026-13-41T09:00:00Z", "invalid"),
    ],
)
def test_a_moment_without_an_offset_is_refused(sent, code):
    serializer = Moment(data={"at": sent})

    assert not serializer.is_valid()
    assert serializer.errors["at"][0].code == code


def test_a_serializer_that_says_more_keeps_its_own_rule():
    class Range(StrictSerializer):
        low = serializers.IntegerField()
        high = serializers.IntegerField()

        def validate(self, attrs):
            if attrs["low"] > attrs["high"]:
                raise serializers.ValidationError("low is above high", "order")
            return attrs

    serializer = Range(data={"low": 2, "high": 1})

    assert not serializer.is_valid()
    assert serializer.errors["non_field_errors"][0].code == "order"
