"""REST of what happens to a trade later: each verb changes the version that its caller has seen."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import MEDIA_TYPE, Refusal, problem_document
from energyopti.foundation.api.views import ApiViewSet
from trading.queries.books import counterparties_for
from trading.queries.trades import trade_by_ref
from trading.services.early_ends import TerminationFee, novate_trade, terminate_trade
from trading.services.exercise import exercise_option
from trading.services.life import StaleVersion
from trading.services.lifecycle import (
    amend_trade,
    approve_amendment,
    cancel_trade,
    correct_trade,
    decline_amendment,
    reject_trade,
    release_trade,
    submit_draft,
)
from trading.services.metering import true_up_trade

from .serializers import TradeDetailOutput, TradeVersionOutput
from .trade_examples import CHANGES, TRADE_DETAIL
from .trade_terms import (
    ChangeInput,
    CorrectionInput,
    ExerciseInput,
    MeterInput,
    NovationInput,
    ReasonInput,
    ReleaseInput,
    TerminationInput,
)
from .trades import deal_in, detail_of, named

IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "The ETag of the version that you have read. If another one holds by now, the answer is "
        "412 and carries both; nothing is changed."
    ),
)
_ETAG = re.compile(r'(?:W/)?"(?P<version>[1-9][0-9]{0,8})"')


# What the role needs for each verb.
PERMISSIONS = {
    "amend": "trading.amend_trade",
    "approve": "trading.release_trade",
    "decline": "trading.release_trade",
    "meter": "trading.amend_trade",
    "correct": "trading.amend_trade",
    "novate": "trading.amend_trade",
    "terminate": "trading.amend_trade",
    "cancel": "trading.cancel_trade",
    "exercise": "trading.exercise_option",
    "release": "trading.release_trade",
    "reject": "trading.release_trade",
    "submit": "trading.capture_trade",
}


def _action(verb: str, what: str, body: type[BaseSerializer[Any]]) -> Callable[[Any], Any]:
    return extend_schema(
        description=f"{what} Needs `If-Match`; takes an `Idempotency-Key`.",
        parameters=[IF_MATCH],
        request=body,
        responses={200: TradeDetailOutput},
        examples=[CHANGES[verb], TRADE_DETAIL],
    )


class TradeActions(ApiViewSet):
    """Verbs on one trade; the routes name the permission of each."""

    permissions: ClassVar[dict[str, str]] = {}  # closed to all but what a route names
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}

    @_action(
        "amend",
        "Give a trade new terms that both sides have agreed on. Where they reach the book's "
        "threshold for four eyes they wait as `proposed_terms` until `approve` or `decline`.",
        ChangeInput,
    )
    def amend(self, request: Request, ref: str) -> Response:
        given = self._body(request, ref, ChangeInput)
        return self._change(request, ref, amend_trade, **self._deal(given), **{
            name: given[name]
            for name in ("reason", "override_reason", "effective_at")
            if name in given
        })  # fmt: skip

    @_action(
        "correct",
        "Put right what was captured wrong: the terms held from the start.",
        CorrectionInput,
    )
    def correct(self, request: Request, ref: str) -> Response:
        given = self._body(request, ref, CorrectionInput)
        return self._change(
            request, ref, correct_trade, **self._deal(given), reason=given["reason"]
        )

    @_action(
        "meter",
        "Let what was delivered until now count as its plant's meter read it. Where nothing is "
        "newly metered the answer is the trade as it was.",
        MeterInput,
    )
    def meter(self, request: Request, ref: str) -> Response:
        return self._change(request, ref, true_up_trade, **self._body(request, ref, MeterInput))

    @_action("cancel", "Take a trade out as if it had never been.", ReasonInput)
    def cancel(self, request: Request, ref: str) -> Response:
        return self._change(request, ref, cancel_trade, **self._body(request, ref, ReasonInput))

    @_action(
        "exercise",
        "Record that the holder of an option exercises it. What delivers becomes a trade at the "
        "strike, which names the option; what is settled in cash is paid.",
        ExerciseInput,
    )
    def exercise(self, request: Request, ref: str) -> Response:
        given = self._body(request, ref, ExerciseInput)
        return self._change(request, ref, exercise_option, **given)

    @_action(
        "release", "Let a pending trade go live, as another person than its authors.", ReleaseInput
    )
    def release(self, request: Request, ref: str) -> Response:
        return self._change(request, ref, release_trade, **self._body(request, ref, ReleaseInput))

    @_action("reject", "Send a pending trade back as a draft.", ReasonInput)
    def reject(self, request: Request, ref: str) -> Response:
        return self._change(request, ref, reject_trade, **self._body(request, ref, ReasonInput))

    @_action(
        "approve", "Let a waiting amendment hold, as another person than its author.", ReleaseInput
    )
    def approve(self, request: Request, ref: str) -> Response:
        given = self._body(request, ref, ReleaseInput)
        return self._change(request, ref, approve_amendment, **given)

    @_action("decline", "Refuse a waiting amendment; the old terms hold on.", ReasonInput)
    def decline(self, request: Request, ref: str) -> Response:
        given = self._body(request, ref, ReasonInput)
        return self._change(request, ref, decline_amendment, **given)

    @_action("submit", "Put a draft before the checks.", ReleaseInput)
    def submit(self, request: Request, ref: str) -> Response:
        return self._change(request, ref, submit_draft, **self._body(request, ref, ReleaseInput))

    @_action(
        "terminate", "End a trade from a delivery day on, for a fee or none.", TerminationInput
    )
    def terminate(self, request: Request, ref: str) -> Response:
        given = dict(self._body(request, ref, TerminationInput))
        if (fee := given.pop("fee", None)) is not None:
            given["fee"] = TerminationFee(
                fee["amount"], fee["currency"], fee["direction"] == "PAY", fee.get("payee", "")
            )
        return self._change(request, ref, terminate_trade, **given)

    @_action(
        "novate",
        "Hand a trade over to another counterparty from a delivery day on; the new trade "
        "names the old one, and the answer is the old one.",
        NovationInput,
    )
    def novate(self, request: Request, ref: str) -> Response:
        given = dict(self._body(request, ref, NovationInput))
        parties = {
            party.code: party
            for party in counterparties_for(actor_of(request))
            if party.organization_id == self.held.trade.organization_id
        }
        party = named(parties, given.pop("counterparty"), "counterparty")
        return self._change(request, ref, novate_trade, counterparty_id=party.id, **given)

    def _body(
        self, request: Request, ref: str, serializer: type[BaseSerializer[Any]]
    ) -> dict[str, Any]:
        # Whose trade it is comes before what is wrong with the body.
        self.held = trade_by_ref(actor_of(request), ref)
        body = serializer(data=request.data)
        body.is_valid(raise_exception=True)
        found: dict[str, Any] = body.validated_data
        return found

    def _deal(self, given: dict[str, Any]) -> dict[str, Any]:
        deal, codes, tags = deal_in(given, self.held.traded_at)
        if any(codes) or tags:
            raise Refusal(
                "text: an amendment changes no book, counterparty or tag.",
                code="trade_invalid", pointer="/text",
            )  # fmt: skip
        return {"deal": deal, "text": given.get("text", "")}

    def _change(
        self, request: Request, ref: str, verb: Callable[..., Any], **arguments: Any
    ) -> Response:
        actor = actor_of(request)
        try:
            verb(
                actor=actor, ref=ref, expected_version=_seen(request), received_at=clock.now(),
                **arguments,
            )  # fmt: skip
        except StaleVersion as error:
            return _stale(request, error)
        return detail_of(actor, ref)


def _seen(request: Request) -> int:
    """Return the version that the caller has read."""
    said = request.headers.get("If-Match", "").strip()
    if not said:
        raise Refusal(
            "If-Match: send the ETag of the version that you have read.",
            code="precondition_required", status=428, parameter="If-Match",
        )  # fmt: skip
    match = _ETAG.fullmatch(said)
    if match is None:
        raise Refusal(
            f"If-Match: “{said[:40]}” is no ETag of a trade, such as \"3\".",
            code="etag_invalid", parameter="If-Match",
        )  # fmt: skip
    return int(match["version"])


def _stale(request: Request, error: StaleVersion) -> Response:
    """Answer 412 with the version that the caller has seen and the one that holds."""
    shown = {
        name: None if version is None else TradeVersionOutput(version).data
        for name, version in (("seen", error.seen), ("held", error.held))
    }
    answer = Response(
        problem_document(
            status=412,
            code="stale_version",
            title="Somebody else has changed it since you read it",
            detail=str(error),
            request_id=getattr(request, "request_id", ""),
            **shown,
        ),
        status=412,
        content_type=MEDIA_TYPE,
    )
    answer["ETag"] = f'"{error.held.version}"'
    return answer
