from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "energyopti.accounts"
    label = "accounts"
    verbose_name = "People and organizations"

    def ready(self) -> None:
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.pages import NAVIGATION, NavigationItem

        from .api import schema  # noqa: F401  # describes partner tokens in the OpenAPI document
        from .grantable import register_account_containers
        from .roles import Role, grant_to_roles
        from .scopes import register_scope
        from .services.roles import synchronize_roles
        from .sign_in.signals import connect_sign_in_signals

        register_account_containers()
        register_api_routes("accounts", "energyopti.accounts.api.urls")
        if "members" not in NAVIGATION:
            NAVIGATION.register(
                "members",
                NavigationItem(
                    label="Members",
                    url_name="accounts:members",
                    section="Administration",
                    permission="accounts.manage_organization",
                ),
            )
        register_scope("organizations:read", "See your organization and its sites")
        everybody = tuple(Role)
        grant_to_roles("accounts.view_organization", *everybody)
        grant_to_roles("accounts.view_site", *everybody)
        grant_to_roles("accounts.operate_site", Role.DEVICE_OPERATOR, Role.ENERGY_MANAGER)
        # A trader works for the operating company and a partner for itself; neither sees customers.
        grant_to_roles(
            "accounts.view_customers",
            *(role for role in everybody if role not in {Role.TRADER, Role.PARTNER}),
        )
        # Foundation cannot name roles: what its jobs, events and validation open is granted here.
        register_scope("jobs:read", "Follow jobs that you have asked for")
        register_scope("jobs:write", "Stop jobs that you have asked for")
        grant_to_roles("jobs.follow_job", *everybody)
        grant_to_roles("jobs.follow_all_jobs", Role.ADMIN)
        register_scope("validation:read", "See runs of reference cases through the models")
        register_scope("validation:write", "Send reference cases and run them")
        grant_to_roles("validation.validate_models", Role.RISK_OFFICER)
        grant_to_roles("events.view_event", Role.COMPLIANCE_OFFICER)
        grant_to_roles("events.view_followercursor", Role.ADMIN)
        grant_to_roles("events.view_parkedevent", Role.ADMIN)
        grant_to_roles("events.replay_parkedevent", Role.ADMIN)
        grant_to_roles("accounts.manage_organization", Role.ADMIN)
        grant_to_roles("accounts.view_apiclient", Role.PARTNER, Role.ADMIN)
        grant_to_roles("accounts.manage_apiclient", Role.PARTNER, Role.ADMIN)
        post_migrate.connect(synchronize_roles, dispatch_uid="accounts.roles")
        connect_sign_in_signals()
