"""Who a device is over HTTP: `Authorization: Bearer <token>`, checked in Redis, else in tables."""

import hmac
from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from devices.queries.credentials import holds_token, token_is_of_another
from devices.services.registration import digest_of
from devices.services.snapshots import Snapshot, read_snapshot, remember_token
from devices.wire import WireError
from energyopti.foundation.api.refusals import MEDIA_TYPE, Refusal, problem_document

DeviceView = Callable[[HttpRequest, UUID, Snapshot], HttpResponse]


def problem(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal as a problem document; plain views have no DRF to do it."""
    errors = None
    if refusal.pointer is not None:
        errors = [{"code": refusal.code, "pointer": refusal.pointer, "detail": str(refusal.detail)}]
    answer = JsonResponse(
        problem_document(
            status=refusal.status_code,
            code=refusal.code,
            title=refusal.title,
            detail=str(refusal.detail),
            request_id=getattr(request, "request_id", ""),
            errors=errors,
        ),
        status=refusal.status_code,
        content_type=MEDIA_TYPE,
    )
    if refusal.status_code == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="devices"'
    answer["Cache-Control"] = "no-store"
    return answer


def device_view(method: str) -> Callable[[DeviceView], Callable[..., HttpResponse]]:
    """
    Make a view that one device may call about itself, with one method.

    A missing or unknown token is 401, another device's 403. The view may raise `Refusal` or
    `WireError`.
    """

    def decorate(view: DeviceView) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, device_id: UUID) -> HttpResponse:
            if request.method != method:
                answer = problem(
                    request, Refusal(f"Use {method}.", code="method_not_allowed", status=405)
                )
                answer["Allow"] = method
                return answer
            try:
                return view(request, device_id, _authenticate(request, device_id))
            except WireError as error:
                return problem(
                    request,
                    Refusal(error.detail, code="validation_failed", pointer=error.pointer),
                )
            except Refusal as refusal:
                return problem(request, refusal)

        guarded.device_identity = True  # read by the route test
        return guarded

    return decorate


def _authenticate(request: HttpRequest, device_id: UUID) -> Snapshot:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 20 <= len(token) <= 200:
        raise Refusal(
            "Send the device's token: Authorization: Bearer <token>.",
            code="not_authenticated",
            status=401,
        )
    digest = digest_of(token)
    snapshot = read_snapshot(device_id)
    if snapshot.token_sha256 and hmac.compare_digest(snapshot.token_sha256, digest):
        return snapshot
    if holds_token(device_id, digest):
        remember_token(device_id, digest)
        return snapshot
    if token_is_of_another(device_id, digest):
        raise Refusal("This token is another device's.", code="device_mismatch", status=403)
    raise Refusal("This token is not in force.", code="authentication_failed", status=401)
