"""Write what the apps granted to roles into the groups of the database."""

from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from ..roles import Role, permissions_of


def synchronize_roles(*, app_config: Any = None, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """
    Make each role's group hold exactly the permissions that the apps granted to it.

    Called after each app's migrations; works once, after the last app's. Writes only what
    differs, so a second run changes nothing.

    :raises ImproperlyConfigured: if an app granted a permission that does not exist.
    """
    if app_config is not None and app_config.label != _last_label_with_models():
        return
    if not _has_tables(using):
        return  # `migrate contenttypes` alone, on an empty database
    # Our receiver may run before Django's own for the last app: create what is missing first.
    for config in apps.get_app_configs():
        create_permissions(config, verbosity=0, using=using)
    existing = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    with transaction.atomic(using=using):
        for role in Role:
            granted = permissions_of(role)
            if unknown := granted - existing.keys():
                raise ImproperlyConfigured(
                    f"role {role.value}: no such permission: {', '.join(sorted(unknown))}"
                )
            group, _created = Group.objects.using(using).get_or_create(name=role.value)
            group.permissions.set([existing[name] for name in granted])


def _last_label_with_models() -> str:
    # `migrate` tells of every app that has models, in the order of INSTALLED_APPS.
    return [config.label for config in apps.get_app_configs() if config.models_module][-1]


def _has_tables(using: str) -> bool:
    with connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
    needed = (Group, Permission, Group.permissions.through)
    return all(model._meta.db_table in tables for model in needed)
