"""Thousands of schedules in one post, by operators and partners."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices import wire
from devices.schedules.services import publish_schedules
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.parsing import read_body
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.views import ApiView

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_SCHEDULES = 20_000

EXAMPLE = [
    {
        "schedule_id": "8f0c6c0e-8e2f-4f6e-9a57-0a4f6f1f2a11",
        "device_id": "5b9d3f6a-21c4-4d6b-8f0a-3c2b1a09f8e7",
        "version": 1,
        "valid_from": "2027-03-28T00:00:00+01:00",
        "valid_to": "2027-03-29T00:00:00+02:00",
        "entries": [
            {
                "start_time": "2027-03-28T01:30:00+01:00",
                "end_time": "2027-03-28T03:00:00+02:00",
                "mode": 2,
                "rate_kw": 7.5,
            }
        ],
    }
]


class BulkSchedules(ApiView):
    """Natural key: (schedule_id, version). The body is parsed typed, not by DRF (46 MB in 1 s)."""

    idempotent = False
    max_body_bytes = MAX_BODY_BYTES
    throttle_cost = 10
    permissions = {"POST": "devices.publish_schedule"}
    scopes = {"POST": "devices:write"}

    @extend_schema(
        operation_id="devices_schedules_bulk",
        summary="Publish schedules",
        description=(
            "Puts the schedules in force, all or none. A schedule replaces what its device was "
            "ordered for [valid_from, valid_to). Sending the same again changes nothing; a "
            "changed schedule needs a higher version."
        ),
        request={
            "application/json": {
                "type": "array",
                "maxItems": MAX_SCHEDULES,
                "items": {"$ref": "#/components/schemas/Schedule"},
            }
        },
        responses={
            200: {
                "type": "object",
                "required": ["published", "unchanged", "replaced"],
                "properties": {
                    "published": {"type": "integer"},
                    "unchanged": {"type": "integer"},
                    "replaced": {"type": "integer"},
                },
            }
        },
        examples=[
            OpenApiExample("one night's charge", value=EXAMPLE, request_only=True),
            OpenApiExample(
                "published",
                value={"published": 1, "unchanged": 0, "replaced": 0},
                response_only=True,
            ),
        ],
        tags=["devices"],
    )
    def post(self, request: Request) -> Response:
        try:
            drafts = wire.parse_schedules(read_body(request._request, limit=MAX_BODY_BYTES))
        except wire.WireError as error:
            raise Refusal(error.detail, code="validation_failed", pointer=error.pointer) from error
        if len(drafts) > MAX_SCHEDULES:
            raise Refusal(
                f"{len(drafts)} schedules; at most {MAX_SCHEDULES} at once.",
                code="too_many_items",
                status=413,
            )
        published = publish_schedules(
            actor=actor_of(request._request), drafts=drafts, published_at=clock.now()
        )
        return Response(
            {
                "published": published.count,
                "unchanged": published.unchanged,
                "replaced": published.replaced,
            }
        )
