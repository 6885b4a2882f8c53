"""Input that is refused rather than guessed at: unknown fields, loose decimals, local times."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)


class StrictSerializer(serializers.Serializer[Any]):
    """
    Refuse every field that the caller may not set, naming it, instead of dropping it silently.

    A dropped field is how `{"status": "approved"}` seems to have worked, and how a misspelled
    `"expiry"` books a trade without one. Read-only fields are refused too. Nested serializers
    and `many=True` check themselves, so the pointer of the error leads into the depth.
    """

    def to_internal_value(self, data: Any) -> Any:
        refused = self._refused_fields(data) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not refused or not isinstance(error.detail, dict):
                raise
            raise ValidationError({**error.detail, **refused}) from error
        if refused:
            raise ValidationError(refused)
        return value

    def _refused_fields(self, data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        refused = {}
        for name in data:
            field = self.fields.get(name)
            if field is None:
                known = ", ".join(n for n, f in self.fields.items() if not f.read_only)
                rule = f"There is no field “{name[:80]}” here; fields are: {known}."
                refused[name] = [ErrorDetail(rule, "unknown_field")]
            elif field.read_only:
                refused[name] = [ErrorDetail(f"“{name}” is set by us.", "read_only_field")]
        return refused


class DecimalString(serializers.DecimalField):
    """
    An exact decimal that travels as a JSON string in plain notation: "-12.50".

    A JSON number is refused: most parsers make a binary fraction of it, and the cent is lost
    before we see it. So are exponents, signs of infinity, spaces and grouping.
    """

    default_error_messages = {
        "not_a_string": 'Send a decimal as a string, such as "12.50", not as a JSON number.',
        "not_plain": 'Write a plain decimal such as "-12.50": digits and at most one point.',
    }

    def __init__(self, *, max_digits: int, decimal_places: int, **kwargs: Any) -> None:
        super().__init__(
            max_digits=max_digits, decimal_places=decimal_places, coerce_to_string=True, **kwargs
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_a_string")
        if not _DECIMAL.fullmatch(data):
            self.fail("not_plain")
        value: Decimal = super().to_internal_value(data)
        return value

    def to_representation(self, value: Any) -> str:
        if isinstance(value, float):
            raise TypeError(f"{self.field_name}: a float has no exact decimal; give a Decimal.")
        return str(super().to_representation(value))


class InstantField(serializers.DateTimeField):
    """A moment as ISO 8601 with an offset or Z; a time without either is refused."""

    default_error_messages = {
        "no_offset": 'Say the offset: "2026-11-21T09:00:00Z" or "…+01:00".',
        "not_a_string": 'Send a moment as a string such as "2026-11-21T09:00:00Z".',
    }

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str):
            self.fail("not_a_string")
        if not re.search(r"(Z|[+-][0-9]{2}:?[0-9]{2})$", value.strip(), re.IGNORECASE):
            self.fail("no_offset")
        return super().to_internal_value(value)
