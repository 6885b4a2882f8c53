"""API keys: create, rotate and revoke a partner's client, and note when it was used."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import transaction
from django.http import Http404

from energyopti.foundation.events.services import record_event

from ..actors import Actor
from ..models import ApiClient, Membership, Organization, User
from ..roles import Role
from ..scopes import SCOPES

SECRET_BYTES = 40
USE_IS_NOTED_EVERY = timedelta(minutes=1)
MANAGE = "accounts.manage_apiclient"


class ScopeUnknown(ValueError):
    """A scope that no app has registered was asked for, or none at all."""


class ClientRevoked(ValueError):
    """The key has been revoked; make a new one."""


@transaction.atomic
def create_client(
    *, actor: Actor, organization: Organization, name: str, scopes: Iterable[str]
) -> tuple[ApiClient, str]:
    """
    Create a client and its service user, and return it with the secret, which is shown once.

    The service user is a member of the organization and holds the role Partner, no other: what a
    program may do is what partners may do, narrowed by its scopes.

    :raises PermissionMissing: if the actor may not manage keys.
    :raises Http404: if the actor does not belong to the organization.
    :raises ScopeUnknown: naming the scope.
    """
    actor.require(MANAGE)
    if organization.pk not in actor.own_organization_ids:
        raise Http404("no such organization")
    wanted = _known(scopes)
    client_id = secrets.token_hex(16)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    service_user = User(
        email=f"client-{client_id}@service.invalid", name=f"{name} (API)", is_service=True
    )
    service_user.set_unusable_password()
    service_user.save()
    service_user.groups.add(Group.objects.get(name=Role.PARTNER.value))
    Membership.objects.create(user=service_user, organization=organization)
    provider_client = Client(id=client_id, name=name, owner=service_user)
    provider_client.type = Client.Type.CONFIDENTIAL
    provider_client.set_grant_types([Client.GrantType.CLIENT_CREDENTIALS.value])
    provider_client.set_response_types([Client.ResponseType.NONE.value])
    provider_client.set_scopes(wanted)
    provider_client.set_default_scopes(wanted)
    provider_client.set_secret(secret)
    provider_client.save()
    client = ApiClient.objects.create(
        client_id=client_id,
        name=name,
        organization=organization,
        service_user=service_user,
        scopes=wanted,
        secret_hint=secret[-4:],
        created_by=actor.user,
    )
    record_event(
        type="api_client.created",
        actor=actor,
        aggregate_type="api_client",
        aggregate_id=client.pk,
        organization_id=organization.pk,
        payload={"client_id": client_id, "name": name, "scopes": wanted},
    )
    return client, secret


@transaction.atomic
def rotate_secret(*, actor: Actor, client_id: str, rotated_at: datetime) -> tuple[ApiClient, str]:
    """
    Give a client a new secret, end its running tokens, and return the secret, shown once.

    :raises PermissionMissing: if the actor may not manage keys.
    :raises Http404: if the actor's organizations have no such client.
    :raises ClientRevoked: if it has been revoked.
    """
    actor.require(MANAGE)
    client = _locked(actor, client_id)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    provider_client = Client.objects.select_for_update().get(pk=client.client_id)
    provider_client.set_secret(secret)
    provider_client.save(update_fields=["secret"])
    Token.objects.filter(client=provider_client).delete()
    hint_before = client.secret_hint
    client.secret_hint = secret[-4:]
    client.secret_rotated_at = rotated_at
    client.save(update_fields=["secret_hint", "secret_rotated_at"])
    record_event(
        type="api_client.secret_rotated",
        actor=actor,
        aggregate_type="api_client",
        aggregate_id=client.pk,
        organization_id=client.organization_id,
        payload={"client_id": client.client_id},
        changes={"secret": (hint_before, client.secret_hint)},
    )
    return client, secret


@transaction.atomic
def revoke_client(*, actor: Actor, client_id: str, revoked_at: datetime) -> ApiClient:
    """
    Revoke a key for good: its tokens stop working at once and its service user is closed.

    :raises PermissionMissing: if the actor may not manage keys.
    :raises Http404: if the actor's organizations have no such client.
    :raises ClientRevoked: if it had been revoked already.
    """
    actor.require(MANAGE)
    client = _locked(actor, client_id)
    Client.objects.filter(pk=client.client_id).delete()  # and its tokens with it
    User.objects.filter(pk=client.service_user_id).update(is_active=False)
    client.revoked_at = revoked_at
    client.save(update_fields=["revoked_at"])
    record_event(
        type="api_client.revoked",
        actor=actor,
        aggregate_type="api_client",
        aggregate_id=client.pk,
        organization_id=client.organization_id,
        payload={"client_id": client.client_id, "name": client.name},
    )
    return client


def note_use(*, client_id: str, used_at: datetime) -> None:
    """
    Note that a client called, at most once a minute; the key page shows it.

    No event: a call is not a change, and the access log has each one.
    """
    seconds = USE_IS_NOTED_EVERY.total_seconds()
    if cache.add(f"accounts.client-used:{client_id}", 1, timeout=int(seconds)):
        ApiClient.objects.filter(client_id=client_id).update(latest_use_at=used_at)


def _known(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if not wanted:
        raise ScopeUnknown("A key needs at least one scope.")
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise ScopeUnknown(f"There is no scope “{unknown[0]}”; there are: {', '.join(SCOPES)}.")
    return wanted


def _locked(actor: Actor, client_id: str) -> ApiClient:
    client = (
        ApiClient.objects.select_for_update()
        .filter(organization_id__in=actor.own_organization_ids, client_id=client_id)
        .first()
    )
    if client is None:
        raise Http404("no such key")
    if not client.is_active:
        raise ClientRevoked(f"The key “{client.name}” was revoked; make a new one.")
    return client
