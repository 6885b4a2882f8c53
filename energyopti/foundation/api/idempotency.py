"""
The same request twice has one effect and one answer (draft-ietf-httpapi-idempotency-key-header).

The answer is stored in the transaction of the effect: a crash leaves both or neither, so a
repetition either finds the answer or does the work. What the effect does outside the database
(a mail, a call to an exchange) must itself wait for the commit.
"""

import hashlib
import re
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from rest_framework.response import Response

from .models import StoredAnswer
from .refusals import Refusal

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
METHODS = frozenset({"POST", "PATCH"})
# Refusals made before anything was done: corrected, the request may come again under its key.
NOT_STORED = frozenset({400, 401, 403, 404, 405, 406, 408, 411, 413, 415, 428, 429})
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?', re.ASCII)
_STORED_HEADERS = ("Content-Type", "Location", "ETag", "Link", "Content-Disposition")


class Replay(Exception):
    """Not an error: the request was answered before, and this carries the answer out."""

    def __init__(self, answer: StoredAnswer) -> None:
        super().__init__(str(answer))
        self.answer = answer


def key_of(request: HttpRequest) -> str:
    """
    Return the key of a request, "" if it carries none.

    :raises Refusal: 400 for a key that is empty, longer than 255 or not visible ASCII.
    """
    header = request.headers.get(HEADER)
    if header is None:
        return ""
    match = _KEY.fullmatch(header.strip())
    if match is None:
        raise Refusal(
            "Idempotency-Key is 1 to 255 visible ASCII characters, such as a UUID.",
            code="idempotency_key_invalid",
            parameter=HEADER,
        )
    return match.group(1)


def fingerprint_of(request: HttpRequest, *, version: str, body: bytes) -> bytes:
    """Return the SHA-256 by which a repetition is told from another request."""
    parts = (request.method or "", request.get_full_path(), request.content_type or "", version)
    digest = hashlib.sha256("\n".join(parts).encode())
    digest.update(b"\n" + body)
    return digest.digest()


def claim(*, client: str, key: str, fingerprint: bytes) -> None:
    """
    Take a key for the open transaction, or say why not. Returns only if the work is to be done.

    The lock is the transaction's own: it goes with the commit, the rollback or the crash.

    :raises Replay: if the same request was answered before.
    :raises Refusal: 422 if the key was used with another request, 409 with Retry-After if the
        first request under this key is still running.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 20261121))", [f"{client} {key}"]
        )
        (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise Refusal(
            "The first request under this key is still running.",
            code="idempotency_key_in_progress",
            status=409,
            parameter=HEADER,
            retry_after=1,
        )
    answer = StoredAnswer.objects.filter(client=client, key=key).first()
    if answer is None:
        return
    if bytes(answer.fingerprint) != fingerprint:
        raise Refusal(
            "This key was used for another request. Take a new key for a new request.",
            code="idempotency_key_reused",
            status=422,
            parameter=HEADER,
        )
    raise Replay(answer)


def store(*, client: str, key: str, fingerprint: bytes, response: HttpResponse) -> None:
    """
    Keep a rendered answer in the open transaction, if it is one that a repetition should get.

    :raises TypeError: for a streaming answer; such a view opts out with `idempotent = False`.
    """
    if response.streaming:
        raise TypeError("A streaming answer cannot be stored: set `idempotent = False`.")
    if response.status_code in NOT_STORED or response.status_code >= 500:
        return
    StoredAnswer.objects.create(
        client=client,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        headers={name: response[name] for name in _STORED_HEADERS if name in response},
        body=response.content,
    )


def replayed(answer: StoredAnswer) -> HttpResponse:
    """Return a stored answer once more, byte for byte."""
    response = HttpResponse(bytes(answer.body), status=answer.status)
    del response["Content-Type"]
    for name, value in answer.headers.items():
        response[name] = value
    response[REPLAYED_HEADER] = "true"
    return response


def rendered(response: HttpResponse) -> HttpResponse:
    """Return the answer with its bytes made, so that they can be stored before the commit."""
    if isinstance(response, Response) and not response.is_rendered:
        response.render()
    return response


def purge_answers(*, batch: int = 5000) -> int:
    """
    Remove answers older than API_IDEMPOTENCY_HOURS (the database's time); return how many.

    Runs in batches, so that it never holds many rows; a second run beside it does no harm.
    """
    age = timedelta(hours=max(settings.API_IDEMPOTENCY_HOURS, 24))
    removed = 0
    while True:
        old = StoredAnswer.objects.filter(stored_at__lt=Now() - age).order_by("id")
        count, _ = StoredAnswer.objects.filter(pk__in=old.values("pk")[:batch]).delete()
        removed += count
        if count < batch:
            return removed
