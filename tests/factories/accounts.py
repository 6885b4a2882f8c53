"""Organizations, people and keys that are valid with few words."""

import secrets

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import ApiClient, Membership, Organization, Site, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.clients import create_client

PASSWORD = "kilowatt-hours-are-not-power"


def make_organization(name: str = "", *, parent: Organization | None = None) -> Organization:
    name = name or f"Organization {secrets.token_hex(4)}"
    return Organization.objects.create(
        name=name, slug=name.lower().replace(" ", "-")[:80], parent=parent
    )


def make_site(organization: Organization, name: str = "Depot") -> Site:
    return Site.objects.create(
        organization=organization, name=name, market_zone="DE-LU", grid_connection_kw="500"
    )


def make_user(
    *roles: Role,
    organization: Organization | None = None,
    email: str = "",
    password: str = PASSWORD,
    is_staff: bool = False,
) -> User:
    user = User.objects.create_user(
        email or f"{secrets.token_hex(6)}@energy.example", password, is_staff=is_staff
    )
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    user.groups.set(Group.objects.filter(name__in=[role.value for role in roles]))
    if organization is not None:
        Membership.objects.create(user=user, organization=organization)
    return user


def make_actor(*roles: Role, organization: Organization | None = None) -> Actor:
    return Actor.for_user(make_user(*roles, organization=organization))


def make_key(
    *scopes: str, organization: Organization | None = None, name: str = "Nightly job"
) -> tuple[ApiClient, str]:
    """Return a client and its secret, made the way the settings page makes it."""
    organization = organization or make_organization()
    actor = make_actor(Role.PARTNER, organization=organization)
    return create_client(
        actor=actor,
        organization=organization,
        name=name,
        scopes=scopes or ("organizations:read",),
    )
