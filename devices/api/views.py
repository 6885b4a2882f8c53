"""What a device asks and tells over HTTP: short plain views, because a fleet polls all day."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from devices import wire
from devices.schedules.queries.polls import current_revision, rendered_document
from devices.schedules.services import acknowledge
from devices.services.snapshots import Snapshot
from devices.telemetry.services import record_telemetry
from devices.wire import Outcome, Receipt
from energyopti.foundation import clock
from energyopti.foundation.api.parsing import read_body
from energyopti.foundation.api.refusals import Refusal

from .identity import device_view

MAX_BODY_BYTES = 1024 * 1024
_REFUSED_AS = {
    "device-mismatch": 403,
    "unknown-command": 404,
    "unknown-schedule": 404,
    "command-expired": 410,
}


@device_view("GET")
def schedule(request: HttpRequest, device_id: UUID, snapshot: Snapshot) -> HttpResponse:
    """Return the device's schedules in force as one document; 304 if it has them, 204 if none."""
    revision = snapshot.revision
    if revision is None:
        revision = current_revision(device_id)
    if revision and _has(request, revision):
        return _tagged(HttpResponse(status=304), revision)
    found = rendered_document(device_id, revision) if revision else None
    if found is None:
        return _tagged(HttpResponse(status=204), revision)
    revision, document = found
    if _has(request, revision):
        return _tagged(HttpResponse(status=304), revision)
    return _tagged(HttpResponse(document, content_type="application/json"), revision)


def _has(request: HttpRequest, revision: int) -> bool:
    return f'"{revision}"' in request.headers.get("If-None-Match", "")


def _tagged(answer: HttpResponse, revision: int) -> HttpResponse:
    # Weak: orders that are over leave the document without making it a new one.
    answer["ETag"] = f'W/"{revision}"'
    answer["Cache-Control"] = "private, no-cache"
    return answer


@device_view("POST")
def acks(request: HttpRequest, device_id: UUID, _: Snapshot) -> HttpResponse:
    """Record acknowledgements: one object (201, 200 if known, 4xx) or an array (200, receipts)."""
    body = read_body(request, limit=MAX_BODY_BYTES)
    messages = wire.parse_device_messages(body)
    _refuse_foreign([message.device_id for message in messages], device_id)
    receipts = acknowledge(
        messages=[(device_id, message) for message in messages], received_at=clock.now()
    )
    return _answer(body, receipts)


@device_view("POST")
def telemetry(request: HttpRequest, device_id: UUID, _: Snapshot) -> HttpResponse:
    """Record telemetry batches: one object (201, 200 if known, 4xx) or an array (200, receipts)."""
    body = read_body(request, limit=MAX_BODY_BYTES)
    batches = wire.parse_telemetry(body)
    _refuse_foreign([batch.device_id for batch in batches], device_id)
    receipts = record_telemetry(
        batches=[(device_id, batch) for batch in batches], received_at=clock.now()
    )
    return _answer(body, receipts)


def _refuse_foreign(named: list[UUID], device_id: UUID) -> None:
    if any(name != device_id for name in named):
        raise Refusal(
            "device_id must be the device that sends the message.",
            code="device_mismatch",
            status=403,
            pointer="/device_id",
        )


def _answer(body: bytes, receipts: list[Receipt]) -> HttpResponse:
    status = 200
    if not body.lstrip().startswith(b"["):
        (receipt,) = receipts
        if receipt.outcome is Outcome.REFUSED:
            raise Refusal(
                receipt.detail,
                code=receipt.code.replace("-", "_"),
                status=_REFUSED_AS.get(receipt.code, 409),
            )
        status = 201 if receipt.outcome is Outcome.RECORDED else 200
    confirmation = wire.render(wire.Confirmation(results=tuple(receipts)))
    return HttpResponse(confirmation, status=status, content_type="application/json")
