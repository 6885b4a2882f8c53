"""What the trading API takes and gives."""

from typing import Any

from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer


class DealInput(StrictSerializer):
    """
    A deal to capture: as one line (`text`), with what the line may leave out beside it.

    `executed_at` makes it a fill, which is booked whatever the checks say.
    """

    text = serializers.CharField(max_length=300)
    book = serializers.CharField(max_length=16, required=False)
    counterparty = serializers.CharField(max_length=16, required=False)
    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)
    client_reference = serializers.CharField(max_length=80, required=False)
    executed_at = InstantField(required=False)


class TradeOutput(serializers.Serializer[Any]):
    """A trade with the terms of its latest version."""

    ref = serializers.CharField(source="trade.ref")
    status = serializers.CharField(source="trade.status")
    basis = serializers.CharField(source="trade.basis")
    book = serializers.CharField(source="trade.book.code")
    counterparty = serializers.CharField(source="trade.counterparty.code")
    client_reference = serializers.CharField(source="trade.client_reference")
    version = serializers.IntegerField()
    traded_at = InstantField()
    recorded_at = InstantField()
    side = serializers.CharField()
    quantity_mw = DecimalString(max_digits=18, decimal_places=6, allow_null=True)
    market = serializers.CharField(source="market.code")
    load_type = serializers.CharField(source="shape")
    period = serializers.CharField(source="period_name")
    delivery_start = InstantField()
    delivery_end = InstantField()
    price = DecimalString(max_digits=16, decimal_places=6, allow_null=True)
    currency = serializers.CharField()
    hours = DecimalString(max_digits=14, decimal_places=4, allow_null=True)
    energy_mwh = DecimalString(max_digits=24, decimal_places=6, allow_null=True)
    notional = DecimalString(max_digits=24, decimal_places=4, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), source="trade.tags")
    checks = serializers.JSONField()


class TradeQuery(StrictSerializer):
    """Filters of the list."""

    book = serializers.CharField(max_length=16, required=False)
    side = serializers.ChoiceField(choices=["BUY", "SELL"], required=False)
    market = serializers.CharField(max_length=16, required=False)
