"""Grant and revoke access to one container (organization, site, book) for one person."""

from typing import Any

from django.apps import apps
from django.db import transaction
from django.http import Http404
from guardian.shortcuts import assign_perm, get_user_perms, remove_perm

from energyopti.foundation.events.services import record_event

from ..actors import Actor
from ..grantable import GRANTABLE
from ..models import User

MANAGE = "accounts.manage_organization"


class LevelUnknown(ValueError):
    """The kind of container has no such level of access."""


class NotGranted(ValueError):
    """There is no such grant to take back."""


@transaction.atomic
def grant_access(
    *, actor: Actor, user: User, kind: str, container_id: Any, level: str = "view"
) -> None:
    """
    Let a user reach one container at a level. Granting twice is the same as once.

    A grant opens the container; what the user may do inside is still for the roles to say. It is
    given to a person, never to a role: a role reaches across organizations.

    :raises PermissionMissing: if the actor may not manage access.
    :raises Http404: if the container is foreign to the actor, or unknown.
    :raises LevelUnknown: naming the levels that there are.
    """
    container, permission = _resolve(actor, kind, container_id, level)
    if _has_own(user, container, permission):
        return
    assign_perm(permission, user, container)
    _record("access.granted", actor, user, kind, container, level)


@transaction.atomic
def revoke_access(
    *, actor: Actor, user: User, kind: str, container_id: Any, level: str = "view"
) -> None:
    """
    Take a grant back; from the next request on the container is not there for the user.

    :raises PermissionMissing: if the actor may not manage access.
    :raises Http404: if the container is foreign to the actor, or unknown.
    :raises LevelUnknown: naming the levels that there are.
    :raises NotGranted: if there is no such grant.
    """
    container, permission = _resolve(actor, kind, container_id, level)
    if not _has_own(user, container, permission):
        raise NotGranted(f"{user} has no grant “{level}” on {container}.")
    remove_perm(permission, user, container)
    _record("access.revoked", actor, user, kind, container, level)


def _resolve(actor: Actor, kind: str, container_id: Any, level: str) -> tuple[Any, str]:
    actor.require(MANAGE)
    grantable = GRANTABLE[kind]
    if level not in grantable.levels:
        raise LevelUnknown(f"level: “{level}” is none of {', '.join(grantable.levels)}.")
    model = apps.get_model(grantable.model)
    inside = {f"{grantable.organization_path}__in": actor.organization_ids}
    container = model._default_manager.filter(pk=container_id, **inside).first()
    if container is None:
        raise Http404(f"no such {kind}")
    return container, grantable.levels[level]


def _has_own(user: User, container: Any, permission: str) -> bool:
    return permission.split(".")[1] in get_user_perms(user, container)


def _record(type: str, actor: Actor, user: User, kind: str, container: Any, level: str) -> None:
    organization_id = container
    for step in GRANTABLE[kind].organization_path.split("__"):
        organization_id = getattr(organization_id, step)
    record_event(
        type=type,
        actor=actor,
        aggregate_type=kind,
        aggregate_id=container.pk,
        organization_id=organization_id,
        payload={"user_id": str(user.pk), "level": level},
    )
