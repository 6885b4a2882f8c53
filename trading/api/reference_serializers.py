"""What the API takes and gives of reference data."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from trading.models import (
    AgreementKind,
    CounterpartyStatus,
    IndexFrequency,
    MarketKind,
    Technology,
)

AMOUNT = {"max_digits": 20, "decimal_places": 2, "coerce_to_string": True}


class CounterpartyInput(StrictSerializer):
    """A company to deal with."""

    code = serializers.CharField(max_length=16, help_text="One word, as traders write it.")
    name = serializers.CharField(max_length=160)
    legal_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    lei = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="ISO 17442."
    )
    country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="ISO 3166, two letters."
    )
    is_internal = serializers.BooleanField(required=False, default=False)
    status = serializers.ChoiceField(
        choices=CounterpartyStatus.choices, required=False, default="ACTIVE"
    )
    organization = serializers.UUIDField(
        required=False, help_text="Needed where you belong to several."
    )


class CounterpartyOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organization = serializers.UUIDField(source="organization_id")
    code = serializers.CharField()
    name = serializers.CharField()
    legal_name = serializers.CharField()
    lei = serializers.CharField(help_text="Empty where there is none.")
    country = serializers.CharField()
    is_internal = serializers.BooleanField()
    status = serializers.ChoiceField(choices=CounterpartyStatus.choices)


class CounterpartyQuery(StrictSerializer):
    """Filters of the list."""

    code = serializers.CharField(max_length=16, required=False)
    lei = serializers.CharField(max_length=20, required=False)
    status = serializers.ChoiceField(choices=CounterpartyStatus.choices, required=False)


class CollateralOutput(serializers.Serializer[Any]):
    kind = serializers.CharField()
    currency = serializers.CharField()
    haircut = serializers.DecimalField(
        max_digits=6, decimal_places=5, help_text="A fraction: 0.02000 for 2 %."
    )


class AnnexOutput(serializers.Serializer[Any]):
    """A credit support annex, valid in [valid_from, valid_to)."""

    id = serializers.UUIDField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    currency = serializers.CharField()
    threshold_ours = serializers.DecimalField(
        **AMOUNT, allow_null=True, help_text="Null is without limit: we never post."
    )
    threshold_theirs = serializers.DecimalField(
        **AMOUNT, allow_null=True, help_text="Null is without limit: they never post."
    )
    minimum_transfer = serializers.DecimalField(**AMOUNT)
    rounding = serializers.DecimalField(**AMOUNT)
    independent_amount = serializers.DecimalField(
        **AMOUNT, help_text="Positive: they post it to us."
    )
    collateral = CollateralOutput(many=True)


class NettingSetOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    commodities = serializers.SerializerMethodField(help_text="Codes; none is all of them.")
    annexes = AnnexOutput(many=True)

    def get_commodities(self, row: Any) -> list[str]:
        return sorted(each.code for each in row.commodities.all())


class AgreementOutput(serializers.Serializer[Any]):
    """A master agreement, in force in [effective_date, ended_date)."""

    id = serializers.UUIDField()
    counterparty = serializers.CharField(source="counterparty.code")
    counterparty_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AgreementKind.choices)
    reference = serializers.CharField()
    signed_date = serializers.DateField()
    effective_date = serializers.DateField()
    ended_date = serializers.DateField(allow_null=True)
    governing_law = serializers.CharField()
    netting_sets = NettingSetOutput(many=True)


class AgreementQuery(StrictSerializer):
    """Filters of the list."""

    counterparty = serializers.CharField(max_length=16, required=False, help_text="Code.")
    kind = serializers.ChoiceField(choices=AgreementKind.choices, required=False)


@extend_schema_field({"type": "integer", "description": "Minutes from local midnight, −60 is 23:00 of the day before."})  # fmt: skip  # noqa: E501
class MinutesField(serializers.Field[timedelta, int, int, timedelta]):
    """A length of time as whole minutes."""

    def to_representation(self, value: timedelta) -> int:
        return value // timedelta(minutes=1)


class DeliveryPointOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    commodity = serializers.CharField(source="commodity.code")
    kind = serializers.ChoiceField(choices=MarketKind.choices)
    parent = serializers.CharField(source="parent.code", default="", help_text="Its zone or hub.")
    country = serializers.CharField()
    eic = serializers.CharField()
    time_zone = serializers.CharField()
    day_start_minutes = MinutesField(source="day_start")
    currency = serializers.CharField()
    price_unit = serializers.CharField()
    shape_calendar = serializers.CharField(source="shape_calendar.code", default="")
    period_minutes = serializers.IntegerField()


class DeliveryPointQuery(StrictSerializer):
    """Filters of the list."""

    commodity = serializers.CharField(max_length=16, required=False, help_text="Code.")
    kind = serializers.ChoiceField(choices=MarketKind.choices, required=False)
    country = serializers.CharField(max_length=2, required=False)
    eic = serializers.CharField(max_length=16, required=False)


class YearQuery(StrictSerializer):
    year = serializers.IntegerField(min_value=2000, max_value=2099)


class ShapeHoursOutput(serializers.Serializer[Any]):
    """Hours that a shape delivers; null where its holidays do not reach."""

    shape = serializers.CharField(source="code")
    versions = serializers.ListField(child=serializers.IntegerField())
    months = serializers.SerializerMethodField(help_text="Twelve, January first.")
    year = serializers.SerializerMethodField()

    def get_months(self, row: Any) -> list[str | None]:
        return [_plain(hours) for hours in row.months]

    def get_year(self, row: Any) -> str | None:
        return _plain(row.year)


class IndexOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    market = serializers.CharField(source="market.code")
    currency = serializers.CharField()
    price_unit = serializers.CharField()
    frequency = serializers.ChoiceField(choices=IndexFrequency.choices)
    load_shape = serializers.CharField(help_text="Empty is all hours.")
    publication_days = serializers.IntegerField()
    publication_time = serializers.TimeField()
    valued_on = serializers.CharField(
        help_text="Curve of its market that fixings to come are valued on; empty if there is none"
        " in its currency and unit."
    )
    source = serializers.CharField()
    is_active = serializers.BooleanField()


class PlantOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    market = serializers.CharField(source="market.code")
    technology = serializers.ChoiceField(choices=Technology.choices)
    installed_mwp = DecimalString(max_digits=12, decimal_places=6)
    capacity_factors = serializers.CharField(
        help_text="Expected share of the installed power: one number, or twelve from January on."
    )
    metering_asset_id = serializers.CharField()
    is_active = serializers.BooleanField()


class IndexQuery(StrictSerializer):
    """Filters of the list."""

    market = serializers.CharField(max_length=16, required=False, help_text="Code.")


class DeskBookOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    organization = serializers.UUIDField(source="organization_id")
    code = serializers.CharField()
    name = serializers.CharField()
    parent_id = serializers.UUIDField(allow_null=True)
    reporting_currency = serializers.CharField()
    owner = serializers.CharField(source="owner.name", default="")
    is_active = serializers.BooleanField()


class ShapeOutput(serializers.Serializer[Any]):
    """One version of a shape; never changed."""

    calendar = serializers.CharField(source="calendar.code")
    shape = serializers.CharField(source="code")
    version = serializers.IntegerField()
    name = serializers.CharField()
    valid_from = serializers.DateField(help_text="First delivery date.")
    day_start_minutes = MinutesField(source="calendar.day_start")
    weekdays = serializers.CharField(help_text="Digits, Monday 1 to Sunday 7.")
    from_minute = serializers.IntegerField(help_text="After the delivery day's start.")
    to_minute = serializers.IntegerField()
    holiday_rule = serializers.CharField()
    holiday_calendar = serializers.CharField(source="holiday_calendar.code", default="")
    complement_of = serializers.CharField(source="complement_of.code", default="")
    recorded_at = InstantField()


class ShapeQuery(StrictSerializer):
    """Filters of the list."""

    calendar = serializers.CharField(max_length=16, required=False)
    shape = serializers.CharField(max_length=16, required=False)


def _plain(hours: Decimal | None) -> str | None:
    return None if hours is None else f"{hours.normalize():f}"
