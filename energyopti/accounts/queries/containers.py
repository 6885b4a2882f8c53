"""Which containers (organizations, sites, books) are open to an actor: one query a kind."""

from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db.models import Q, QuerySet

from ..grantable import GRANTABLE, Grantable
from ..models import Organization, User
from .standing import granted_to, having_pk_in


class Asker(Protocol):
    """The part of an actor that these queries need."""

    @property
    def user(self) -> User | None: ...
    @property
    def organization_ids(self) -> frozenset[UUID]: ...
    @property
    def own_organization_ids(self) -> frozenset[UUID]: ...
    def may(self, permission: str) -> bool: ...


def containers(actor: Asker, *, kind: str, level: str) -> QuerySet[Any]:
    """
    Return the containers of a kind that the actor reaches at a level, unread.

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
        return rows
    inside = actor.organization_ids if _everywhere(actor, grantable) else frozenset()
    if grantable.open_to_members:
        inside = inside | actor.own_organization_ids
    # Only grants on the object count here, not the permission that a role holds on all of them.
    granted = having_pk_in(model._default_manager.all(), granted_to(actor.user, permission))
    return rows.filter(
        Q(**{f"{grantable.organization_path}__in": inside}) | Q(pk__in=granted.values("pk"))
    )


def _everywhere(actor: Asker, grantable: Grantable) -> bool:
    return bool(grantable.everywhere) and actor.may(grantable.everywhere)
