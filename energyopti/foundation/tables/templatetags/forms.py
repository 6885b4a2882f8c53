"""What a field's template must know about its widget."""

from django import template
from django.forms import BoundField, CheckboxInput, RadioSelect

register = template.Library()


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Tell whether the widget is several inputs, which a fieldset and legend name."""
    return isinstance(field.field.widget, RadioSelect)
