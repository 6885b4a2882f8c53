"""Members and API keys as the settings pages list them, for the actor's organizations only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import Http404

from ..models import ApiClient, Membership, User
from ..models.ownership import Reader


@dataclass(frozen=True)
class Member:
    """One line of the members page."""

    user_id: UUID
    name: str
    email: str
    organization: str
    roles: tuple[str, ...]
    is_active: bool
    latest_sign_in_at: datetime | None


def members_of(actor: Reader) -> list[Member]:
    """Return the people of the actor's organizations by organization and name; two queries."""
    memberships = (
        Membership.objects.filter(
            organization_id__in=actor.organization_ids, user__is_service=False
        )
        .select_related("user", "organization")
        .prefetch_related("user__groups")
        .order_by("organization__name", "user__name", "user_id")
    )
    return [
        Member(
            user_id=membership.user.pk,
            name=membership.user.name or membership.user.email,
            email=membership.user.email,
            organization=membership.organization.name,
            roles=tuple(sorted(group.name for group in membership.user.groups.all())),
            is_active=membership.user.is_active,
            latest_sign_in_at=membership.user.last_login,
        )
        for membership in memberships
    ]


def member_or_404(actor: Reader, user_id: UUID) -> User:
    """
    Return a person who belongs to one of the actor's organizations.

    :raises Http404: if there is none, or it is somebody else's.
    """
    user = User.objects.filter(
        pk=user_id,
        is_service=False,
        memberships__organization_id__in=actor.organization_ids,
    ).first()
    if user is None:
        raise Http404("no such member")
    return user


def keys_of(actor: Reader) -> list[ApiClient]:
    """Return the API keys of the actor's organizations, working ones first, newest first."""
    return list(
        ApiClient.objects.visible_to(actor)
        .select_related("organization", "created_by")
        .order_by("revoked_at", "-created_at", "id")
    )


def key_or_404(actor: Reader, client_id: str) -> ApiClient:
    """
    Return a key of one of the actor's organizations.

    :raises Http404: if there is none, or it is somebody else's.
    """
    client = ApiClient.objects.visible_to(actor).filter(client_id=client_id).first()
    if client is None:
        raise Http404("no such key")
    return client


def names_by_actor_id(actor_ids: Iterable[str]) -> dict[str, str]:
    """Return the names behind actor ids ("user:<uuid>"); those of the system stay; one query."""
    wanted = set(actor_ids) - {""}
    users = [actor_id.removeprefix("user:") for actor_id in wanted if actor_id.startswith("user:")]
    names = {
        f"user:{pk}": name or email
        for pk, name, email in User.objects.filter(pk__in=users).values_list("pk", "name", "email")
    }
    return {actor_id: names.get(actor_id, actor_id) for actor_id in wanted}
