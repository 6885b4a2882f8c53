"""Forward quotes over REST: book them, and take wrong ones back."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiView
from energyopti.foundation.calendars import CalendarError

from ..models import QuoteQuality
from ..services.quote_withdrawals import WrongQuote, withdraw_quotes
from ..services.quotes import QuoteDraft, QuoteRefused, book_quotes
from .prices import market_or_404

MOST_QUOTES = 5000


class QuoteInput(StrictSerializer):
    contract = serializers.CharField(max_length=16, help_text="As traded: Cal27, Q1-27, Jan27.")
    load = serializers.CharField(max_length=16, default="BASE", help_text="Code of a shape.")
    value = DecimalString(max_digits=18, decimal_places=6)
    bid = DecimalString(max_digits=18, decimal_places=6, required=False, allow_null=True)
    ask = DecimalString(max_digits=18, decimal_places=6, required=False, allow_null=True)
    valid_from = InstantField(help_text="The instant that the price speaks of.")


class QuotesInput(StrictSerializer):
    market = serializers.CharField(max_length=16)
    source = serializers.CharField(max_length=120)
    quality = serializers.ChoiceField(choices=QuoteQuality.choices)
    quotes = QuoteInput(many=True, allow_empty=False, max_length=MOST_QUOTES)


class QuotesOutput(serializers.Serializer[dict[str, Any]]):
    read = serializers.IntegerField()
    new = serializers.IntegerField()
    corrected = serializers.IntegerField(help_text="Changed prices of the same source.")


class WrongQuoteInput(StrictSerializer):
    contract = serializers.CharField(max_length=16, help_text="As it was quoted.")
    load = serializers.CharField(max_length=16, default="BASE", help_text="Code of a shape.")
    value = DecimalString(max_digits=18, decimal_places=6, help_text="The price that stands.")
    valid_from = InstantField(help_text="The instant that the price speaks of.")


class WithdrawalsInput(StrictSerializer):
    market = serializers.CharField(max_length=16)
    source = serializers.CharField(max_length=120, help_text="Whose quotes they are.")
    reason = serializers.CharField(max_length=400)
    quotes = WrongQuoteInput(many=True, allow_empty=False, max_length=MOST_QUOTES)


class WithdrawalsOutput(serializers.Serializer[dict[str, Any]]):
    read = serializers.IntegerField()
    withdrawn = serializers.IntegerField(help_text="Those that stood until now.")


QUOTES_EXAMPLE = OpenApiExample(
    "Two settlement prices",
    request_only=True,
    value={
        "market": "DE",
        "source": "exchange",
        "quality": "SETTLEMENT",
        "quotes": [
            {"contract": "Cal27", "value": "88.50", "valid_from": "2026-11-20T17:00:00Z"},
            {
                "contract": "Cal27",
                "load": "PEAK",
                "value": "99.80",
                "bid": "99.60",
                "ask": "100.00",
                "valid_from": "2026-11-20T17:00:00Z",
            },
        ],
    },
)
BOOKED_EXAMPLE = OpenApiExample(
    "One new, one corrected", response_only=True, value={"read": 2, "new": 1, "corrected": 1}
)
WITHDRAWAL_EXAMPLE = OpenApiExample(
    "A fat finger",
    request_only=True,
    value={
        "market": "DE",
        "source": "exchange",
        "reason": "8.85 for 88.50",
        "quotes": [{"contract": "Cal27", "value": "8.85", "valid_from": "2026-11-20T17:00:00Z"}],
    },
)
WITHDRAWN_EXAMPLE = OpenApiExample(
    "One withdrawn", response_only=True, value={"read": 1, "withdrawn": 1}
)


class _QuotesView(ApiView):
    """Something done with quotes of one market and source, all or none."""

    permissions: ClassVar[dict[str, str]] = {"POST": "trading.import_prices"}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}

    def done(self, verb: Any, request: Request, given: dict[str, Any], **more: Any) -> Any:
        """Return what a service did with them, or say why it refused."""
        try:
            return verb(
                actor=actor_of(request._request),
                market=market_or_404(given["market"]),
                source=given["source"],
                **more,
            )
        except (QuoteRefused, CalendarError) as error:
            raise Refusal(str(error), code="quote_refused", pointer="/quotes") from error


class QuotesView(_QuotesView):
    """Forward quotes of a market."""

    @extend_schema(
        description=(
            "Book quotes of one market and source, all or none. What is known already is not"
            " booked again; a changed price is a correction."
        ),
        request=QuotesInput,
        responses={200: QuotesOutput},
        examples=[QUOTES_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = QuotesInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        booked = self.done(
            book_quotes,
            request,
            given,
            drafts=[QuoteDraft(**quote) for quote in given["quotes"]],
            quality=QuoteQuality(given["quality"]),
        )
        shown = {"read": booked.read, "new": booked.new, "corrected": booked.corrected}
        return Response(QuotesOutput(shown).data)


class WithdrawalsView(_QuotesView):
    """Quotes that their source takes back."""

    @extend_schema(
        description=(
            "Withdraw wrong quotes of one market and source, all or none: no curve is built from"
            " them from now on, and what was built before stays. Each is named with the price that"
            " stands; one that is withdrawn already stays so."
        ),
        request=WithdrawalsInput,
        responses={200: WithdrawalsOutput},
        examples=[WITHDRAWAL_EXAMPLE, WITHDRAWN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        body = WithdrawalsInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        wrong = [WrongQuote(**quote) for quote in given["quotes"]]
        withdrawn = self.done(withdraw_quotes, request, given, wrong=wrong, reason=given["reason"])
        return Response(WithdrawalsOutput({"read": len(wrong), "withdrawn": withdrawn}).data)
