"""What the pages of the API need beside the common tags."""

import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
_CODE = re.compile(r"`([^`\n]+)`")


@register.filter
def marked(text: str) -> SafeString:
    """Escape a description of the document and set its `words` between backticks as code."""
    escaped = conditional_escape(text)
    return mark_safe(_CODE.sub(r"<code>\1</code>", escaped))  # noqa: S308  (escaped above)
