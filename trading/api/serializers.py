"""What the trading API takes and gives."""

from typing import Any

from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from trading.deals import ProductKind
from trading.models import TradeStatus


class TradeOutput(serializers.Serializer[Any]):
    """A trade with the terms of its latest version."""

    ref = serializers.CharField(source="trade.ref")
    status = serializers.CharField()
    basis = serializers.CharField(source="trade.basis")
    book = serializers.CharField(source="book.code")
    counterparty = serializers.CharField(source="counterparty.code")
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
    product = serializers.CharField(source="product_kind")
    quantity = DecimalString(max_digits=18, decimal_places=6)
    quantity_unit = serializers.CharField()
    frequency = serializers.CharField()
    price_unit = serializers.CharField()
    volume = DecimalString(max_digits=24, decimal_places=6)
    volume_unit = serializers.CharField()
    source = serializers.CharField(source="trade.source")
    external_id = serializers.CharField(source="trade.external_id")
    package = serializers.CharField(source="trade.package_id")
    mic = serializers.CharField()
    clearing_account = serializers.CharField()
    broker = serializers.CharField()


class TradeVersionOutput(serializers.Serializer[Any]):
    """One version of a trade: what made it, who, when and why."""

    version = serializers.IntegerField()
    event = serializers.CharField()
    status = serializers.CharField()
    recorded_at = InstantField()
    effective_at = InstantField()
    counterparty = serializers.CharField(source="counterparty.code")
    quantity = DecimalString(max_digits=18, decimal_places=6)
    quantity_unit = serializers.CharField()
    price = DecimalString(max_digits=16, decimal_places=6, allow_null=True)
    currency = serializers.CharField()
    period = serializers.CharField(source="period_name")
    delivery_start = InstantField()
    delivery_end = InstantField()
    reason = serializers.CharField()
    by = serializers.CharField(source="captured_by_name")


class OptionOutcomeOutput(serializers.Serializer[Any]):
    """What became of a period of an option or of a nominated day; `cash` is ours, received +."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    kind = serializers.CharField()
    decided_at = serializers.DateTimeField()
    prices = serializers.ListField(child=serializers.CharField())
    source = serializers.CharField()
    payoff = serializers.DecimalField(max_digits=18, decimal_places=6, allow_null=True)
    amount = serializers.DecimalField(max_digits=24, decimal_places=6)
    unit = serializers.CharField()
    cash = serializers.DecimalField(max_digits=24, decimal_places=4)
    currency = serializers.CharField()
    due_date = serializers.DateField(allow_null=True)
    result = serializers.CharField(source="result.ref", default=None, allow_null=True)


class MeteredMonthOutput(serializers.Serializer[Any]):
    """A delivery month of a deal on an asset's output, our share of what was metered of it."""

    month = serializers.DateField(source="part.month")
    minutes = serializers.IntegerField()
    intervals = serializers.IntegerField()
    metered_intervals = serializers.IntegerField()
    expected_mwh = DecimalString(max_digits=24, decimal_places=9)
    metered_mwh = DecimalString(max_digits=24, decimal_places=9)
    difference_mwh = DecimalString(max_digits=24, decimal_places=9)


class FixedCashOutput(serializers.Serializer[Any]):
    """What is paid for a delivery month at fixed prices; `amount` is ours, received +."""

    month = serializers.DateField()
    volume = DecimalString(max_digits=24, decimal_places=6)
    unit = serializers.CharField()
    amount = DecimalString(max_digits=24, decimal_places=2)
    currency = serializers.CharField()


class FloatingCashOutput(FixedCashOutput):
    """What a leg at a published price pays for a month that is published in full."""

    index = serializers.CharField()
    price = DecimalString(
        max_digits=24, decimal_places=6, help_text="With the leg's multiplier and spread."
    )


class SingleCashOutput(serializers.Serializer[Any]):
    """A premium or a fee; `amount` is ours, received +."""

    what = serializers.CharField()
    amount = DecimalString(max_digits=24, decimal_places=2)
    currency = serializers.CharField()


class CashOutput(serializers.Serializer[Any]):
    """
    The cash of a trade; what options and contracts with choices pay stands in `outcomes`.

    `open` names the indices of months that are not published in full.
    """

    fixed = FixedCashOutput(many=True)
    floating = FloatingCashOutput(many=True)
    single = SingleCashOutput(many=True)
    open = serializers.ListField(child=serializers.CharField())


class TradeDetailOutput(TradeOutput):
    """
    A trade with its terms leg by leg, and all its versions, oldest first.

    `proposed_terms` are those of an amendment that waits for a second person, or null; `metered`
    are the months that its asset's meter has spoken of, `expected_mwh` of the same intervals, or
    null while they cannot be read; `outcomes` what became of an option's periods and of nominated
    days, `cash` all other cash.
    """

    terms = serializers.JSONField(source="terms_shown")
    proposed_terms = serializers.JSONField(source="proposed_shown", allow_null=True)
    metered = MeteredMonthOutput(many=True, source="metered_months", allow_null=True)
    versions = TradeVersionOutput(many=True, source="all_versions")
    outcomes = OptionOutcomeOutput(many=True)
    cash = CashOutput()


class TradeQuery(StrictSerializer):
    """Filters of the list."""

    book = serializers.CharField(max_length=16, required=False)
    side = serializers.ChoiceField(choices=["BUY", "SELL"], required=False)
    market = serializers.CharField(max_length=24, required=False)
    status = serializers.ChoiceField(
        choices=[status.value for status in TradeStatus], required=False
    )
    product = serializers.ChoiceField(choices=[kind.value for kind in ProductKind], required=False)
    counterparty = serializers.CharField(max_length=16, required=False)
    client_reference = serializers.CharField(max_length=80, required=False)
    external_id = serializers.CharField(max_length=80, required=False)
    package = serializers.CharField(max_length=40, required=False)
    as_of = InstantField(required=False)
