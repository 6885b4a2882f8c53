"""What people change about themselves."""

from django.db import transaction

from energyopti.foundation.events.services import record_event

from ..actors import Actor
from ..models import User


@transaction.atomic
def change_profile(*, actor: Actor, user: User, name: str, time_zone: str) -> User:
    """
    Change one's own name and time zone.

    :raises PermissionError: if the actor is somebody else.
    """
    if actor.user is None or actor.user.pk != user.pk:
        raise PermissionError("A profile is changed by the person it describes.")
    stored = User.objects.select_for_update().get(pk=user.pk)
    changes = {
        field: (getattr(stored, field), value)
        for field, value in (("name", name), ("time_zone", time_zone))
        if getattr(stored, field) != value
    }
    stored.name, stored.time_zone = name, time_zone
    stored.save(update_fields=["name", "time_zone"])
    if changes:
        record_event(
            type="user.profile_changed",
            actor=actor,
            aggregate_type="user",
            aggregate_id=stored.pk,
            organization_id=None,
            changes=changes,
        )
    return stored
