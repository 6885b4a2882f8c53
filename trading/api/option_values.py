"""The value and Greeks of one option over REST."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.pagination import ListPage
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView

from ..queries.books import chosen_books
from ..queries.option_positions import option_positions
from ..queries.option_values import VIEW, has_options, option_of_trade
from ..queries.trades import trade_by_ref
from ..services.locks import server_time


class OptionCashOutput(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = DecimalString(max_digits=24, decimal_places=2)


class EarlyExerciseOutput(serializers.Serializer[Any]):
    """What the choice of time of an American or Bermudan right is worth; our quantity."""

    any_time = serializers.BooleanField(help_text="Until it expires; else on `exercises`.")
    exercises = serializers.ListField(child=InstantField(), help_text="The dates that are left.")
    premium = serializers.FloatField(help_text="Above the right to decide at the expiry alone.")
    exercise = serializers.FloatField(
        allow_null=True, help_text="What exercise now pays; null if today is no day of exercise."
    )
    hold = serializers.FloatField(
        help_text="Worth if not exercised now, nor if American within a day, if Bermudan today."
    )
    is_best_now = serializers.BooleanField(help_text="The holder does better to exercise now.")
    boundary = serializers.FloatField(
        allow_null=True, help_text="Price of the underlying from which on exercise now is better."
    )
    error = serializers.FloatField(help_text="Estimate of what the value may be wrong by.")
    method = serializers.CharField()


class OptionRightOutput(serializers.Serializer[Any]):
    """One right: a month of a strip, else the whole delivery."""

    what = serializers.CharField()
    first = serializers.DateField(help_text="First delivery day.")
    last = serializers.DateField(help_text="Last delivery day.")
    second = serializers.ListField(
        child=serializers.DateField(),
        allow_null=True,
        help_text="First and last delivery day of what a spread subtracts, if they are others.",
    )
    strike = serializers.FloatField(help_text="Of a spread with the cost that lowers it.")
    expires_at = InstantField()
    is_over = serializers.BooleanField()
    forwards = serializers.ListField(
        child=serializers.FloatField(allow_null=True),
        help_text="Of each underlying, a spread's second times its ratio; null where no curve"
        " speaks.",
    )
    volatilities = serializers.ListField(
        child=serializers.FloatField(allow_null=True),
        help_text="Of each underlying: 0.35 is 35 %, or currency/unit under Bachelier.",
    )
    correlation = serializers.FloatField(allow_null=True)
    discount = serializers.FloatField(allow_null=True)
    quantity = serializers.FloatField(help_text="Held +, written −, in `unit`.")
    unit = serializers.CharField()
    price = serializers.FloatField(allow_null=True, help_text="Per unit, discounted.")
    value = serializers.FloatField(allow_null=True)
    model = serializers.CharField(allow_null=True, source="model.formula", default=None)
    model_version = serializers.IntegerField(allow_null=True, source="model.number", default=None)
    reason = serializers.CharField(allow_blank=True, help_text="Why it is not valued.")
    style = serializers.CharField(help_text="EUROPEAN, AMERICAN or BERMUDAN.")
    early = EarlyExerciseOutput(allow_null=True, help_text="Null of a European right.")
    note = serializers.CharField(
        allow_blank=True, help_text="What its volatility is composed of, if no contract covers it."
    )


class OptionGreekOutput(serializers.Serializer[Any]):
    """How the option moves with one delivery month."""

    market = serializers.CharField()
    month = serializers.DateField()
    shape = serializers.CharField()
    unit = serializers.CharField()
    delta = serializers.FloatField(help_text="In `unit`.")
    delta_revalued = serializers.FloatField(
        source="revalued", help_text="By moving the month's price and valuing again."
    )
    hedge = serializers.FloatField(help_text="To trade so that the price moves nothing; bought +.")
    gamma = serializers.FloatField(help_text="Of delta, per currency/unit.")
    vega = serializers.FloatField(help_text="Currency per point of volatility.")
    theta = serializers.FloatField(help_text="Currency per day.")


class ComparedGreekOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    unit = serializers.CharField()
    formula = serializers.FloatField()
    revalued = serializers.FloatField()
    difference = serializers.FloatField()


class OptionValueOutput(serializers.Serializer[Any]):
    """An option by the latest valuation run, or on the curves of now; our side."""

    as_of = InstantField()
    known_at = InstantField()
    run = serializers.IntegerField(source="run.pk", allow_null=True, default=None)
    currency = serializers.CharField()
    value = serializers.FloatField(
        allow_null=True, help_text="Discounted, without the premium; null if not valued in full."
    )
    implied = serializers.FloatField(
        allow_null=True,
        help_text="Volatility at which it is worth its premium; only of a look at now.",
    )
    cash = OptionCashOutput(many=True, help_text="Premium, paid −, and what an exercise paid.")
    rights = OptionRightOutput(many=True)
    greeks = OptionGreekOutput(many=True)
    compared = ComparedGreekOutput(many=True)
    findings = serializers.ListField(child=serializers.CharField())


EXAMPLE = OpenApiExample(
    "A call on a quarter",
    value={
        "as_of": "2026-11-20T18:00:00Z", "known_at": "2026-11-20T18:00:04Z", "run": 812,
        "currency": "EUR", "value": 67913.52, "implied": None,
        "cash": [{"currency": "EUR", "amount": "-86360.00"}],
        "rights": [{
            "what": "Call on forward", "first": "2027-01-01", "last": "2027-03-31",
            "second": None, "strike": 100.0, "expires_at": "2026-12-20T11:00:00Z", "is_over": False,
            "forwards": [95.0], "volatilities": [0.45], "correlation": None,
            "discount": 0.997127, "quantity": 21590.0, "unit": "MWh", "price": 3.1456,
            "value": 67913.52, "model": "BLACK76", "model_version": 1, "reason": "",
            "style": "EUROPEAN", "early": None,
            "note": "",
        }],
        "greeks": [{
            "market": "DE", "month": "2027-01-01", "shape": "BASE", "unit": "MWh",
            "delta": 2734.209, "delta_revalued": 2734.209, "hedge": -2734.209, "gamma": 204.51,
            "vega": 231.06, "theta": -572.84,
        }],
        "compared": [{
            "name": "Theta", "unit": "EUR per day", "formula": -1662.3, "revalued": -1663.9,
            "difference": 1.6,
        }],
        "findings": [],
    },
    response_only=True,
)  # fmt: skip


class OptionValueView(ApiView):
    """What one option is worth and how it moves."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description=(
            "The value of a trade's options by the cut of the latest valuation run that holds it, "
            "else on the curves of now: what each right was valued on, Greeks by delivery month "
            "with the hedge, and each Greek beside its full revaluation. 409 where the trade has "
            "no option."
        ),
        responses=OptionValueOutput,
        examples=[EXAMPLE],
    )
    def get(self, request: Request, ref: str) -> Response:
        """Show an option's value and Greeks."""
        version = trade_by_ref(actor_of(request._request), ref)
        if not has_options(version):
            raise Refusal(f"trade: {ref} has no option.", code="no_option", status=409)
        found = option_of_trade(version, now=clock.now(), known_at=server_time())
        return Response(OptionValueOutput(found).data)


