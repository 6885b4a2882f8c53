"""Contracts with choices over REST: value, hedge and plan, and what is nominated."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiView

from ..queries.structure_values import VIEW, StructureView, structure_of_trade
from ..queries.trades import trade_by_ref
from ..services.nominations import NOMINATE, nominate_structure, withdraw_nomination
from ..services.structure_values import VALUE, ask_value


class StructureHedgeOutput(serializers.Serializer[Any]):
    """What the value moves by with a delivery month; sell the delta to hedge."""

    role = serializers.CharField(help_text="Of the price in the contract: index, power, sink, …")
    market = serializers.CharField()
    unit = serializers.CharField()
    month = serializers.DateField()
    delta = serializers.FloatField(help_text="In `unit`, discounted.")
    gamma = serializers.FloatField(help_text="Of delta, per currency/unit.")
    vega = serializers.FloatField(help_text="Currency per 1.00 of volatility.")
    revalued = serializers.FloatField(
        allow_null=True,
        help_text="Delta by moving the month's price up and down; null until that was done.",
    )
    down = serializers.FloatField(allow_null=True, help_text="The same by a lower price only.")
    up = serializers.FloatField(allow_null=True, help_text="The same by a higher price only.")
    tolerance = serializers.FloatField(allow_null=True, help_text="Of delta less revalued.")
    agreement = serializers.ChoiceField(
        choices=["AGREES", "KINK", "DIFFERS", ""],
        help_text="KINK: other plans are as good, and the delta lies between down and up.",
    )
    gamma_revalued = serializers.FloatField(allow_null=True)
    vega_revalued = serializers.FloatField(allow_null=True)


class StructureDayOutput(serializers.Serializer[Any]):
    """A delivery day of the plan."""

    day = serializers.DateField()
    start = InstantField()
    quantity = serializers.FloatField(help_text="The holder's: taken or withdrawn +, injected −.")
    level = serializers.FloatField(allow_null=True, help_text="At the day's start.")
    price = serializers.FloatField(allow_null=True, help_text="Mean of the first index.")
    cash = serializers.FloatField(help_text="Ours, discounted.")
    is_chosen = serializers.BooleanField(help_text="Begun, or nominated.")


class SimulatedDeltaOutput(serializers.Serializer[Any]):
    """What the value with its time value moves by with a delivery month."""

    role = serializers.CharField()
    market = serializers.CharField()
    unit = serializers.CharField()
    month = serializers.DateField()
    delta = serializers.FloatField(help_text="In `unit`, discounted.")
    error = serializers.FloatField(help_text="One standard deviation of the delta.")


class UsedProcessOutput(serializers.Serializer[Any]):
    """A price process, or a correlation of two, that a simulation stood on."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    kind = serializers.CharField()
    parameters = serializers.DictField(child=serializers.FloatField())


class SimulationOutput(serializers.Serializer[Any]):
    """How the time value was simulated; money is our side."""

    estimate = serializers.FloatField(help_text="Of what is open, out of sample.")
    intrinsic = serializers.FloatField(help_text="Of the same, by the plan.")
    in_sample = serializers.FloatField(help_text="What the rule earned where it was fitted.")
    standard_error = serializers.FloatField(help_text="Of the estimate.")
    paths = serializers.IntegerField()
    seed = serializers.IntegerField()
    processes = UsedProcessOutput(many=True)
    deltas = SimulatedDeltaOutput(many=True, help_text="Empty where the plan holds.")


class StructureValueOutput(serializers.Serializer[Any]):
    """The latest value of a contract with choices; money is our side."""

    as_of = InstantField(source="value.as_of")
    known_at = InstantField(source="value.known_at")
    run = serializers.IntegerField(
        source="value.run_id", allow_null=True, help_text="Null if it was valued by itself."
    )
    currency = serializers.CharField(source="value.currency")
    realised = DecimalString(source="value.realised", max_digits=20, decimal_places=2)
    unrealised = DecimalString(source="value.unrealised", max_digits=20, decimal_places=2)
    time_value = DecimalString(source="value.time_value", max_digits=20, decimal_places=2)
    method = serializers.CharField(source="value.method", allow_blank=True)
    gap = serializers.FloatField(
        source="value.gap", help_text="How much more another plan could be worth."
    )
    standard_error = serializers.FloatField(
        source="value.standard_error", allow_null=True, help_text="Null: nothing is simulated."
    )
    simulation = SimulationOutput(
        source="value.simulation", allow_null=True, help_text="Null: nothing is simulated."
    )
    model = serializers.CharField(source="value.model.formula", allow_null=True, default=None)
    reason = serializers.CharField(
        source="value.reason", allow_blank=True, help_text="Why it has no value."
    )
    findings = serializers.ListField(child=serializers.CharField(), source="value.findings")
    hedge = StructureHedgeOutput(many=True)
    unit = serializers.CharField()
    plan = StructureDayOutput(many=True, source="days")


class StructureJobOutput(serializers.Serializer[Any]):
    """The job that values the contract; ask `/api/v1/jobs/{job}` how far it is."""

    job = serializers.UUIDField()


class NominationInput(StrictSerializer):
    """A delivery day and what is done on it."""

    day = serializers.DateField(help_text="Local delivery day that has not begun.")
    quantities = serializers.ListField(
        child=serializers.DecimalField(max_digits=18, decimal_places=3),
        max_length=25,
        help_text="One of the day; of a plant or battery the MW of each of its 23 to 25 hours; "
        "empty takes back what was said.",
    )


