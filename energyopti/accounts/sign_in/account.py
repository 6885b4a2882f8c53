"""How allauth's account pages behave here: nobody signs up, and redirects stay on this host."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited by an administrator; see services.members."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """
        Allow redirects within this host only.

        allauth would also follow every name in ALLOWED_HOSTS; a path is all we ever need.
        """
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_user_search_fields(self) -> list[str]:
        return ["name", "email"]
