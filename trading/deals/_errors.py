"""What deals refuse; in a module of its own so that every part of a deal can raise it."""

from __future__ import annotations


class DealError(ValueError):
    """Raised for terms that make no deal; `field` names the one at fault, `rule` says why."""

    def __init__(self, field: str, rule: str) -> None:
        self.field = field
        self.rule = rule
        super().__init__(f"{field}: {rule}")


class NoSuchShape(DealError):
    """Raised where a product is asked for whose hours the area does not define."""
