"""The panels of a person's home page, by the roles that the person holds."""

from dataclasses import dataclass
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation.pages import HOME_PANELS, HomePanel
from energyopti.foundation.scope import Scope


@dataclass(frozen=True)
class DrawnPanel:
    """
    A panel with the figures it is drawn from.

    unread    (label, word for all) of what is chosen in the scope bar and the panel does not read.
    """

    name: str
    template: str
    context: dict[str, Any]
    unread: tuple[tuple[str, str], ...] = ()


def roles_of(actor: Actor) -> list[str]:
    """Return the names of the actor's roles, in alphabetical order; one query."""
    if actor.user is None:
        return []
    return list(actor.user.groups.order_by("name").values_list("name", flat=True))


def panels_of(actor: Actor, *, roles: list[str]) -> list[tuple[str, HomePanel]]:
    """Return the panels registered for any of the roles that the actor is permitted to see."""
    held = set(roles)
    panels = [
        (panel.order, name, panel)
        for name, panel in HOME_PANELS.items()
        if panel.roles & held and (panel.permission is None or actor.may(panel.permission))
    ]
    return [(name, panel) for _, name, panel in sorted(panels, key=lambda entry: entry[:2])]


def read_by(panels: list[tuple[str, HomePanel]]) -> frozenset[str]:
    """Return the dimensions of the scope bar that any of the panels reads."""
    return frozenset[str]().union(*(panel.reads for _, panel in panels))


def drawn_panels(
    actor: Actor, *, panels: list[tuple[str, HomePanel]], scope: Scope
) -> list[DrawnPanel]:
    """
    Return panels with their figures in a scope.

    Each panel asks its own app's queries; their number is the panel's affair.
    """
    return [
        DrawnPanel(
            name,
            panel.template,
            panel.context(actor, **{read: scope.value(read) for read in panel.reads}),
            tuple(
                (choice.dimension.label.lower(), choice.dimension.all_label)
                for choice in scope.choices
                if choice.value and choice.parameter not in panel.reads
            ),
        )
        for name, panel in panels
    ]
