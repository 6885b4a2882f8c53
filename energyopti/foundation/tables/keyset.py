"""
Pages of a sorted queryset by key instead of by offset: the thousandth page is as fast as the first.

A cursor holds the sort values of the row that a page ends with. Rows that appear or vanish
meanwhile neither repeat nor hide others.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy


class CursorUnreadable(ValueError):
    """A place in the list that does not fit this sort; the list starts anew without it."""


@dataclass(frozen=True)
class SortTerm:
    """
    One level of the sort: an ORM path and its direction.

    nullable    missing values stand last in either direction.
    """

    path: str
    descending: bool
    nullable: bool


@dataclass(frozen=True)
class KeysetPage:
    """Rows of one page, and the cursors of its neighbors (empty where there is none)."""

    rows: list[Any]
    after: str
    before: str


def sort_terms(model: type[Model], paths: Sequence[str]) -> list[SortTerm]:
    """Return the terms for paths such as "-price", made unique by the primary key at the end."""
    terms = [
        SortTerm(path.lstrip("-"), path.startswith("-"), _is_nullable(model, path.lstrip("-")))
        for path in paths
    ]
    if not any(term.path in ("pk", model._meta.pk.name) for term in terms):
        terms.append(SortTerm("pk", bool(terms) and terms[-1].descending, nullable=False))
    return terms


def _is_nullable(model: type[Model], path: str) -> bool:
    """Tell whether a path may be missing; an annotation is taken as one that may."""
    current: Any = model
    for name in path.split("__"):
        try:
            field = current._meta.pk if name == "pk" else current._meta.get_field(name)
        except FieldDoesNotExist:
            return True
        if field.null or field.one_to_many or field.many_to_many:
            return True
        current = field.related_model
    return False


def keyset_page(
    queryset: QuerySet[Any],
    *,
    terms: Sequence[SortTerm],
    size: int,
    after: str = "",
    before: str = "",
) -> KeysetPage:
    """
    Return the page that follows `after`, precedes `before`, or is the first.

    One query; two where the page reaches the rows that miss what the list is sorted by first.

    :raises CursorUnreadable: if the cursor does not belong to this sort.
    """
    backwards = bool(before)
    cursor = before or after
    names = [f"_key{number}" for number in range(len(terms))]
    keyed = queryset.annotate(**{name: F(t.path) for name, t in zip(names, terms, strict=True)})
    parts = [keyed]
    if cursor:
        try:
            values = _decode(cursor, len(terms))
            parts = [keyed.filter(part) for part in _beyond(names, terms, values, backwards)]
        except (ValidationError, ValueError, TypeError) as error:
            raise CursorUnreadable(f"“{cursor}” is not a place in this list") from error
    ordering = [_ordering(name, t, backwards) for name, t in zip(names, terms, strict=True)]
    found: list[Any] = []
    for part in parts:
        if len(found) <= size:
            found += part.order_by(*ordering)[: size + 1 - len(found)]
    more = len(found) > size
    rows = found[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return KeysetPage([], "", "")
    first, last = _encode(rows[0], names), _encode(rows[-1], names)
    has_next = backwards or more
    has_previous = more if backwards else bool(cursor)
    return KeysetPage(rows, last if has_next else "", first if has_previous else "")


def _ordering(name: str, term: SortTerm, backwards: bool) -> OrderBy:
    descending = term.descending != backwards
    nulls: dict[str, Any] = {}
    if term.nullable:
        nulls = {"nulls_first": True} if backwards else {"nulls_last": True}
    return F(name).desc(**nulls) if descending else F(name).asc(**nulls)


def _beyond(
    names: Sequence[str], terms: Sequence[SortTerm], values: Sequence[Any], backwards: bool
) -> list[Q]:
    """
    Return the rows after the key in the (reversed, if backwards) sort order.

    In two parts, one after the other, where the rows that miss the leading value lie beyond those
    that have it (or the other way round): each part is a run of an index, both together are not.
    """
    beyond = Q(pk__in=[])
    equal = Q()
    for name, term, value in zip(names, terms, values, strict=True):
        step = _step(name, term, value, backwards)
        if step is not None:
            beyond |= equal & step
        equal &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    leading, value, first = terms[0], values[0], names[0]
    missing, present = Q(**{f"{first}__isnull": True}), Q(**{f"{first}__isnull": False})
    if value is None:
        return [beyond & missing, present] if backwards else [beyond & missing]
    # Says nothing new, but lets the planner start in the middle of the index.
    side = "lte" if leading.descending != backwards else "gte"
    run = beyond & Q(**{f"{first}__{side}": value})
    return [run, missing] if leading.nullable and not backwards else [run]


def _step(name: str, term: SortTerm, value: Any, backwards: bool) -> Q | None:
    if value is None:  # missing values are last: nothing follows them, everything precedes them
        return Q(**{f"{name}__isnull": False}) if backwards else None
    comparison = "lt" if term.descending != backwards else "gt"
    step = Q(**{f"{name}__{comparison}": value})
    if term.nullable and not backwards:
        step |= Q(**{f"{name}__isnull": True})
    return step


def _encode(row: Any, names: Sequence[str]) -> str:
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]
    text = json.dumps([_plain(value) for value in values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a list cannot be sorted by values of {type(value).__name__}")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = json.loads(raw)
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError("not a cursor") from error
    if not isinstance(values, list) or len(values) != length:
        raise ValueError("a cursor of another sort")
    if any(isinstance(value, list | dict) for value in values):
        raise ValueError("a cursor holds plain values")
    return values
