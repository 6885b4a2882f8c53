"""Active filters of a list in words: for the chips above the table and for exports."""

from typing import Any

from django.db.models import Model
from django_filters import FilterSet

from .state import Address, Chip
from .templatetags.figures import moment


def chips(filterset: FilterSet | None, address: Address) -> list[Chip]:
    """Return one chip a filter that is set."""
    if filterset is None or not filterset.is_bound or not filterset.is_valid():
        return []
    found = []
    for name, value in filterset.form.cleaned_data.items():
        if value in (None, "", [], ()) or (hasattr(value, "exists") and not value):
            continue
        names = parameter_names(filterset, name)
        if not any(address.parameters.get(parameter) for parameter in names):
            continue
        field = filterset.form.fields[name]
        link = address.link(without=[*names, "after", "before", "export", "view"])
        found.append(Chip(str(field.label or name), in_words(field, value), link))
    return found


def parameter_names(filterset: FilterSet, name: str) -> list[str]:
    """Return the URL parameters of one filter; a range has two."""
    suffixes = getattr(filterset.form.fields[name].widget, "suffixes", [])
    return [f"{name}_{suffix}" for suffix in suffixes] or [name]


def all_parameter_names(filterset: FilterSet | None) -> set[str]:
    if filterset is None:
        return set()
    return {p for name in filterset.form.fields for p in parameter_names(filterset, name)}


def in_words(field: Any, value: Any) -> str:
    """Write a filter's value for people: the label of a choice, a range as "from … to …"."""
    if isinstance(value, slice):
        start, stop = value.start, value.stop
        parts = [f"from {moment(start)}"] if start is not None else []
        parts += [f"to {moment(stop)}"] if stop is not None else []
        return " ".join(parts)
    labels = {
        str(key): str(label)
        for key, label in getattr(field, "choices", ())
        if not isinstance(label, list | tuple)
    }
    values = value if isinstance(value, list | tuple) else [value]
    if hasattr(value, "model"):
        values = list(value)
    return ", ".join(
        str(item) if isinstance(item, Model) else str(labels.get(str(item), moment(item)))
        for item in values
    )
