"""
The scope that a page is read in: book, site and day, chosen in the bar on top of the page.

A page declares which of them it reads; the bar offers these and no others, so whatever can be
chosen changes what is shown. The URL has the last word and can be shared; the session remembers a
choice for the next page that reads it, also across pages that do not.
"""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest

from .pages import SCOPES, ActorLike, ScopeDimension, ScopeOption

SESSION_KEY = "scope"
DATE = "date"
EARLIEST, LATEST = datetime.date(1990, 1, 2), datetime.date(2198, 12, 30)


@dataclass(frozen=True)
class ScopeChoice:
    """
    One select of the bar: its parameter, options and the chosen value ("" for all).

    has_all    False where the page shows one book or site at a time and never all of them.
    """

    parameter: str
    dimension: ScopeDimension
    options: tuple[ScopeOption, ...]
    value: str
    has_all: bool = True

    @property
    def label(self) -> str:
        """Return the label of what is chosen, or the word for all."""
        chosen = (option.label for option in self.options if option.value == self.value)
        return next(chosen, self.dimension.all_label)


@dataclass(frozen=True)
class Scope:
    """
    What was chosen of what a page reads.

    day        the day looked at; `today` unless somebody chose another.
    unread     labels of what the URL asks for and the page does not read.
    """

    choices: tuple[ScopeChoice, ...]
    day: datetime.date
    today: datetime.date
    reads: frozenset[str]
    unread: tuple[str, ...] = ()

    def value(self, parameter: str) -> str | None:
        """
        Return the chosen value of "book", "site" …; None stands for all.

        :raises LookupError: if the page does not declare that it reads it.
        """
        self._declared(parameter)
        return next((c.value for c in self.choices if c.parameter == parameter and c.value), None)

    @property
    def date(self) -> datetime.date:
        self._declared(DATE)
        return self.day

    @property
    def is_today(self) -> bool:
        return self.day == self.today

    @property
    def offers_date(self) -> bool:
        return DATE in self.reads

    @property
    def is_drawn(self) -> bool:
        """Tell whether the bar has something to offer or to say."""
        return bool(self.choices or self.offers_date or self.unread)

    @property
    def parameters(self) -> dict[str, str]:
        """What is chosen, as parameters of a URL; nothing for all and for today."""
        chosen = {c.parameter: c.value for c in self.choices if c.value}
        if self.offers_date and not self.is_today:
            chosen[DATE] = self.day.isoformat()
        return chosen

    @property
    def in_words(self) -> dict[str, str]:
        """What is chosen, in words, for what leaves the page: files and prints."""
        words = {c.dimension.label: c.label for c in self.choices if c.value}
        if self.offers_date and not self.is_today:
            words["Day"] = self.day.isoformat()
        return words

    def offers(self, parameter: str, value: str) -> bool:
        """Tell whether a value can be chosen here; a day always can where days can."""
        if parameter == DATE:
            return self.offers_date
        return any(
            option.value == value
            for choice in self.choices
            if choice.parameter == parameter
            for option in choice.options
        )

    def _declared(self, parameter: str) -> None:
        if parameter not in self.reads:
            raise LookupError(f"This page does not declare that it reads “{parameter}”.")


class ScopeUnknown(Http404):
    """The URL names a book or site that does not exist for this actor."""

    def __init__(self, parameter: str, value: str) -> None:
        super().__init__(f"There is no {parameter} “{value}” that you may open.")


class DayUnreadable(BadRequest):
    """The URL names a day that is none."""

    def __init__(self, text: str, rule: str) -> None:
        super().__init__(f"date: “{text[:20]}” {rule}")


def scope_of(
    request: HttpRequest,
    *,
    actor: ActorLike,
    today: datetime.date,
    reads: Collection[str],
    one_of: Collection[str] = (),
) -> Scope:
    """
    Return the scope of a page, remember it in the session, and have the bar drawn for it.

    reads      the dimensions that the page honors: names of `SCOPES`, and "date".
    one_of     those of them of which the page shows exactly one; without a choice the first.

    What the URL says is refused when it is unknown; what the session remembers and is no longer
    there (a book closed since yesterday) falls back to all.

    :raises ScopeUnknown: naming the parameter of the URL.
    :raises DayUnreadable: if the URL's day is none, or out of what calendars hold.
    """
    remembered: Mapping[str, str] = request.session.get(SESSION_KEY, {})
    keep = dict(remembered)
    choices = []
    for parameter, dimension in SCOPES.items():
        if parameter not in reads:
            continue
        if dimension.permission and not actor.may(dimension.permission):
            continue
        options = tuple(dimension.options(actor))
        value = keep[parameter] = _chosen(request, remembered, parameter, options)
        has_all = parameter not in one_of
        if not has_all and not value and options:
            value = options[0].value  # shown, yet not chosen: other pages stay with all
        choices.append(ScopeChoice(parameter, dimension, options, value, has_all))
    day = today
    if DATE in reads:
        day = _chosen_day(request, remembered, today)
        keep[DATE] = "" if day == today else day.isoformat()
    keep = {name: value for name, value in keep.items() if value}
    if keep != remembered:
        request.session[SESSION_KEY] = keep
    scope = Scope(tuple(choices), day, today, frozenset(reads), _unread(request, reads))
    request.page_scope = scope  # the frame draws the bar from it
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


def _chosen_day(
    request: HttpRequest, remembered: Mapping[str, str], today: datetime.date
) -> datetime.date:
    text = request.GET.get(DATE, remembered.get(DATE, ""))
    if not text:
        return today
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise DayUnreadable(text, "is not a date; write it like 2027-03-28.") from None
    if not EARLIEST <= day <= LATEST:
        raise DayUnreadable(text, f"is not a day from {EARLIEST} to {LATEST}.")
    return day


def _unread(request: HttpRequest, reads: Collection[str]) -> tuple[str, ...]:
    labels = {name: dimension.label for name, dimension in SCOPES.items()} | {DATE: "Day"}
    return tuple(
        label for name, label in labels.items() if name not in reads and request.GET.get(name)
    )
