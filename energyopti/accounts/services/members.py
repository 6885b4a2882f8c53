"""Who belongs to an organization and what role they hold: add, invite, change, close."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import Http404

from energyopti.foundation.events.services import record_event

from ..actors import Actor, PermissionMissing
from ..models import Membership, Organization, User
from ..roles import Role, permissions_of

MANAGE = "accounts.manage_organization"


class EmailTaken(ValueError):
    """The address already belongs to somebody; naming it is safe, an administrator asked."""


class NotYourself(ValueError):
    """One cannot change one's own roles or close one's own account: ask another administrator."""


@transaction.atomic
def add_person(
    *,
    actor: Actor,
    email: str,
    name: str,
    organization: Organization,
    roles: Iterable[Role],
    password: str | None = None,
) -> User:
    """
    Add a person to an organization with roles; without a password they cannot sign in yet.

    The address counts as verified: whoever adds it answers for it, and an invitation proves it.

    :raises PermissionMissing: if the actor may not manage members, or gives a role that may do
        something the actor itself may not.
    :raises Http404: if the organization is foreign to the actor.
    :raises EmailTaken: if somebody has the address, whatever its case.
    :raises ValidationError: if the password breaks a rule.
    """
    actor.require(MANAGE)
    _check_organization(actor, organization)
    given = _allowed(actor, roles)
    address = User.objects.normalize_email(email.strip())
    if User.objects.filter(email__iexact=address).exists():
        raise EmailTaken(f"email: somebody with the address {address} is already here.")
    user = User(email=address, name=name.strip())
    if password is None:
        user.set_unusable_password()
    else:
        validate_password(password, user)
        user.set_password(password)
    user.is_staff = Role.ADMIN in given
    user.full_clean(exclude=["password"])
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Membership.objects.create(user=user, organization=organization)
    user.groups.set(Group.objects.filter(name__in=[role.value for role in given]))
    record_event(
        type="member.added",
        actor=actor,
        aggregate_type="user",
        aggregate_id=user.pk,
        organization_id=organization.pk,
        payload={"email": user.email, "roles": sorted(given)},
    )
    return user


@transaction.atomic
def set_roles(*, actor: Actor, user_id: object, roles: Iterable[Role]) -> User:
    """
    Give a member exactly these roles and end their sessions, so that all pages know at once.

    :raises PermissionMissing: as for `add_person`; taking a role away needs holding it, too.
    :raises Http404: if the member is not the actor's to manage.
    :raises NotYourself: if the actor is the member.
    """
    actor.require(MANAGE)
    user = _locked(actor, user_id)
    before = {Role(name) for name in user.groups.values_list("name", flat=True) if name in {*Role}}
    after = _allowed(actor, roles)
    _allowed(actor, before - after)
    user.groups.set(Group.objects.filter(name__in=[role.value for role in after]))
    user.is_staff = Role.ADMIN in after
    user.save(update_fields=["is_staff"])
    end_sessions(user)
    record_event(
        type="member.roles_changed",
        actor=actor,
        aggregate_type="user",
        aggregate_id=user.pk,
        organization_id=user.memberships.values_list("organization_id", flat=True).first(),
        changes={"roles": (sorted(before), sorted(after))},
    )
    return user


@transaction.atomic
def close_account(*, actor: Actor, user_id: object) -> User:
    """
    Keep a member from signing in, and end what they have open; history keeps their name.

    :raises PermissionMissing: if the actor may not manage members.
    :raises Http404: if the member is not the actor's to manage.
    :raises NotYourself: if the actor is the member.
    """
    return _set_active(actor, user_id, is_active=False)


@transaction.atomic
def reopen_account(*, actor: Actor, user_id: object) -> User:
    """
    Let a member whose account was closed sign in again, with the roles they had.

    :raises PermissionMissing: also if those roles may do what the actor may not.
    :raises Http404: if the member is not the actor's to manage.
    """
    return _set_active(actor, user_id, is_active=True)


def end_sessions(user: User) -> None:
    """Sign a user out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _set_active(actor: Actor, user_id: object, *, is_active: bool) -> User:
    actor.require(MANAGE)
    user = _locked(actor, user_id)
    if is_active:
        _allowed(
            actor,
            [Role(name) for name in user.groups.values_list("name", flat=True) if name in {*Role}],
        )
    before = user.is_active
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    if not is_active:
        end_sessions(user)
    record_event(
        type="member.reopened" if is_active else "member.closed",
        actor=actor,
        aggregate_type="user",
        aggregate_id=user.pk,
        organization_id=user.memberships.values_list("organization_id", flat=True).first(),
        changes={"is_active": (before, is_active)},
    )
    return user


def _check_organization(actor: Actor, organization: Organization) -> None:
    if organization.pk not in actor.organization_ids:
        raise Http404("no such organization")


def _allowed(actor: Actor, roles: Iterable[Role]) -> set[Role]:
    """Return the roles, if the actor holds everything that each of them holds."""
    given = {Role(role) for role in roles}
    for role in given:
        for permission in permissions_of(role):
            if not actor.may(permission):
                raise PermissionMissing(permission)
    return given


def _locked(actor: Actor, user_id: object) -> User:
    """Lock a member all of whose organizations the actor sees; others have a say in the rest."""
    user = User.objects.select_for_update().filter(pk=user_id, is_service=False).first()
    memberships = set(
        Membership.objects.filter(user_id=user_id).values_list("organization_id", flat=True)
    )
    if user is None or not memberships or not memberships <= actor.organization_ids:
        raise Http404("no such member")
    if actor.user is not None and actor.user.pk == user.pk:
        raise NotYourself("Ask another administrator to change your own roles or account.")
    return user
