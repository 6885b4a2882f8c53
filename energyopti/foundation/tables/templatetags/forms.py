"""What a field's template must know about its widget."""

from django import template
from django.forms import BoundField, CheckboxInput, DateInput, MultiWidget, RadioSelect
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Tell whether the widget is several inputs, which a fieldset and legend name."""
    return isinstance(field.field.widget, RadioSelect)


@register.filter
def is_range(field: BoundField) -> bool:
    return isinstance(field.field.widget, MultiWidget)


@register.filter
def range_control(field: BoundField) -> SafeString:
    """Draw the two inputs of a range, each with a name of its own and dates with a picker."""
    widget = field.field.widget
    assert isinstance(widget, MultiWidget)
    words = {"min": "at least", "max": "at most", "after": "from", "before": "to"}
    suffixes = getattr(widget, "suffixes", ["min", "max"])
    for part, suffix in zip(widget.widgets, suffixes, strict=True):
        end = words.get(suffix, suffix)
        part.attrs["aria-label"] = f"{field.label}, {end}"
        part.attrs["placeholder"] = end
        if type(part) is DateInput:
            part.input_type = "date"
            part.format = "%Y-%m-%d"
    return field.as_widget()


@register.filter
def beside(message: str, field: BoundField) -> str:
    """
    Return a message as it stands beside its field's label, which it need not name again.

    Services name the field and the rule ("book: choose one"), for callers that see no form.
    """
    name, colon, rest = str(message).partition(":")
    names = {field.name.lower(), str(field.label).lower(), field.name.replace("_", " ").lower()}
    if not colon or not rest.strip() or name.strip().lower() not in names:
        return str(message)
    rest = rest.strip()
    return rest[0].upper() + rest[1:]
