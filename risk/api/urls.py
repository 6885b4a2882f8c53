"""Routes of /api/v1/risk/."""

from django.urls import path

from .views import BookRiskViewSet

urlpatterns = [
    path("books", BookRiskViewSet.as_view({"get": "list"}), name="api-risk-books"),
    path("books/<uuid:book_id>", BookRiskViewSet.as_view({"get": "retrieve"}), name="api-risk"),
]
