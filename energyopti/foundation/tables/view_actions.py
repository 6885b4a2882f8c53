"""What is posted to a list page itself: choose columns, keep, repair and delete saved views."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.http import QueryDict

from energyopti.foundation.pages import SCOPES
from energyopti.foundation.scope import DATE

from .filters import all_parameter_names
from .models import SavedView
from .services import saved_views as services
from .services.saved_views import ViewRefused
from .state import OWN_PARAMETERS, SORT, VIEW, read_sort

if TYPE_CHECKING:
    from .pages import TablePage


def choose_columns(page: "TablePage", posted: QueryDict) -> tuple[str, str]:
    """
    Keep the ticked columns in the posted order.

    `move` is "up:price" or "down:price" when one of the arrow buttons was pressed.
    """
    order = posted.getlist("order")
    shown = set(posted.getlist("column"))
    if move := posted.get("move"):
        direction, _, name = move.partition(":")
        if direction not in ("up", "down") or name not in order:
            raise ViewRefused("move", f"“{move}” is no column of this table")
        at = order.index(name)
        to = max(0, at - 1) if direction == "up" else min(len(order) - 1, at + 1)
        order.insert(to, order.pop(at))
    services.choose_columns(
        actor=page.actor,
        table=page.name,
        columns=[name for name in order if name in shown],
        known=page.column_names,
    )
    return page.address.link(view=""), "Your columns are saved."


def reset_columns(page: "TablePage", posted: QueryDict) -> tuple[str, str]:
    services.forget_columns(actor=page.actor, table=page.name)
    return page.address.link(view=""), "The standard columns are back."


def save_view(page: "TablePage", posted: QueryDict) -> tuple[str, str]:
    shared_with = None
    if posted.get("visibility") == SavedView.Visibility.SHARED:
        shared_with = parse_id(posted.get("shared_with", ""))
    view = services.save_view(
        actor=page.actor,
        table=page.name,
        name=posted.get("name", ""),
        query=_query_with_scope(page),
        columns=page.shown_columns,
        shared_with=shared_with,
        as_default=posted.get("as_default") == "on",
    )
    return page.address.link(view=str(view.id)), f"The view “{view.name}” is saved."


def delete_view(page: "TablePage", posted: QueryDict) -> tuple[str, str]:
    services.delete_view(
        actor=page.actor, table=page.name, view_id=parse_id(posted.get("view", ""))
    )
    return page.request.path, "The view is deleted."


def repair_view(page: "TablePage", posted: QueryDict) -> tuple[str, str]:
    """Drop from one's own view what no longer exists, and open it."""
    view = page.open_view
    if view is None:
        raise ViewRefused("view", "is not open")
    query = QueryDict(view.query, mutable=True)
    known = all_parameter_names(page.filterset) | OWN_PARAMETERS | _scope_parameters(page)
    unreachable = _unreachable(page, query)
    for name in [name for name in query if name not in known or name in unreachable]:
        query.pop(name)
    levels, _ = read_sort(query.get(SORT, ""), sortable=list(page.sortable))
    query.pop(SORT, None)
    if levels:
        query[SORT] = ",".join(str(level) for level in levels)
    services.repair_view(
        actor=page.actor,
        table=page.name,
        view_id=view.id,
        query=query.urlencode(),
        columns=[name for name in view.columns if name in page.column_names],
    )
    query[VIEW] = str(view.id)
    return f"{page.request.path}?{query.urlencode()}", f"The view “{view.name}” is repaired."


def view_problems(page: "TablePage", view: SavedView) -> list[str]:
    """Return what a saved view asks for and this list no longer has, in words."""
    query = QueryDict(view.query)
    known = all_parameter_names(page.filterset) | OWN_PARAMETERS | _scope_parameters(page)
    problems = [f"no filter “{name}”" for name in query if name not in known]
    problems += [f"no {name} that you may open" for name in _unreachable(page, query)]
    _, unsortable = read_sort(query.get(SORT, ""), sortable=list(page.sortable))
    problems += [f"no sort by “{name}”" for name in unsortable]
    problems += [f"no column “{name}”" for name in view.columns if name not in page.column_names]
    return problems


def _scope_parameters(page: "TablePage") -> set[str]:
    return {choice.parameter for choice in page.scope.choices} | (page.reads & {DATE})


def _unreachable(page: "TablePage", query: QueryDict) -> list[str]:
    """Return the books and sites of a view that its reader cannot choose."""
    return [
        name
        for name in _scope_parameters(page)
        if query.get(name) and not page.scope.offers(name, query[name])
    ]


def _query_with_scope(page: "TablePage") -> str:
    """Return what a view keeps: filters, sort and the chosen scope, also a remembered one."""
    query = QueryDict(page.address.query, mutable=True)
    for name in {*SCOPES, DATE} - all_parameter_names(page.filterset):
        query.pop(name, None)
    for name, value in page.scope.parameters.items():
        query[name] = value
    return query.urlencode()


def parse_id(text: str) -> UUID:
    """
    Return an id that was posted.

    :raises ViewRefused: if it is none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise ViewRefused("view", f"“{text}” is no id") from None


VIEW_ACTIONS: dict[str, Callable[[Any, QueryDict], tuple[str, str]]] = {
    "columns": choose_columns,
    "reset-columns": reset_columns,
    "save-view": save_view,
    "delete-view": delete_view,
    "repair-view": repair_view,
}
