"""Routes of the settings pages, and the token endpoint of partners."""

from django.urls import path

from . import access, pages
from .saml import finish
from .token import revoke, token

app_name = "accounts"
urlpatterns = [
    # These stand before allauth's routes of the same addresses.
    path("identity/o/api/token", token, name="token"),
    path("identity/o/api/revoke", revoke, name="revoke"),
    path("accounts/saml/<str:organization_slug>/acs/finish/", finish, name="saml-finish"),
    path("settings/profile/", pages.profile, name="profile"),
    path("settings/sessions/", pages.sessions, name="sessions"),
    path("settings/keys/", pages.keys, name="keys"),
    path("settings/keys/<slug:client_id>/rotate/", pages.rotate_key, name="rotate-key"),
    path("settings/keys/<slug:client_id>/revoke/", pages.revoke_key, name="revoke-key"),
    path("settings/members/", pages.members, name="members"),
    path("settings/members/<uuid:user_id>/", pages.member, name="member"),
    path("settings/members/<uuid:user_id>/access/", access.access, name="member-access"),
    path(
        "settings/members/<uuid:user_id>/access/withdraw/",
        access.withdraw,
        name="withdraw-access",
    ),
    path("settings/members/<uuid:user_id>/close/", pages.close_member, name="close-member"),
    path("settings/members/<uuid:user_id>/reopen/", pages.reopen_member, name="reopen-member"),
]
