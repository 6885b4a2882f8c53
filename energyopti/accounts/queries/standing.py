"""What a user stands for: permissions of its roles and the organizations it sees, in one query."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from guardian.models import UserObjectPermission

from ..models import Organization, User


@dataclass(frozen=True, slots=True)
class Standing:
    """
    permissions     of the user's roles and its own, as "app.codename"
    own             active organizations that the user is a member of
    granted         active organizations on which it was granted access by name
    customers       active organizations whose parent is one of its own
    """

    permissions: frozenset[str]
    own: frozenset[UUID]
    granted: frozenset[UUID]
    customers: frozenset[UUID]


def standing_of(user: User) -> Standing:
    """Return what a user stands for; one query, and nothing for one that is not active."""
    found: dict[str, set[str]] = {name: set() for name in ("may", "own", "granted", "customer")}
    if user.is_active:
        permissions = Permission.objects.filter(Q(group__user=user) | Q(user=user)).values_list(
            Value("may", output_field=CharField()),
            Concat("content_type__app_label", Value("."), "codename", output_field=CharField()),
        )
        active = Organization.objects.filter(is_active=True)
        granted = granted_to(user, "accounts.view_organization")
        parts = (
            _named("own", active.filter(memberships__user=user)),
            _named("granted", having_pk_in(active, granted)),
            _named("customer", active.filter(
                parent__memberships__user=user, parent__is_active=True,
            )),
        )  # fmt: skip
        for name, value in permissions.order_by().union(*parts):
            found[name].add(value)
    own, granted_ids, customers = (
        frozenset(map(UUID, found[name])) for name in ("own", "granted", "customer")
    )
    return Standing(frozenset(found["may"]), own, granted_ids, customers)


def granted_to(user: User, permission: str) -> QuerySet[Any]:
    """Return the primary keys, as text, of the objects on which a user was granted a permission."""
    label, codename = permission.split(".")
    return UserObjectPermission.objects.filter(
        user=user, permission__codename=codename, permission__content_type__app_label=label,
    ).values("object_pk")  # fmt: skip


def having_pk_in(rows: QuerySet[Any], keys: QuerySet[Any]) -> QuerySet[Any]:
    """Narrow rows to those whose primary key, as text, is among the keys."""
    return rows.annotate(_key=Cast("pk", CharField())).filter(_key__in=keys)


def _named(name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    named = rows.order_by().annotate(_value=Cast("pk", CharField()))
    return named.values_list(Value(name, output_field=CharField()), F("_value"))
