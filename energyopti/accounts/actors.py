"""
Who acts: resolved once per request, task or command, and handed to every service and query.

An actor knows the organizations and containers whose rows it may see and the permissions of its
roles; it is also what the event log records.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from .models import Organization, User
from .queries.containers import containers
from .queries.standing import Standing, standing_of


class PermissionMissing(PermissionDenied):
    """The actor's roles lack a permission; pages and API answer 403 and name it."""

    def __init__(self, permission: str) -> None:
        self.permission = permission
        super().__init__(f"You need the permission “{permission}” for this.")


@dataclass(frozen=True)
class Actor:
    """
    A user, or a part of the system that acts by itself (`user` is None; it may do everything).

    id              opaque and stable: "user:<uuid>", "system:<part>".
    on_behalf_of    set when support acts for a customer's user.
    request_id      correlation id of the HTTP request, task or message.
    """

    id: str
    user: User | None = None
    on_behalf_of: str = ""
    request_id: str = ""
    _cache: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False, hash=False)

    @classmethod
    def for_user(cls, user: User, *, request_id: str = "", on_behalf_of: str = "") -> "Actor":
        return cls(
            id=f"user:{user.pk}", user=user, request_id=request_id, on_behalf_of=on_behalf_of
        )

    @classmethod
    def system(cls, part: str, *, request_id: str = "") -> "Actor":
        return cls(id=f"system:{part}", request_id=request_id)

    @property
    def is_system(self) -> bool:
        return self.user is None

    @cached_property
    def _standing(self) -> Standing:
        assert self.user is not None
        return standing_of(self.user)

    @cached_property
    def own_organization_ids(self) -> frozenset[UUID]:
        """Return the active organizations that the actor is a member of (the system: of all)."""
        if self.user is None:
            return frozenset(Organization.objects.values_list("id", flat=True))
        return self._standing.own

    @cached_property
    def organization_ids(self) -> frozenset[UUID]:
        """
        Return the organizations whose rows this actor may see, looked up once per actor.

        Its own; the customers of its own where a role holds `accounts.view_customers`; and those
        on which it was granted access by name (an auditor, say).
        """
        if self.user is None:
            return self.own_organization_ids
        seen = self._standing.own | self._standing.granted
        return seen | self._standing.customers if self.may("accounts.view_customers") else seen

    def containers(self, kind: str, level: str = "view") -> QuerySet[Any]:
        """
        Return the containers of a kind ("book", "site") open to this actor, unread.

        :raises MissingEntry: if no app registered the kind.
        :raises KeyError: if the kind has no such level.
        """
        return containers(self, kind=kind, level=level)

    def container_ids(self, kind: str, level: str = "view") -> frozenset[Any]:
        """
        Return the ids of the containers of a kind ("book", "site") open to this actor.

        Rows are then filtered by them: `trades.filter(book_id__in=actor.container_ids("book"))`.

        :raises MissingEntry: if no app registered the kind.
        :raises KeyError: if the kind has no such level.
        """
        key = (kind, level)
        if key not in self._cache:
            self._cache[key] = frozenset(self.containers(kind, level).values_list("pk", flat=True))
        return self._cache[key]

    def may(self, permission: str) -> bool:
        """Tell whether the actor's roles hold a permission such as "trading.capture_trade"."""
        if self.user is None:
            return True
        if not self.user.is_active:
            return False
        return self.user.is_superuser or permission in self._standing.permissions

    def require(self, permission: str) -> None:
        """
        Go on only with the permission.

        :raises PermissionMissing: naming it.
        """
        if not self.may(permission):
            raise PermissionMissing(permission)
