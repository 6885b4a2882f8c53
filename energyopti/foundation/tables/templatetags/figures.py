"""How figures and moments are written on every page: digits grouped, signs and units plain."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone

register = template.Library()

MISSING = "–"
MINUS = "−"  # the minus sign, as wide as a digit


def _number(value: Any) -> Decimal | float | int | None:
    """Return a number that can be written, or None for text, missing and not-a-number."""
    if isinstance(value, bool) or not isinstance(value, Decimal | float | int):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if math.isfinite(value) else None


@register.filter
def figure(value: Any, places: Any = 0) -> Any:
    """Write a number with grouped digits and so many decimals; text stays, nothing is a dash."""
    number = _number(value)
    if number is None:
        is_missing = value in (None, "") or isinstance(value, float | Decimal)
        return MISSING if is_missing else value
    text = f"{abs(number):,.{int(places)}f}"
    is_zero = not text.strip("0.,")
    return text if number >= 0 or is_zero else MINUS + text


@register.filter
def signed(value: Any, places: Any = 0) -> str:
    """Write a number with its sign, zero without."""
    text = figure(value, places)
    number = _number(value)
    if number is None or number <= 0 or not text.strip("0.,"):
        return str(text)
    return "+" + str(text)


@register.filter
def arrow(value: Any) -> str:
    """Return the triangle that goes with a sign."""
    number = _number(value)
    if not number:
        return "■"
    return "▲" if number > 0 else "▼"


@register.filter
def direction(value: Any, good_when: str = "up") -> str:
    """Return the class that colors a change: "up" is welcome, "down" is not."""
    number = _number(value)
    if not number:
        return ""
    return "up" if (number > 0) == (good_when == "up") else "down"


@register.filter
def share(value: Any, whole: Any) -> str:
    """Write a part of a whole in percent."""
    part, total = _number(value), _number(whole)
    if part is None or not total:
        return MISSING
    return f"{100 * float(part) / float(total):.0f} %"


@register.filter
def portion(whole: Any, factor: str) -> str:
    """Return a part of a number, for the bounds of a meter."""
    return format(float(whole) * float(factor), "g")


@register.filter
def moment(value: Any) -> Any:
    """Write a date, or a time in the reader's zone with the zone's name."""
    if isinstance(value, datetime):
        if timezone.is_naive(value):
            return value
        local = timezone.localtime(value)
        return f"{local.day} {local:%b %Y %H:%M} {local.tzname()}"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    return MISSING if value is None else value


@register.filter
def iso(value: Any) -> str:
    """Write a value for a machine: ISO 8601 for times, a point and no grouping for numbers."""
    if isinstance(value, date):
        return value.isoformat()
    if _number(value) is None and not isinstance(value, str):
        return ""
    return str(value)
