from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "energyopti.accounts"
    label = "accounts"
    verbose_name = "People and organizations"

    def ready(self) -> None:
        from .services.roles import synchronize_roles

        post_migrate.connect(synchronize_roles, dispatch_uid="accounts.roles")
