"""Project-wide wiring that belongs to no app: the database role's rights, the check of guards."""

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import connections
from django.db.models.signals import post_migrate

from energyopti.foundation.registry import incomplete_guards


class ProjectConfig(AppConfig):
    name = "energyopti"
    label = "energyopti"
    verbose_name = "EnergyOpti-Pro"

    def ready(self) -> None:
        # The signal is sent for apps with models only, and this one has none; whichever app it is
        # sent for, all tables are there by then.
        post_migrate.connect(grant_application_role, sender=apps.get_app_config("events"))
        # Whoever enqueues a task needs the configured Celery application, not Celery's default.
        import_module("energyopti.celery")
        register(check_guards)


def check_guards(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Name each required entry of a registry that no app has registered."""
    return [
        Error(
            f"{guard.subject}: nobody registered {', '.join(sorted(guard.missing()))}",
            hint="The app that registers it is not in INSTALLED_APPS, or its ready() forgot it.",
            id="energyopti.E001",
        )
        for guard in incomplete_guards()
    ]


def grant_application_role(*, using: str, **_: Any) -> None:
    """
    Give the application's role what it needs on the tables just migrated, and no more.

    Rows of models marked `append_only` may be added and read, never changed or removed.
    """
    role = settings.DATABASE_APPLICATION_ROLE
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role]
        )
        current_role, exists = cursor.fetchone()
        if not exists or role == current_role:
            return
        quoted = connection.ops.quote_name(role)
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}"
        )
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        # `migrate APP` and a step backwards leave some models without their table.
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models():
            if getattr(model, "append_only", False) and model._meta.db_table in tables:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {quoted}")
