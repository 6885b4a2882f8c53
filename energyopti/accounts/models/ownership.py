"""How a table that carries its organization is read: every query starts from who is asking."""

from typing import Any, Protocol, Self
from uuid import UUID

from django.db import models


class Reader(Protocol):
    """The part of an actor that a query needs."""

    @property
    def organization_ids(self) -> frozenset[UUID]: ...


class OwnedQuerySet(models.QuerySet[Any]):
    """
    Rows that belong to an organization, directly or through `organization_path`.

    Use it as `objects = OwnedQuerySet.as_manager()`; a model whose organization is a step away
    uses a subclass with its own path ("site__organization_id").
    """

    organization_path = "organization_id"

    def visible_to(self, actor: Reader) -> Self:
        """Return the rows of the organizations that the actor may see; a foreign row is absent."""
        return self.filter(**{f"{self.organization_path}__in": actor.organization_ids})
