"""How ratios to a tolerance and values of any shape stand in a table."""

import json
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html

from energyopti.foundation.tables.columns import FigureColumn

SHORT = 48


def ratio(value: float | None) -> str:
    """Write a difference relative to its tolerance: 1 is just allowed."""
    if value is None:
        return "–"
    return f"{value:,.3f}" if value < 1000 else f"{value:.1e}"


def as_text(value: Any) -> str:
    """Write a JSON value on one line; nothing for null."""
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def short(value: Any) -> str:
    """Write a JSON value for people, without braces and quotes, cut where it is long."""
    text = _plainly(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _plainly(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plainly(member)}" for key, member in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(_plainly, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


class RatioColumn(FigureColumn):
    """A difference relative to its tolerance; exports get the bare number."""

    def render(self, value: Any) -> Any:
        return ratio(value)


class JsonColumn(tables.Column):
    """A JSON value, cut on the page and whole in exports."""

    def render(self, value: Any) -> Any:
        return format_html('<span class="nowrap">{}</span>', short(value))

    def value(self, **context: Any) -> Any:
        return as_text(context["value"])
