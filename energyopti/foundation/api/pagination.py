"""Lists in pages that stay put: the cursor remembers the last row, not how many were skipped."""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Field, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from .refusals import Refusal

_FORWARD, _BACKWARD = "f", "b"


class CursorPage(BasePagination):
    """
    Page through a queryset by key: rows added meanwhile neither repeat nor hide others.

    The view says `ordering = ("-traded_at", "id")`, on fields without NULL, the last one unique;
    without it rows come by "-pk". The cursor is signed and bound to the route and its filters:
    it is opaque, and a made-up one is refused.
    """

    page_size = 50
    max_page_size = 500
    page_size_parameter = "page_size"
    cursor_parameter = "cursor"

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        """
        Return the rows of the page that the request asks for.

        :raises Refusal: 400 naming `page_size` or `cursor`.
        :raises ImproperlyConfigured: if the order is not unique or can be NULL.
        """
        self._request = request
        self._ordering = _checked_ordering(queryset, getattr(view, "ordering", ("-pk",)))
        size = self._size(request)
        direction, position = self._position(request)
        forward = direction == _FORWARD
        ordering = self._ordering if forward else _reversed(self._ordering)
        rows_wanted = queryset.order_by(*ordering)
        if position is not None:
            try:
                rows_wanted = rows_wanted.filter(_after(ordering, position))
            except (ValueError, TypeError, DjangoValidationError) as error:
                raise self._bad_cursor() from error
        rows = list(rows_wanted[: size + 1])
        more = len(rows) > size
        rows = rows[:size]
        if not forward:
            rows.reverse()
        has_next = more if forward else position is not None
        has_previous = position is not None if forward else more
        self._next = self._cursor(_FORWARD, rows[-1]) if rows and has_next else None
        self._previous = self._cursor(_BACKWARD, rows[0]) if rows and has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self._next),
                "previous": self._link(self._previous),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        following = "https://energyopti.example/api/v1/…?cursor=WyJmIiwiNyJd:1vR0aB:x1Y"
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {
                    **link,
                    "description": "The next page; null at the end.",
                    "example": following,
                },
                "previous": {
                    **link,
                    "description": "The page before; null at the start.",
                    "example": None,
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": self.cursor_parameter,
                "in": "query",
                "required": False,
                "description": "Opaque position; take it from `next` or `previous`.",
                "schema": {"type": "string"},
            },
            {
                "name": self.page_size_parameter,
                "in": "query",
                "required": False,
                "description": f"Rows a page, 1 to {self.max_page_size}.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": self.page_size,
                },
            },
        ]

    def _size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_parameter)
        if text is None:
            return self.page_size
        if text.isascii() and text.isdigit() and len(text) <= 6:
            size = int(text)
            if 1 <= size <= self.max_page_size:
                return size
        raise Refusal(
            f"page_size is a whole number from 1 to {self.max_page_size}.",
            code="page_size",
            parameter=self.page_size_parameter,
        )

    def _position(self, request: Request) -> tuple[str, list[str] | None]:
        cursor = request.query_params.get(self.cursor_parameter)
        if cursor is None:
            return _FORWARD, None
        try:
            direction, *position = signing.loads(cursor, salt=self._salt())
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise self._bad_cursor() from error
        if direction not in (_FORWARD, _BACKWARD) or len(position) != len(self._ordering):
            raise self._bad_cursor()
        return direction, position

    def _bad_cursor(self) -> Refusal:
        return Refusal(
            "This cursor is not from this list with these filters. Start without one.",
            code="cursor_invalid",
            parameter=self.cursor_parameter,
        )

    def _cursor(self, direction: str, row: Any) -> str:
        return signing.dumps(
            [direction, *(_text(_value(row, name)) for name in self._ordering)], salt=self._salt()
        )

    def _salt(self) -> str:
        """Bind a cursor to route, order and filters, so that it cannot be mixed up with another."""
        ours = (self.cursor_parameter, self.page_size_parameter)
        filters = sorted(
            (name, values)
            for name, values in self._request.query_params.lists()
            if name not in ours
        )
        bound = json.dumps([self._request.path, self._ordering, filters])
        return "api.cursor." + hashlib.sha256(bound.encode()).hexdigest()

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = self._request.query_params.copy()
        query[self.cursor_parameter] = cursor
        return str(self._request.build_absolute_uri(f"{self._request.path}?{query.urlencode()}"))


class ListPage(CursorPage):
    """
    Page through rows that a query computed as `CursorPage` does through stored ones.

    The view says `ordering = ("book", "start")`: attributes, ascending, that tell rows apart.
    """

    def paginate_queryset(
        self, queryset: Sequence[Any], request: Request, view: Any = None
    ) -> list[Any]:
        """Return the rows of the page that the request asks for; as `CursorPage`."""
        self._request = request
        self._ordering = list(view.ordering)
        size = self._size(request)
        direction, position = self._position(request)
        keyed = sorted(
            (([_text(_value(row, name)) for name in self._ordering], row) for row in queryset),
            key=itemgetter(0),
        )
        keys = [key for key, _ in keyed]
        if direction == _FORWARD:
            start = 0 if position is None else bisect_right(keys, position)
            end = min(start + size, len(keys))
        else:
            end = len(keys) if position is None else bisect_left(keys, position)
            start = max(end - size, 0)
        rows = [row for _, row in keyed[start:end]]
        self._next = self._cursor(_FORWARD, rows[-1]) if rows and end < len(keys) else None
        self._previous = self._cursor(_BACKWARD, rows[0]) if rows and start > 0 else None
        return rows


def _checked_ordering(queryset: QuerySet[Any], ordering: Sequence[str]) -> list[str]:
    fields = [_field(queryset, name) for name in ordering]
    if not fields or not fields[-1].unique:
        raise ImproperlyConfigured(f"ordering {ordering}: the last field must be unique.")
    if nullable := [field.name for field in fields if field.null]:
        raise ImproperlyConfigured(f"ordering {ordering}: {nullable} may be NULL.")
    return list(ordering)


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    name = name.lstrip("-")
    options = queryset.model._meta
    field = options.pk if name == "pk" else options.get_field(name)
    if not isinstance(field, Field):
        raise ImproperlyConfigured(f"ordering: {name} is not a column of {options.label}.")
    return field


def _reversed(ordering: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in ordering]


def _after(ordering: Sequence[str], position: Sequence[str]) -> Q:
    """Return the rows behind a position: a > x, or a = x and (b > y, or …)."""
    name, value = ordering[0], position[0]
    column = name.lstrip("-")
    beyond = Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
    if len(ordering) == 1:
        return beyond
    # The outer bound says the same once more, in the form that an index on `a` can use.
    bound = Q(**{f"{column}__{'lte' if name.startswith('-') else 'gte'}": value})
    return bound & (beyond | (Q(**{column: value}) & _after(ordering[1:], position[1:])))


def _value(row: Any, name: str) -> Any:
    name = name.lstrip("-")
    return row[name] if isinstance(row, Mapping) else getattr(row, name)


def _text(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | int | str):
        return str(value)
    raise ImproperlyConfigured(f"ordering: a {type(value).__name__} cannot be a cursor.")
