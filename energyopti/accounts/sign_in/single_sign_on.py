"""Sign-in with a company's own identity provider, by OpenID Connect or SAML."""

from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """
    Let a provider vouch only for addresses of its own domains, and only for people invited here.

    A provider's settings carry `verified_email`, the list of its domains. Without the list it can
    sign in nobody by address: a provider that could speak for every address could speak for ours.
    """

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def is_email_verified(self, provider: Any, email: str) -> bool:
        return _speaks_for(provider, email)

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        # The provider's own claim “verified” counts for nothing outside its domains.
        return _speaks_for(login.provider, email)


def _speaks_for(provider: Any, email: str) -> bool:
    domains = (provider.app.settings if provider.app else {}).get("verified_email")
    if not isinstance(domains, list):
        return False
    return email.rpartition("@")[2].lower() in {str(domain).lower() for domain in domains}
