"""Routes under /api/v1/accounts/."""

from django.urls import path

from .organizations import OrganizationViewSet, SiteViewSet

urlpatterns = [
    path(
        "organizations", OrganizationViewSet.as_view({"get": "list"}), name="accounts-organizations"
    ),
    path("sites", SiteViewSet.as_view({"get": "list"}), name="accounts-sites"),
    path("sites/<uuid:pk>", SiteViewSet.as_view({"get": "retrieve"}), name="accounts-site"),
]
