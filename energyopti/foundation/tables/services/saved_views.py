"""
Keep and forget views and column choices.

No event is written: how somebody looks at a list is nobody else's record.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from energyopti.foundation.pages import ActorLike

from ..models import ColumnChoice, SavedView


class ViewRefused(ValueError):
    """A saved view that cannot be kept as asked; names the field and the rule."""

    def __init__(self, field: str, rule: str) -> None:
        self.field = field
        super().__init__(f"{field}: {rule}")


def save_view(
    *,
    actor: ActorLike,
    table: str,
    name: str,
    query: str,
    columns: Sequence[str],
    shared_with: UUID | None = None,
    as_default: bool = False,
) -> SavedView:
    """
    Keep a state of a list page under a name; one's own view of that name is replaced.

    :raises ViewRefused: if the name is empty or too long, or the organization is not the actor's.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise ViewRefused("name", "give it 1 to 80 characters")
    if shared_with is not None and shared_with not in actor.organization_ids:
        raise ViewRefused("shared_with", "is not an organization of yours")
    with transaction.atomic():
        if as_default:
            SavedView.objects.filter(owner_id=actor.id, table=table).update(is_default=False)
        view, _ = SavedView.objects.update_or_create(
            owner_id=actor.id,
            table=table,
            name=name,
            defaults={
                "query": query,
                "columns": list(columns),
                "organization_id": shared_with,
                "visibility": (
                    SavedView.Visibility.PRIVATE
                    if shared_with is None
                    else SavedView.Visibility.SHARED
                ),
                "is_default": as_default,
            },
        )
    return view


def delete_view(*, actor: ActorLike, table: str, view_id: UUID) -> None:
    """
    Forget one's own view.

    :raises ViewRefused: if there is none of that id that the actor owns.
    """
    deleted, _ = SavedView.objects.filter(id=view_id, owner_id=actor.id, table=table).delete()
    if not deleted:
        raise ViewRefused("view", "there is none of yours with this id")


def repair_view(
    *, actor: ActorLike, table: str, view_id: UUID, query: str, columns: Sequence[str]
) -> None:
    """
    Give one's own broken view the parts that still work.

    :raises ViewRefused: if there is none of that id that the actor owns.
    """
    changed = SavedView.objects.filter(id=view_id, owner_id=actor.id, table=table).update(
        query=query, columns=list(columns)
    )
    if not changed:
        raise ViewRefused("view", "there is none of yours with this id")


def choose_columns(
    *, actor: ActorLike, table: str, columns: Sequence[str], known: Sequence[str]
) -> ColumnChoice:
    """
    Keep which columns a person sees, in order.

    :raises ViewRefused: if none is left, one is unknown, or one is named twice.
    """
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise ViewRefused("columns", f"there is no column {', '.join(unknown)}")
    if not columns:
        raise ViewRefused("columns", "leave at least one")
    if len(set(columns)) != len(columns):
        raise ViewRefused("columns", "each column can stand only once")
    choice, _ = ColumnChoice.objects.update_or_create(
        owner_id=actor.id, table=table, defaults={"columns": list(columns)}
    )
    return choice


def forget_columns(*, actor: ActorLike, table: str) -> None:
    """Return a table to its standard columns; nothing happens if they were never changed."""
    ColumnChoice.objects.filter(owner_id=actor.id, table=table).delete()
