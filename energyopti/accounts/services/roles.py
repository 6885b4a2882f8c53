"""Write what the apps granted to roles into the groups of the database."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured

from ..roles import Role, permissions_of


def synchronize_roles(*, app_config: Any = None, **_: Any) -> None:
    """
    Make each role's group hold exactly the permissions that the apps granted to it.

    Runs after each app's migrations; waits for the last of them, when all permissions exist.

    :raises ImproperlyConfigured: if an app granted a permission that does not exist.
    """
    from django.apps import apps

    if app_config is not None and app_config.label != list(apps.get_app_configs())[-1].label:
        return
    existing = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role in Role:
        group, _created = Group.objects.get_or_create(name=role.value)
        unknown = permissions_of(role) - existing.keys()
        if unknown:
            raise ImproperlyConfigured(
                f"role {role.value}: no such permission: {', '.join(sorted(unknown))}"
            )
        group.permissions.set([existing[name] for name in permissions_of(role)])
