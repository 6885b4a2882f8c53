"""
What sign-in tells us. The only place that listens to third-party signals (DESIGN §2).

Each becomes an event, so that the audit shows who came in, how, and who tried to.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from energyopti.foundation.events.services import record_event

LONGEST_NAME = 254


@dataclass(frozen=True)
class Stranger:
    """Somebody who has not signed in; unlike a system actor it may do nothing."""

    id: str = "stranger"
    on_behalf_of: str = ""
    request_id: str = ""


def connect_sign_in_signals() -> None:
    from allauth.account import signals as account
    from allauth.mfa import signals as mfa
    from django.contrib.auth import signals as auth

    auth.user_logged_in.connect(_signed_in, dispatch_uid="accounts.signed_in")
    auth.user_logged_out.connect(_signed_out, dispatch_uid="accounts.signed_out")
    auth.user_login_failed.connect(_sign_in_failed, dispatch_uid="accounts.sign_in_failed")
    account.password_changed.connect(_password_changed, dispatch_uid="accounts.password_changed")
    account.password_reset.connect(_password_reset, dispatch_uid="accounts.password_reset")
    account.email_changed.connect(_email_changed, dispatch_uid="accounts.email_changed")
    mfa.authenticator_added.connect(_factor_added, dispatch_uid="accounts.factor_added")
    mfa.authenticator_removed.connect(_factor_removed, dispatch_uid="accounts.factor_removed")
    mfa.authenticator_reset.connect(_factor_reset, dispatch_uid="accounts.factor_reset")
    mfa.authentication_failed.connect(_factor_failed, dispatch_uid="accounts.factor_failed")


def _record(
    type: str, request: HttpRequest | None, user: Any, payload: dict[str, Any] | None = None
) -> None:
    from ..actors import Actor

    request_id = getattr(request, "request_id", "")
    organization = user.memberships.values_list("organization_id", flat=True).first()
    with transaction.atomic():
        record_event(
            type=type,
            actor=Actor.for_user(user, request_id=request_id),
            aggregate_type="user",
            aggregate_id=user.pk,
            organization_id=organization if isinstance(organization, UUID) else None,
            payload=payload,
        )


def _signed_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    methods = []
    if hasattr(request, "session"):
        records = request.session.get("account_authentication_methods", [])
        methods = [str(record.get("method", "")) for record in records]
    _record("user.signed_in", request, user, {"methods": methods})


def _signed_out(*, request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        _record("user.signed_out", request, user)


def _sign_in_failed(*, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    # Whether the address is known here is not told, nor is the password ever in `credentials`.
    tried = str(credentials.get("email") or credentials.get("username") or "")
    with transaction.atomic():
        record_event(
            type="user.sign_in_failed",
            actor=Stranger(request_id=getattr(request, "request_id", "")),
            aggregate_type="sign_in",
            aggregate_id="failed",
            organization_id=None,
            payload={"email": tried[:LONGEST_NAME].replace("\x00", "")},
        )


def _password_changed(*, request: HttpRequest, user: Any, **_: Any) -> None:
    _record("user.password_changed", request, user)


def _password_reset(*, request: HttpRequest, user: Any, **_: Any) -> None:
    _record("user.password_reset", request, user)


def _email_changed(
    *, request: HttpRequest, user: Any, from_email_address: Any, to_email_address: Any, **_: Any
) -> None:
    before = from_email_address.email if from_email_address else ""
    payload = {"before": before, "after": to_email_address.email}
    _record("user.email_changed", request, user, payload)


def _factor_added(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    if authenticator.type == authenticator.Type.TOTP:
        _spend_current_code(authenticator)
    _record("user.second_factor_added", request, user, {"kind": authenticator.type})


def _factor_removed(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    if hasattr(request, "session"):
        from .middleware import SESSION_FLAG

        request.session.pop(SESSION_FLAG, None)
    _record("user.second_factor_removed", request, user, {"kind": authenticator.type})


def _factor_reset(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    _record("user.second_factor_reset", request, user, {"kind": authenticator.type})


def _factor_failed(*, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    kind = authenticator.type if authenticator else ""
    _record("user.second_factor_failed", request, user, {"kind": kind})


def _spend_current_code(authenticator: Any) -> None:
    """
    Count the code that was typed to enroll as used.

    allauth refuses a code twice at sign-in but does not count the enrollment, so that the same
    six digits, read over a shoulder, would open the account for the rest of their half minute.
    """
    from allauth.mfa.totp.internal import auth

    totp = auth.TOTP(authenticator)
    secret = auth.decrypt(authenticator.data["secret"])
    for counter in auth.yield_hotp_counters_from_time():
        totp._mark_code_used(auth.format_hotp_value(auth.hotp_value(secret, counter)))
