"""Our tables and those of sign-in in the admin: facts read-only, reference data with an event."""

from typing import Any

# Imported for what they register, so that it can be replaced below.
import allauth.account.admin
import allauth.idp.oidc.admin
import allauth.mfa.admin
import allauth.socialaccount.admin
import allauth.usersessions.admin  # noqa: F401
import django.contrib.auth.admin  # noqa: F401
import guardian.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from guardian.models import UserObjectPermission

from . import admin_parts  # noqa: F401  # registers the tables of other parts
from .admin_base import EopModelAdmin, ReadOnlyAdmin
from .models import ApiClient, Membership, Organization, Site, User

# Registered by their packages with classes that write past our services.
for model in (
    Client,
    EmailAddress,
    Authenticator,
    Group,
    SocialAccount,
    SocialApp,
    SocialToken,
    Token,
    UserSession,
):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People are added and changed under Settings → Members, which calls the services."""

    list_display = ("email", "name", "is_active", "is_staff", "is_service", "last_login")
    list_filter = ("is_active", "is_staff", "is_service", "groups")
    search_fields = ("email", "name")
    exclude = ("password",)


@admin.register(Organization)
class OrganizationAdmin(EopModelAdmin):
    list_display = ("name", "lei", "parent", "reporting_currency", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "lei")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(Site)
class SiteAdmin(EopModelAdmin):
    list_display = ("name", "organization", "market_zone", "grid_connection_kw")
    list_filter = ("market_zone",)
    search_fields = ("name", "organization__name")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "organization", "since_at")
    search_fields = ("user__email", "organization__name")


@admin.register(ApiClient)
class ApiClientAdmin(ReadOnlyAdmin):
    list_display = ("name", "client_id", "organization", "latest_use_at", "revoked_at")
    search_fields = ("name", "client_id", "organization__name")


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """A role's permissions come from the code; `migrate` writes them."""

    list_display = ("name",)
    fields = ("name", "permissions")


@admin.register(UserObjectPermission)
class GrantAdmin(ReadOnlyAdmin):
    list_display = ("user", "permission", "content_type", "object_pk")
    search_fields = ("user__email", "object_pk")


@admin.register(Client)
class ProviderClientAdmin(ReadOnlyAdmin):
    list_display = ("name", "id", "owner", "created_at")
    search_fields = ("name", "id")
    exclude = ("secret",)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    list_display = ("client", "type", "created_at", "expires_at")
    list_filter = ("type",)
    exclude = ("hash",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    exclude = ("data",)


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "ip", "created_at", "last_seen_at")
    search_fields = ("user__email", "ip")
    exclude = ("session_key", "data")


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "user", "primary", "verified")
    search_fields = ("email",)


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin):
    list_display = ("user", "provider", "uid", "last_login")
    exclude = ("extra_data",)


@admin.register(SocialApp)
class IdentityProviderAdmin(EopModelAdmin):
    """A company's own identity provider (OpenID Connect or SAML); its secret is never shown."""

    list_display = ("name", "provider", "provider_id")
    may_delete = True

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("secret",)
