"""API keys: made, rotated and revoked by those who may, and the events that tell of it."""

import pytest
from django.http import Http404
from django.test import Client
from django.utils import timezone

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.models import ApiClient, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.clients import (
    ClientRevoked,
    ScopeUnknown,
    create_client,
    note_use,
    revoke_client,
    rotate_secret,
)
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor, make_key, make_organization
from tests.security.tokens import access_token, call, request_token

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.security.api_sample")]


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def partner(organization):
    return make_actor(Role.PARTNER, organization=organization)


def test_key_has_a_service_user_that_can_do_nothing_but_be_a_partner(organization, partner) -> None:
    client, secret = create_client(
        actor=partner, organization=organization, name="Robot", scopes=["organizations:read"]
    )

    user = client.service_user
    assert user.is_service
    assert not user.has_usable_password()
    assert not user.is_staff
    assert list(user.groups.values_list("name", flat=True)) == [Role.PARTNER.value]
    assert list(user.memberships.values_list("organization_id", flat=True)) == [organization.pk]
    assert client.secret_hint == secret[-4:]


def test_secret_is_in_no_table_and_no_event(organization, partner) -> None:
    client, secret = create_client(
        actor=partner, organization=organization, name="Robot", scopes=["organizations:read"]
    )

    event = Event.objects.get(type="api_client.created")
    assert secret not in str(event.payload) + str(event.changes)
    assert event.organization_id == organization.pk
    assert event.payload["client_id"] == client.client_id
    from allauth.idp.oidc.models import Client as ProviderClient

    stored = ProviderClient.objects.get(pk=client.client_id)
    assert stored.secret != secret
    assert stored.check_secret(secret)


def test_rotating_ends_the_old_secret_and_its_tokens(organization, partner) -> None:
    client, old = create_client(
        actor=partner, organization=organization, name="Robot", scopes=["organizations:read"]
    )
    web = Client()
    token = access_token(web, client.client_id, old)

    _, new = rotate_secret(actor=partner, client_id=client.client_id, rotated_at=timezone.now())

    assert request_token(web, client.client_id, old).status_code == 401
    assert call(web, token).status_code == 401
    assert call(web, access_token(web, client.client_id, new)).status_code == 200
    event = Event.objects.get(type="api_client.secret_rotated")
    assert client.secret_hint not in str(event.changes)
    assert new not in str(event.changes)


def test_revoking_ends_everything_and_keeps_the_name(organization, partner) -> None:
    client, secret = create_client(
        actor=partner, organization=organization, name="Robot", scopes=["organizations:read"]
    )
    web = Client()
    token = access_token(web, client.client_id, secret)

    revoke_client(actor=partner, client_id=client.client_id, revoked_at=timezone.now())

    assert call(web, token).status_code == 401
    assert request_token(web, client.client_id, secret).status_code == 401
    assert not User.objects.get(pk=client.service_user_id).is_active
    assert ApiClient.objects.get(pk=client.pk).name == "Robot"
    with pytest.raises(ClientRevoked):
        rotate_secret(actor=partner, client_id=client.client_id, rotated_at=timezone.now())
    with pytest.raises(ClientRevoked):
        revoke_client(actor=partner, client_id=client.client_id, revoked_at=timezone.now())


def test_key_of_another_organization_is_not_found(partner) -> None:
    foreign, _ = make_key()

    for verb, at in ((rotate_secret, "rotated_at"), (revoke_client, "revoked_at")):
        with pytest.raises(Http404):
            verb(actor=partner, client_id=foreign.client_id, **{at: timezone.now()})
    assert ApiClient.objects.get(pk=foreign.pk).is_active


def test_key_for_another_organization_is_not_made(partner) -> None:
    foreign = make_organization()

    with pytest.raises(Http404):
        create_client(actor=partner, organization=foreign, name="X", scopes=["organizations:read"])

    assert not ApiClient.objects.filter(organization=foreign).exists()


def test_staff_make_no_keys_for_their_customers(organization) -> None:
    customer = make_organization(parent=organization)
    admin = make_actor(Role.ADMIN, organization=organization)

    with pytest.raises(Http404):
        create_client(actor=admin, organization=customer, name="X", scopes=["organizations:read"])


@pytest.mark.parametrize(
    ("scopes", "message"), [([], "at least one"), (["everything:write"], "“everything:write”")]
)
def test_unknown_or_no_scope_is_refused(organization, partner, scopes, message) -> None:
    with pytest.raises(ScopeUnknown, match=message):
        create_client(actor=partner, organization=organization, name="X", scopes=scopes)

    assert not ApiClient.objects.filter(organization=organization).exists()


def test_role_without_the_permission_makes_no_key(organization) -> None:
    trader = make_actor(Role.TRADER, organization=organization)

    with pytest.raises(PermissionMissing):
        create_client(
            actor=trader, organization=organization, name="X", scopes=["organizations:read"]
        )


def test_use_is_noted_at_most_once_a_minute() -> None:
    client, _ = make_key()
    first, second = timezone.now(), timezone.now()

    note_use(client_id=client.client_id, used_at=first)
    note_use(client_id=client.client_id, used_at=second)

    client.refresh_from_db()
    assert client.latest_use_at == first
