"""The Django admin behind our own sign-in: for members of staff who hold the role Admin."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from .roles import Role


class EnergyAdminSite(AdminSite):
    """
    Django's admin without a sign-in form of its own.

    The form of Django's admin knows neither second factors nor throttling; strangers go through
    allauth, and somebody who is signed in without the role is told so (403) instead of being
    asked for a password again.
    """

    site_header = "EnergyOpti-Pro administration"
    site_title = "EnergyOpti-Pro"
    index_title = "Tables"
    # Its script opens it after the first paint, which moves the page; the index lists the same.
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        if not (user.is_authenticated and user.is_active and user.is_staff):
            return False
        return user.is_superuser or user.groups.filter(name=Role.ADMIN.value).exists()

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("The administration is for staff with the role Admin.")
        return redirect_to_login(request.GET.get("next") or request.get_full_path())
