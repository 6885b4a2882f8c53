"""Which containers (organizations, sites, books) are open to an actor: a few queries, made once."""

from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from guardian.shortcuts import get_objects_for_user

from ..grantable import GRANTABLE, Grantable
from ..models import Organization, User


class Asker(Protocol):
    """The part of an actor that these queries need."""

    @property
    def user(self) -> User | None: ...
    @property
    def organization_ids(self) -> frozenset[UUID]: ...
    @property
    def own_organization_ids(self) -> frozenset[UUID]: ...
    def may(self, permission: str) -> bool: ...


def granted_organization_ids(user: User) -> set[UUID]:
    """Return the active organizations on which this user was granted access by name."""
    granted = _granted_to(user, "accounts.view_organization")
    return set(
        Organization.objects.filter(id__in=granted, is_active=True).values_list("id", flat=True)
    )


def container_ids(actor: Asker, *, kind: str, level: str) -> frozenset[Any]:
    """
    Return the ids of a kind of container that the actor reaches at a level.

    Three ways lead in: a role that reaches them everywhere in the actor's organizations; being a
    member, where the kind is open to members; a grant on the container itself. A grant on a
    container of an organization that has been closed counts for nothing.
    """
    grantable = GRANTABLE[kind]
    permission = grantable.levels[level]
    model = apps.get_model(grantable.model)
    active = Organization.objects.filter(is_active=True).values("id")
    rows = model._default_manager.filter(**{f"{grantable.organization_path}__in": active})
    if actor.user is None:
        return frozenset(rows.values_list("pk", flat=True))
    inside = actor.organization_ids if _everywhere(actor, grantable) else frozenset()
    if grantable.open_to_members:
        inside = inside | actor.own_organization_ids
    by_organization = rows.filter(**{f"{grantable.organization_path}__in": inside})
    ids = set(by_organization.values_list("pk", flat=True))
    granted = _granted_to(actor.user, permission)
    ids.update(rows.filter(pk__in=granted).values_list("pk", flat=True))
    return frozenset(ids)


def _everywhere(actor: Asker, grantable: Grantable) -> bool:
    return bool(grantable.everywhere) and actor.may(grantable.everywhere)


def _granted_to(user: User, permission: str) -> list[Any]:
    # Only grants on the object count here, not the permission that a role holds on all of them.
    rows = get_objects_for_user(
        user,
        permission,
        use_groups=False,
        with_superuser=False,
        accept_global_perms=False,
    )
    return list(rows.values_list("pk", flat=True))
