"""Invite a person: an account without a password, and a link by mail to choose one."""

from collections.abc import Iterable
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from ..actors import Actor
from ..models import Organization, User
from ..roles import Role
from .members import add_person


def invite_member(
    *,
    actor: Actor,
    email: str,
    name: str,
    organization: Organization,
    roles: Iterable[Role],
    site_url: str,
) -> User:
    """
    Add a person and mail them a link with which to choose a password.

    The link is a password-reset link: it works once and expires with PASSWORD_RESET_TIMEOUT. The
    mail leaves after the commit, so that nobody is invited to an account that was rolled back.

    site_url    scheme and host of this site, "https://energy.example".

    :raises: whatever `add_person` raises.
    """
    with transaction.atomic():
        user = add_person(
            actor=actor, email=email, name=name, organization=organization, roles=roles
        )
        key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        context: dict[str, Any] = {
            "user": user,
            "organization": organization,
            "inviter": actor.user,
            "link": site_url.rstrip("/") + path,
        }
        transaction.on_commit(lambda: _send(user, context))
    return user


def _send(user: User, context: dict[str, Any]) -> None:
    send_mail(
        subject=f"You are invited to EnergyOpti-Pro by {context['organization'].name}",
        message=render_to_string("settings/invitation.txt", context),
        from_email=None,
        recipient_list=[user.email],
    )
