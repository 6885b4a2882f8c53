"""What the complete view answers, with an example; each section is there if it may be seen."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField


class AgreementPart(serializers.Serializer[Any]):
    """A master agreement in force or to come."""

    counterparty = serializers.CharField()
    kind = serializers.CharField()
    reference = serializers.CharField()
    effective_date = serializers.DateField()
    ended_date = serializers.DateField(allow_null=True)
    governing_law = serializers.CharField()


class SupplyPart(serializers.Serializer[Any]):
    """A supply contract with its latest terms and the gross sum of its invoices."""

    reference = serializers.CharField()
    customer = serializers.CharField()
    market = serializers.CharField(source="market_code")
    currency = serializers.CharField()
    price_rule = serializers.CharField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    billed_gross = DecimalString(max_digits=24, decimal_places=4, allow_null=True)


class ContractsPart(serializers.Serializer[Any]):
    """Master agreements of the desk, and supply contracts of customers."""

    agreements = AgreementPart(many=True, required=False)
    supply = SupplyPart(many=True, required=False)


class NewTrade(serializers.Serializer[Any]):
    """A trade in its latest version."""

    ref = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.CharField()
    book = serializers.CharField()
    counterparty = serializers.CharField()
    product = serializers.CharField()
    side = serializers.CharField()
    market = serializers.CharField()
    period = serializers.CharField()
    quantity = serializers.CharField()
    quantity_unit = serializers.CharField()
    price = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    traded_at = InstantField()


class TradesPart(serializers.Serializer[Any]):
    """All trades counted, and the newest 25; the rest by /api/v1/trading/trades."""

    count = serializers.IntegerField()
    by_status = serializers.DictField(child=serializers.IntegerField())
    newest = NewTrade(many=True)


class PositionPart(serializers.Serializer[Any]):
    """
    What is held in a delivery month, this one or later; bought +, sold −.

    `exposure` and `physical` are per HOUR of the product (for MWh: MW), per delivery DAY, or of
    the whole month, as `per` says; volumes by period are at /api/v1/trading/positions.
    """

    delivery_point = serializers.CharField()
    month = serializers.DateField()
    product = serializers.CharField()
    per = serializers.CharField()
    unit = serializers.CharField()
    currency = serializers.CharField()
    exposure = serializers.CharField()
    physical = serializers.CharField()
    average_price = serializers.CharField(allow_null=True)


class LimitPart(serializers.Serializer[Any]):
    """A limit and its use by what is held."""

    id = serializers.IntegerField()
    measure = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    used = serializers.FloatField()
    share = serializers.FloatField()
    is_breached = serializers.BooleanField()


class BreachPart(serializers.Serializer[Any]):
    """That a limit was crossed in the last 30 days."""

    id = serializers.IntegerField()
    detected_at = InstantField()
    before = serializers.FloatField()
    after = serializers.FloatField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    cause = serializers.CharField()


class RiskPart(serializers.Serializer[Any]):
    """A book with those below it; VaR and ES are positive losses by the stated convention."""

    book = serializers.CharField()
    revision = serializers.IntegerField()
    valued_at = InstantField(allow_null=True)
    currency = serializers.CharField()
    value = serializers.FloatField()
    var = serializers.FloatField()
    es = serializers.FloatField()
    convention = serializers.CharField()
    limits = LimitPart(many=True)
    breaches = BreachPart(many=True)


class CarbonPart(serializers.Serializer[Any]):
    """The newest carbon report of an organization."""

    organization = serializers.CharField(source="organization_name")
    month = serializers.DateField()
    version = serializers.IntegerField()
    energy_kwh = DecimalString(max_digits=18, decimal_places=6)
    emissions_t = DecimalString(max_digits=18, decimal_places=6)
    is_complete = serializers.BooleanField()
    content_hash = serializers.CharField()
    built_at = InstantField()


class AuditPart(serializers.Serializer[Any]):
    """How far the audit chain has come; that it holds is said by `verify_audit`."""

    records = serializers.IntegerField()
    head = serializers.CharField()
    recorded_at = InstantField(allow_null=True)
    waiting = serializers.IntegerField()


class CompliancePart(serializers.Serializer[Any]):
    """What compliance has to show."""

    carbon_reports = CarbonPart(many=True, required=False)
    audit = AuditPart(required=False)


class CompleteOutput(serializers.Serializer[Any]):
    """Sections that the caller may see; what is left out is named in `not_permitted`."""

    as_of = InstantField()
    not_permitted = serializers.ListField(child=serializers.CharField())
    contracts = ContractsPart(required=False)
    trades = TradesPart(required=False)
    positions = PositionPart(many=True, required=False)
    risk = RiskPart(many=True, required=False)
    compliance = CompliancePart(required=False)


_LIMIT = {
    "id": 1,
    "measure": "VaR 99 %",
    "amount": "300000.00",
    "currency": "EUR",
    "used": 217905.6,
    "share": 0.726,
    "is_breached": False,
}
COMPLETE = OpenApiExample(
    "A trader's desk",
    response_only=True,
    value={
        "as_of": "2026-11-21T16:30:00Z",
        "not_permitted": ["contracts.supply", "compliance.carbon_reports", "compliance.audit"],
        "contracts": {
            "agreements": [
                {
                    "counterparty": "ACME",
                    "kind": "EFET",
                    "reference": "EFET-2026-1",
                    "effective_date": "2026-01-01",
                    "ended_date": None,
                    "governing_law": "German law",
                }
            ]
        },
        "trades": {
            "count": 1,
            "by_status": {"LIVE": 1},
            "newest": [
                {
                    "ref": "T-00000042",
                    "version": 1,
                    "status": "LIVE",
                    "book": "EU",
                    "counterparty": "ACME",
                    "product": "PHYSICAL_FORWARD",
                    "side": "BUY",
                    "market": "DE",
                    "period": "Cal27",
                    "quantity": "10",
                    "quantity_unit": "MW",
                    "price": "85.2",
                    "currency": "EUR",
                    "traded_at": "2026-11-20T18:00:00+00:00",
                }
            ],
        },
        "positions": [
            {
                "delivery_point": "DE",
                "month": "2027-01-01",
                "product": "BASE",
                "per": "HOUR",
                "unit": "MWh",
                "currency": "EUR",
                "exposure": "10",
                "physical": "10",
                "average_price": "85.2",
            }
        ],
        "risk": [
            {
                "book": "EU",
                "revision": 3,
                "valued_at": "2026-11-21T16:30:00Z",
                "currency": "EUR",
                "value": -2156.6,
                "var": 217905.6,
                "es": 246310.4,
                "convention": "VaR 99 %, 1 day, historical simulation, 500 scenarios; 5th worst",
                "limits": [_LIMIT],
                "breaches": [],
            }
        ],
    },
)
