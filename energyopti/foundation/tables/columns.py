"""Columns that every list shares: figures with their decimals, moments, states as pills."""

from collections.abc import Mapping
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html

from .templatetags.figures import figure, moment, signed

_RIGHT = {"td": {"class": "number"}, "th": {"class": "number"}, "tf": {"class": "number"}}


class FigureColumn(tables.Column):
    """
    A number, right-aligned with grouped digits; exports get the bare number.

    unit        stands in the header ("MW"), never in the cell.
    with_sign   writes + before gains and colors neither: color is for changes.
    """

    def __init__(
        self, *args: Any, places: int = 0, unit: str = "", with_sign: bool = False, **kwargs: Any
    ) -> None:
        self.places = places
        self.unit = unit
        self._write = signed if with_sign else figure
        kwargs.setdefault("attrs", _RIGHT)
        super().__init__(*args, **kwargs)

    def render(self, value: Any) -> Any:
        return self._write(value, self.places)

    def value(self, **context: Any) -> Any:
        return context["value"]


class MomentColumn(tables.Column):
    """
    A time in the reader's zone with its name; exports get it whole.

    is_date     the values are dates.
    """

    def __init__(self, *args: Any, is_date: bool = False, **kwargs: Any) -> None:
        self.is_date = is_date
        super().__init__(*args, **kwargs)

    def render(self, value: Any) -> Any:
        return format_html(
            '<time class="nowrap" datetime="{}">{}</time>', value.isoformat(), moment(value)
        )

    def value(self, **context: Any) -> Any:
        return context["value"]


class StatusColumn(tables.Column):
    """
    A state as a pill.

    levels      level ("good", "bad", "warn", "info") by the stored value; others stay neutral.
    labels      words by the stored value; a model's `choices` are used without them.
    """

    def __init__(
        self,
        *args: Any,
        levels: Mapping[Any, str],
        labels: Mapping[Any, str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.levels = levels
        self.labels = labels
        super().__init__(*args, **kwargs)

    def render(self, value: Any, record: Any, bound_column: Any) -> Any:
        stored = bound_column.accessor.resolve(record)  # `value` is already the choice's label
        words = value if self.labels is None else self.labels.get(stored, stored)
        return format_html('<span class="pill {}">{}</span>', self.levels.get(stored, ""), words)

    def value(self, **context: Any) -> Any:
        return context["value"]
