"""
The scope that a page is read in: book, site and date, chosen in the bar on top of every page.

The URL has the last word and can be shared; the session remembers it for the next page.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest

from .pages import SCOPES, ActorLike, ScopeDimension, ScopeOption

SESSION_KEY = "scope"


@dataclass(frozen=True)
class ScopeChoice:
    """One select of the bar: its parameter, options and the chosen value ("" for all)."""

    parameter: str
    dimension: ScopeDimension
    options: tuple[ScopeOption, ...]
    value: str


@dataclass(frozen=True)
class Scope:
    """
    The chosen scope.

    date        the day looked at; `today` unless somebody chose another.
    """

    choices: tuple[ScopeChoice, ...]
    date: datetime.date
    today: datetime.date

    def value(self, parameter: str) -> str | None:
        """Return the chosen value of "book", "site" …; None stands for all."""
        return next((c.value for c in self.choices if c.parameter == parameter and c.value), None)

    @property
    def is_today(self) -> bool:
        return self.date == self.today


class ScopeUnknown(Http404):
    """The URL names a book, site or date that does not exist for this actor."""

    def __init__(self, parameter: str, value: str) -> None:
        super().__init__(f"There is no {parameter} “{value}” that you may open.")


def scope_of(request: HttpRequest, *, actor: ActorLike, today: datetime.date) -> Scope:
    """
    Return the scope of a request and remember it in the session.

    What the URL says is refused when it is unknown; what the session remembers and is no longer
    there (a book closed since yesterday) falls back to all.

    :raises ScopeUnknown: naming the parameter of the URL.
    """
    remembered: Mapping[str, str] = request.session.get(SESSION_KEY, {})
    choices = []
    for parameter, dimension in SCOPES.items():
        if dimension.permission and not actor.may(dimension.permission):
            continue
        options = tuple(dimension.options(actor))
        choices.append(
            ScopeChoice(
                parameter, dimension, options, _chosen(request, remembered, parameter, options)
            )
        )
    scope = Scope(tuple(choices), _chosen_date(request, remembered, today), today)
    keep = {choice.parameter: choice.value for choice in choices if choice.value}
    if not scope.is_today:
        keep["date"] = scope.date.isoformat()
    if keep != remembered:
        request.session[SESSION_KEY] = keep
    return scope


def _chosen(
    request: HttpRequest,
    remembered: Mapping[str, str],
    parameter: str,
    options: tuple[ScopeOption, ...],
) -> str:
    known = {option.value for option in options}
    if parameter in request.GET:
        value = request.GET[parameter]
        if value and value not in known:
            raise ScopeUnknown(parameter, value)
        return value
    value = remembered.get(parameter, "")
    return value if value in known else ""


def _chosen_date(
    request: HttpRequest, remembered: Mapping[str, str], today: datetime.date
) -> datetime.date:
    text = request.GET.get("date", remembered.get("date", ""))
    if not text:
        return today
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ScopeUnknown("date", text) from None
