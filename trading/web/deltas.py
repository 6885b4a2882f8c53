"""The switch of pages of positions: with or without deltas of options and choices."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from energyopti.accounts.actors import Actor
from trading.queries.grid_columns import Column
from trading.queries.month_deltas import DeltaBasis, Deltas, month_deltas
from trading.queries.option_values import VIEW


class DeltaChoice(StrEnum):
    """Whether positions count deltas; without them they are exact, and of this moment."""

    WITHOUT = "without"
    WITH = "with"


def delta_choice(request: HttpRequest, actor: Actor) -> DeltaChoice:
    """
    Return what a page is asked for.

    :raises PermissionMissing: for deltas without `trading.view_tradevalue`.
    :raises BadRequest: for anything else than "with" and "without".
    """
    text = request.GET.get("deltas", DeltaChoice.WITHOUT.value)
    try:
        choice = DeltaChoice(text)
    except ValueError:
        words = ", ".join(each.value for each in DeltaChoice)
        raise BadRequest(f"deltas: is none of {words}.") from None
    if choice is DeltaChoice.WITH:
        actor.require(VIEW)
    return choice


def chosen_deltas(
    choice: DeltaChoice, books: frozenset[UUID], columns: Sequence[Column], cut: datetime | None
) -> Deltas | None:
    """Return the deltas of some books and columns, None where they are not asked for."""
    if choice is DeltaChoice.WITHOUT:
        return None
    return month_deltas(books, columns=columns, cut=cut)


def delta_switch(
    choice: DeltaChoice, link: Callable[[str], str]
) -> tuple[str, list[tuple[str, str, bool]]]:
    """Return the switch: name, and label, address and whether chosen of each; `link` gives one."""
    words = {DeltaChoice.WITHOUT: "Without deltas", DeltaChoice.WITH: "With deltas"}
    shown = {DeltaChoice.WITHOUT: "", DeltaChoice.WITH: DeltaChoice.WITH.value}
    labels = [(words[each], link(shown[each]), each is choice) for each in DeltaChoice]
    return "Options and choices", labels


def basis_context(basis: DeltaBasis, *, now: datetime, cut: datetime | None) -> dict[str, Any]:
    """Return what `trades/_delta_basis.html` says of the runs."""
    return {"basis": basis, "old_runs": basis.old(now, cut=cut), "cut": cut}


def basis_in_words(deltas: Deltas | None) -> str:
    """Return the same for what leaves the page: files and prints."""
    if deltas is None:
        return "without"
    runs = ", ".join(f"{run.pk} of {run.as_of:%Y-%m-%d %H:%M} UTC" for run in deltas.basis.runs)
    return f"with, by valuation run {runs}" if runs else "with, but there is no valuation run"


def file_name(name: str, deltas: Deltas | None) -> str:
    """Return the name of a file of positions, which says whether deltas count: CSV has no words."""
    return name if deltas is None else f"{name}-with-deltas"
