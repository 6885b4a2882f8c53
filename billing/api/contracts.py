"""REST of supply contracts: who is supplied, in which market, and by which terms."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet

from ..queries.contracts import NoSuchContract, contract_by_reference, visible_contracts


class TermsOut(serializers.Serializer[Any]):
    """A version of the terms; days are local to the market, `valid_until` is not part of it."""

    version = serializers.IntegerField()
    valid_from = serializers.DateField()
    valid_until = serializers.DateField(allow_null=True)
    price_rule = serializers.CharField()
    adder_per_kwh = DecimalString(max_digits=14, decimal_places=8)
    fixed_price_per_kwh = DecimalString(max_digits=14, decimal_places=8, allow_null=True)
    standing_charge_per_day = DecimalString(max_digits=12, decimal_places=4)
    tax_rate = DecimalString(max_digits=5, decimal_places=4)
    payment_days = serializers.IntegerField()


class ContractOut(serializers.Serializer[Any]):
    """A contract with all versions of its terms, oldest first; no `sites` means every site."""

    reference = serializers.CharField()
    organization_id = serializers.UUIDField()
    customer = serializers.CharField(source="organization.name")
    issuer = serializers.CharField(source="issuer.name")
    market = serializers.CharField(source="market.code")
    currency = serializers.CharField()
    sites = serializers.SerializerMethodField()
    agreed_at = InstantField()
    terms = TermsOut(many=True, source="all_terms")

    def get_sites(self, contract: Any) -> list[str]:
        return [str(site.pk) for site in contract.sites.all()]


class NoFilter(StrictSerializer):
    """The list takes no words."""


CONTRACT = OpenApiExample(
    "A bakery supplied at spot",
    response_only=True,
    value={
        "reference": "SUP-2027-1",
        "organization_id": "5b0a3c1e-7d2f-4a8c-9a51-0d6f6f1f3c11",
        "customer": "Bakery",
        "issuer": "Voltara",
        "market": "DE-LU",
        "currency": "EUR",
        "sites": [],
        "agreed_at": "2026-12-01T09:00:00Z",
        "terms": [
            {
                "version": 1,
                "valid_from": "2027-01-01",
                "valid_until": None,
                "price_rule": "SPOT",
                "adder_per_kwh": "0.02000000",
                "fixed_price_per_kwh": None,
                "standing_charge_per_day": "0.3500",
                "tax_rate": "0.1900",
                "payment_days": 14,
            }
        ],
    },
)


class ContractViewSet(ApiListViewSet):
    """Supply contracts of the caller's organizations."""

    permissions = {"GET": "billing.view_contract"}
    scopes = {"GET": "billing:read"}
    ordering = ("reference",)
    lookup_field = "reference"
    lookup_value_regex = "[^/]+"

    @extend_schema(
        operation_id="billing_contracts_list",
        summary="List supply contracts",
        responses=ContractOut(many=True),
        examples=[CONTRACT],
    )
    def list(self, request: Request) -> Response:
        """Return a page of contracts by reference."""
        self.query_of(NoFilter)
        return self.page_of(visible_contracts(actor_of(request)), ContractOut)

    @extend_schema(
        operation_id="billing_contracts_retrieve",
        summary="Read a supply contract",
        responses=ContractOut,
        examples=[CONTRACT],
    )
    def retrieve(self, request: Request, reference: str, **_: Any) -> Response:
        """Return one contract; somebody else's is 404."""
        try:
            contract = contract_by_reference(actor_of(request), reference)
        except NoSuchContract as error:
            raise Http404(str(error)) from error
        return Response(ContractOut(contract).data)
