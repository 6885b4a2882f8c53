from django.apps import AppConfig
from django.conf import settings


class PortalConfig(AppConfig):
    name = "energyopti.portal"
    label = "portal"
    verbose_name = "Pages that span apps"

    def ready(self) -> None:
        from django.core.checks import register

        from energyopti.accounts.queries.people import names_by_actor_id
        from energyopti.accounts.requests import actor_of
        from energyopti.accounts.scopes import register_scope
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.pages import (
            NAVIGATION,
            PEOPLE,
            PEOPLE_CHOICES,
            PEOPLE_NAMES,
            NavigationItem,
        )

        from .checks import check_pages
        from .queries.organizations import own_organizations

        register(check_pages)
        register_api_routes("me", "energyopti.portal.api.urls")
        register_scope("me:read", "See in one call what your other scopes show")
        PEOPLE.register("actor_of", actor_of)
        PEOPLE_CHOICES.register("organizations", own_organizations)
        PEOPLE_NAMES.register("by_actor_id", names_by_actor_id)
        NAVIGATION.register(
            "home", NavigationItem("Home", "portal:home", section="", shortcut="h", order=0)
        )
        NAVIGATION.register(
            "complete", NavigationItem("Complete view", "portal:complete", section="", order=5)
        )
        if getattr(settings, "COMPONENT_GALLERY", False):
            for order, (name, label) in enumerate(
                [("gallery", "Components"), ("gallery-table", "Example list")]
            ):
                entry = NavigationItem(label, f"portal:{name}", "Design", order=900 + order)
                NAVIGATION.register(name, entry)
