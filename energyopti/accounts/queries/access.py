"""Who was given access to which container, and what may be given, for the access pages."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.apps import apps
from guardian.models import UserObjectPermission

from ..grantable import GRANTABLE, Grantable
from ..models import User
from ..models.ownership import Reader

# Belonging to an organization is a matter of members and roles, not of these pages.
NOT_OFFERED = frozenset({"organization"})


@dataclass(frozen=True)
class Container:
    """A book or a site of the actor's organizations."""

    kind: str
    id: Any
    name: str
    organization: str

    @property
    def key(self) -> str:
        """What a form sends for it."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Grant:
    """One level of access that a person was given on one container."""

    container: Container
    level: str


def offered_kinds() -> list[tuple[str, Grantable]]:
    """Return the kinds of container that the pages offer, in the order of their names."""
    return sorted((kind, entry) for kind, entry in GRANTABLE.items() if kind not in NOT_OFFERED)


def containers_of(actor: Reader) -> list[Container]:
    """Return the containers of the actor's organizations by kind and name; a query a kind."""
    return [
        container for kind, entry in offered_kinds() for container in _named(kind, entry, actor)
    ]


def grants_of(actor: Reader, user: User) -> list[Grant]:
    """Return what the person was given on the actor's containers; a query more than those."""
    given: dict[tuple[str, str], set[str]] = {}
    permissions = UserObjectPermission.objects.filter(user=user).values_list(
        "content_type__app_label", "content_type__model", "object_pk", "permission__codename"
    )
    for app, model, pk, codename in permissions:
        given.setdefault((f"{app}.{model}", pk), set()).add(f"{app}.{codename}")
    kinds = dict(offered_kinds())
    return [
        Grant(container, level)
        for container in containers_of(actor)
        for level, permission in kinds[container.kind].levels.items()
        if permission
        in given.get((kinds[container.kind].model.lower(), str(container.id)), frozenset())
    ]


def _named(kind: str, entry: Grantable, actor: Reader) -> Iterator[Container]:
    model = apps.get_model(entry.model)
    inside = {f"{entry.organization_path}__in": actor.organization_ids}
    path = entry.organization_path.removesuffix("_id")
    rows = model._default_manager.filter(**inside).select_related(path)
    found = [
        Container(kind, row.pk, str(row), str(reduce(getattr, path.split("__"), row)))
        for row in rows
    ]
    yield from sorted(found, key=lambda one: (one.organization.casefold(), one.name.casefold()))


@dataclass(frozen=True)
class Holder:
    """A person who was given a level on a container; `is_member` where the actor administers it."""

    user: User
    level: str
    container_id: str
    is_member: bool


def holders_of(actor: Reader, *, kind: str, ids: Collection[Any]) -> list[Holder]:
    """
    Return who was given what on containers of a kind, by person; two queries.

    ids     containers of the actor's, which the caller has looked up
    """
    entry = GRANTABLE[kind]
    app, model = entry.model.lower().split(".")
    levels = {permission.partition(".")[2]: level for level, permission in entry.levels.items()}
    rows = (
        UserObjectPermission.objects.filter(
            content_type__app_label=app,
            content_type__model=model,
            object_pk__in=[str(each) for each in ids],
            permission__codename__in=levels,
        )
        .select_related("user", "permission")
        .order_by("user__name", "user__email", "permission__codename")
    )
    found = list(rows)
    members = set(
        User.objects.filter(
            pk__in={row.user_id for row in found},
            is_service=False,
            memberships__organization_id__in=actor.organization_ids,
        ).values_list("pk", flat=True)
    )
    return [
        Holder(row.user, levels[row.permission.codename], row.object_pk, row.user_id in members)
        for row in found
    ]