class OptionPositionQuery(StrictSerializer):
    """Which books."""

    book = serializers.UUIDField(required=False, help_text="With those below it.")


class OptionPositionOutput(serializers.Serializer[Any]):
    """What the options of a book move by in a month, at the latest valuation run."""

    book = serializers.CharField()
    market = serializers.CharField()
    month = serializers.DateField()
    shape = serializers.CharField()
    unit = serializers.CharField()
    currency = serializers.CharField()
    trades = serializers.IntegerField()
    delta = DecimalString(max_digits=30, decimal_places=6, help_text="In `unit`.")
    hedge = DecimalString(max_digits=30, decimal_places=6, help_text="To trade; bought +.")
    gamma = DecimalString(max_digits=30, decimal_places=6)
    vega = DecimalString(max_digits=30, decimal_places=6)
    theta = DecimalString(max_digits=30, decimal_places=6)


POSITION_EXAMPLE = OpenApiExample(
    "Options on January",
    value={
        "book": "EU", "market": "DE", "month": "2027-01-01", "shape": "BASE", "unit": "MWh",
        "currency": "EUR", "trades": 3, "delta": "2734.208996", "hedge": "-2734.208996",
        "gamma": "204.510000", "vega": "231.060000", "theta": "-572.836434",
    },
    response_only=True,
)  # fmt: skip


class OptionPositionViewSet(ApiListViewSet):
    """Deltas of the options in the caller's books."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    pagination_class = ListPage
    serializer_class = OptionPositionOutput
    ordering = ("book", "market", "month", "shape", "currency")

    @extend_schema(
        description=(
            "Page through the Greeks of options by book, market and delivery month, of the latest "
            "valuation run; positions add their deltas by `with_deltas`."
        ),
        parameters=[OptionPositionQuery],
        responses=OptionPositionOutput(many=True),
        examples=[POSITION_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """Page through the Greeks of a book's options by month."""
        asked = self.query_of(OptionPositionQuery)
        books = chosen_books(actor_of(request._request), asked.get("book"))
        return self.page_of(list(option_positions(books).lines), OptionPositionOutput)
