"""Sites, as those see them who belong to their organization or hold a grant."""

from typing import TYPE_CHECKING, Any

from ..models import Site

if TYPE_CHECKING:
    from django.db.models import QuerySet


def sites_of(actor: Any) -> "QuerySet[Site]":
    """Return the sites that an actor reaches, by organization and name; one query when read."""
    return (
        Site.objects.filter(id__in=actor.container_ids("site"))
        .select_related("organization")
        .order_by("organization__name", "name", "id")
    )


def zone_of_site(actor: Any, site_id: str) -> str | None:
    """Return the bidding zone of a site that the actor reaches, None for any other."""
    zones = sites_of(actor).order_by().filter(pk=site_id).values_list("market_zone", flat=True)
    return zones.first()
