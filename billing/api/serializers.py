"""What the billing API answers and which filters it takes."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from energyopti.foundation.api.serializers import StrictSerializer

INVOICE_EXAMPLE = {
    "number": "VOLTARA-2027-000012",
    "organization_id": "5b0a3c1e-7d2f-4a8c-9a51-0d6f6f1f3c11",
    "contract": "SUP-2027-1",
    "period_first": "2027-03-01",
    "period_last": "2027-03-31",
    "currency": "EUR",
    "energy_kwh": "18422.500000",
    "net": "1523.40",
    "tax": "289.45",
    "gross": "1812.85",
    "issued_at": "2027-04-01T06:00:00Z",
    "due_date": "2027-04-15",
    "content_hash": "9f2c6a1f2f0e7c7a5d6b8a0c4e1f3d2b9f2c6a1f2f0e7c7a5d6b8a0c4e1f3d2b",
}


class InvoiceFilter(StrictSerializer):
    """Words of the query string."""

    contract = serializers.CharField(required=False, max_length=40)


class LineOut(serializers.Serializer[Any]):
    """One line: the payable amount, and the exact one it was rounded from."""

    position = serializers.IntegerField()
    kind = serializers.CharField()
    description = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=18, decimal_places=6)
    unit = serializers.CharField()
    unit_price = serializers.DecimalField(max_digits=14, decimal_places=8, allow_null=True)
    exact_amount = serializers.DecimalField(max_digits=40, decimal_places=21)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4)


@extend_schema_serializer(examples=[OpenApiExample("A month", value=INVOICE_EXAMPLE)])
class InvoiceOut(serializers.Serializer[Any]):
    """An invoice; decimals are strings, days are local to the contract's market."""

    number = serializers.CharField()
    organization_id = serializers.UUIDField()
    contract = serializers.CharField(source="contract.reference")
    period_first = serializers.DateField()
    period_last = serializers.SerializerMethodField()
    currency = serializers.CharField()
    energy_kwh = serializers.DecimalField(max_digits=18, decimal_places=6)
    net = serializers.DecimalField(max_digits=18, decimal_places=4)
    tax = serializers.DecimalField(max_digits=18, decimal_places=4)
    gross = serializers.DecimalField(max_digits=18, decimal_places=4)
    issued_at = serializers.DateTimeField()
    due_date = serializers.DateField()
    content_hash = serializers.CharField()

    def get_period_last(self, invoice: Any) -> str:
        return (invoice.period_after - timedelta(days=1)).isoformat()


class InvoiceDetailOut(InvoiceOut):
    """An invoice with its lines and the canonical data that its hash is of."""

    lines = LineOut(many=True)
    content = serializers.JSONField()