class NominationOutput(serializers.Serializer[Any]):
    """What holds for a day."""

    day = serializers.DateField()
    quantities = serializers.ListField(child=serializers.CharField())
    nominated_at = InstantField()


_VALUE = OpenApiExample(
    "A gas store",
    value={
        "as_of": "2026-11-20T19:00:00Z", "known_at": "2026-11-20T19:00:01Z", "run": 12,
        "currency": "EUR", "realised": "0.00", "unrealised": "81650.41", "time_value": "18400.00",
        "method": "LINEAR_PROGRAMME", "gap": 0.0, "standard_error": 412.5, "model": None,
        "simulation": {
            "estimate": 81650.41, "intrinsic": 63250.41, "in_sample": 81102.7,
            "standard_error": 412.5, "paths": 1000, "seed": 5061487362911,
            "processes": [{"id": 3, "name": "TTF", "version": 1, "kind": "SPOT_LOGNORMAL",
                           "parameters": {"mean_reversion": 15.0, "volatility": 0.9}}],
            "deltas": [{"role": "index", "market": "TTF", "unit": "MWh", "month": "2027-01-01",
                        "delta": 3912.4, "error": 31.2}],
        },
        "reason": "",
        "findings": ["EUR: no interest rate is quoted; contracts with choices are not discounted."],
        "hedge": [{"role": "index", "market": "TTF", "unit": "MWh", "month": "2027-01-01",
                   "delta": 4800.0, "gamma": 0.0, "vega": 0.0, "revalued": 4800.0,
                   "down": 4800.0, "up": 4800.0, "tolerance": 4.8, "agreement": "AGREES",
                   "gamma_revalued": None, "vega_revalued": None}],
        "unit": "MWh",
        "plan": [{"day": "2027-01-01", "start": "2027-01-01T05:00:00Z", "quantity": 240.0,
                  "level": 4000.0, "price": 36.0, "cash": 8580.0, "is_chosen": False}],
    },
    response_only=True,
)  # fmt: skip
_JOB = OpenApiExample(
    "A job",
    value={"job": "0d6f3f3e-3f4c-4f0e-9d0a-5a4f7a8f1f10"},
    response_only=True,
    status_codes=["202"],
)
_NOMINATION = OpenApiExample(
    "A day", value={"day": "2027-01-05", "quantities": ["-120.000"]}, request_only=True
)
_NOMINATED = OpenApiExample(
    "A nominated day",
    value={"day": "2027-01-05", "quantities": ["-120.000"],
           "nominated_at": "2027-01-04T10:15:00Z"},
    response_only=True,
)  # fmt: skip


class StructureValueView(ApiView):
    """What a contract with choices is worth."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": VALUE}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read", "POST": "trades:write"}

    @extend_schema(
        description=(
            "The latest value of a trade's choices, from a valuation run or by itself: method, "
            "hedge by delivery month and the plan by day. 409 where the trade has no choices or "
            "was not valued yet."
        ),
        responses=StructureValueOutput,
        examples=[_VALUE],
    )
    def get(self, request: Request, ref: str) -> Response:
        """Show the value of a contract with choices."""
        view = _view(request, ref)
        if view.value is None:
            raise Refusal(f"trade: {ref} is not valued yet.", code="not_valued", status=409)
        return Response(StructureValueOutput(view).data)

    @extend_schema(
        description="Start to value a trade's choices on the curves of now, as a job.",
        request=None,
        responses={202: StructureJobOutput},
        examples=[_JOB],
    )
    def post(self, request: Request, ref: str) -> Response:
        """Start to value a contract with choices."""
        job = ask_value(actor=actor_of(request._request), ref=ref)
        return Response(StructureJobOutput({"job": job.pk}).data, status=202)


class NominationsView(ApiView):
    """What is nominated of a contract with choices."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": NOMINATE}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read", "POST": "trades:write"}

    @extend_schema(
        description="What holds for each nominated day, by day.",
        responses=NominationOutput(many=True),
        examples=[_NOMINATED],
    )
    def get(self, request: Request, ref: str) -> Response:
        """Show nominated days."""
        return Response(NominationOutput(_view(request, ref).nominations, many=True).data)

    @extend_schema(
        description=(
            "Nominate a delivery day of a contract with choices, or take its nomination back with "
            "empty quantities, before it begins. What breaks the terms with all that was "
            "nominated so far is refused by name."
        ),
        request=NominationInput,
        responses={201: NominationOutput},
        examples=[_NOMINATION, _NOMINATED],
    )
    def post(self, request: Request, ref: str) -> Response:
        """Nominate a day."""
        # Whose trade it is comes before what is wrong with the body.
        trade_by_ref(actor_of(request._request), ref)
        body = NominationInput(data=request.data)
        body.is_valid(raise_exception=True)
        quantities = body.validated_data["quantities"]
        said = {"actor": actor_of(request._request), "ref": ref,
                "day": body.validated_data["day"], "received_at": clock.now()}  # fmt: skip
        if quantities:
            made = nominate_structure(**said, quantities=quantities)
        else:
            made = withdraw_nomination(**said)
        return Response(NominationOutput(made).data, status=201)


def _view(request: Request, ref: str) -> StructureView:
    view = structure_of_trade(trade_by_ref(actor_of(request._request), ref))
    if view is None:
        raise Refusal(f"trade: {ref} is no contract with choices.", code="no_structure", status=409)
    return view
