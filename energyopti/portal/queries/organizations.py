"""The organizations that a person belongs to, for sharing a view with their members."""

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation.pages import ScopeOption


def own_organizations(actor: Actor) -> list[ScopeOption]:
    """Return the actor's own organizations by name, not those of its customers; one query."""
    if actor.user is None:
        return []
    rows = Organization.objects.filter(memberships__user=actor.user, is_active=True)
    return [ScopeOption(str(row.pk), row.name) for row in rows.order_by("name")]
