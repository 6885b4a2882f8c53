"""Organizations as other apps ask for them: who operates the product, and who belongs to whom."""

from uuid import UUID

from ..models import Membership, Organization
from ..models.ownership import Reader


class UnknownOrganization(LookupError):
    """There is no such organization for this actor."""


def operating_organization_ids(own: frozenset[UUID]) -> frozenset[UUID]:
    """Return those of the organizations that are nobody's customer."""
    return frozenset(
        Organization.objects.filter(pk__in=own, parent=None, is_active=True).values_list(
            "id", flat=True
        )
    )


def organization_by_slug(actor: Reader, slug: str) -> UUID:
    """
    Return the id of one of the actor's organizations.

    :raises UnknownOrganization: if it has none of that code.
    """
    found = (
        Organization.objects.filter(pk__in=actor.organization_ids, slug=slug)
        .values_list("id", flat=True)
        .first()
    )
    if found is None:
        raise UnknownOrganization(f"organization: there is no “{slug}” for you.")
    return found


def member_ids_by_email(organization_id: UUID) -> dict[str, UUID]:
    """Return the active people of an organization by their e-mail address in lower case."""
    members = Membership.objects.filter(
        organization_id=organization_id, user__is_active=True, user__is_service=False
    )
    return {email.lower(): user for email, user in members.values_list("user__email", "user_id")}
