"""Look up what a column's heading needs."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def head_of(heads: Mapping[str, Any], name: str) -> Any:
    """Return the sort state of a column, None where it cannot be sorted by."""
    return heads.get(name)
