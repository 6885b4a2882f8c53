"""Read saved views and column choices: one's own and those shared within one's organizations."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from energyopti.foundation.pages import ActorLike

from ..models import ColumnChoice, SavedView


def views_for(actor: ActorLike, *, table: str) -> list[SavedView]:
    """Return the views of a table that the actor may open, by name; one query."""
    shared = Q(visibility=SavedView.Visibility.SHARED, organization_id__in=actor.organization_ids)
    return list(
        SavedView.objects.filter(Q(owner_id=actor.id) | shared, table=table).order_by("name", "id")
    )


def view_by_id(views: Sequence[SavedView], view_id: str) -> SavedView | None:
    """Return the view of that id among those the actor may open."""
    try:
        wanted = UUID(view_id)
    except ValueError:
        return None
    return next((view for view in views if view.id == wanted), None)


def chosen_columns(actor: ActorLike, *, table: str) -> list[str] | None:
    """Return the column names that a person chose for a table, None if never chosen."""
    row = ColumnChoice.objects.filter(owner_id=actor.id, table=table).first()
    return list(row.columns) if row else None
