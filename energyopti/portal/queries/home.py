"""The panels of a person's home page, by the roles that the person holds."""

from dataclasses import dataclass
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation.pages import HOME_PANELS


@dataclass(frozen=True)
class DrawnPanel:
    """A panel with the figures it is drawn from."""

    name: str
    template: str
    context: dict[str, Any]


def roles_of(actor: Actor) -> list[str]:
    """Return the names of the actor's roles, in alphabetical order; one query."""
    if actor.user is None:
        return []
    return list(actor.user.groups.order_by("name").values_list("name", flat=True))


def home_panels(actor: Actor, *, roles: list[str]) -> list[DrawnPanel]:
    """
    Return the panels registered for any of the roles that the actor is also permitted to see.

    Each panel asks its own app's queries; their number is the panel's affair.
    """
    held = set(roles)
    panels = [
        (panel.order, name, panel)
        for name, panel in HOME_PANELS.items()
        if panel.roles & held and (panel.permission is None or actor.may(panel.permission))
    ]
    return [
        DrawnPanel(name, panel.template, panel.context(actor))
        for _, name, panel in sorted(panels, key=lambda entry: entry[:2])
    ]
