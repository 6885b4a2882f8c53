"""What devices bring to the scope bar: the site that lists of batteries are read for."""

from collections.abc import Sequence
from typing import Any

from energyopti.foundation.pages import SCOPES, ScopeDimension, ScopeOption


def register_site_scope() -> None:
    """Offer the actor's sites to those who may see devices; called once, from `ready()`."""
    if "site" not in SCOPES:
        SCOPES.register(
            "site", ScopeDimension("Site", "All sites", site_options, "devices.view_device")
        )


def site_options(actor: Any) -> Sequence[ScopeOption]:
    """Return the sites that an actor reaches, under the name of their organization."""
    from energyopti.accounts.queries.sites import sites_of

    return [
        ScopeOption(str(site.pk), site.name, site.organization.name) for site in sites_of(actor)
    ]
