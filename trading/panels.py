"""Panels of a trade's page that other rooms bring: its audit trail, its documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from energyopti.foundation.registry import Registry


@dataclass(frozen=True)
class TradePanel:
    """
    One panel of the page of a trade.

    template    drawn with the dictionary that `context(actor, version)` returns; the version is
                the trade's latest, which the actor may see
    permission  without it the panel is not drawn
    """

    template: str
    context: Callable[[Any, Any], dict[str, Any]]
    permission: str | None = None
    order: int = 100


TRADE_PANELS: Registry[TradePanel] = Registry("trade panels")


def panels_of(actor: Any) -> list[TradePanel]:
    """Return the panels that an actor may see, in their order."""
    return sorted(
        (p for p in TRADE_PANELS.values() if p.permission is None or actor.may(p.permission)),
        key=lambda panel: panel.order,
    )
