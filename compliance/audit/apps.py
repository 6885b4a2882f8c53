"""The audit app: its follower of the event log and who may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem
from trading.panels import TRADE_PANELS, TradePanel

if TYPE_CHECKING:
    from energyopti.foundation.events.models import Event


def _chain_key(_event: Event) -> str:
    """Return one key for all events: what cannot be chained must hold back every later one."""
    return "chain"


class AuditConfig(AppConfig):
    name = "compliance.audit"
    label = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from energyopti.foundation.events.followers import register_follower

        from .services.chaining import chain_event
        from .web.home import audit_panel
        from .web.trade_panel import trade_panel

        register_follower("audit", chain_event, key_of=_chain_key)
        grant_to_roles("audit.view_auditrecord", Role.COMPLIANCE_OFFICER)
        TRADE_PANELS.register(
            "audit",
            TradePanel(
                template="audit/trade_panel.html",
                context=trade_panel,
                permission="audit.view_auditrecord",
            ),
        )
        HOME_PANELS.register(
            "audit.trail",
            HomePanel(
                roles=frozenset({Role.COMPLIANCE_OFFICER}),
                template="audit/home_panel.html",
                context=audit_panel,
                permission="audit.view_auditrecord",
                order=10,
            ),
        )
        NAVIGATION.register(
            "audit",
            NavigationItem(
                label="Audit trail",
                url_name="audit:trail",
                section="Compliance",
                permission="audit.view_auditrecord",
                shortcut="u",
                order=10,
            ),
        )
