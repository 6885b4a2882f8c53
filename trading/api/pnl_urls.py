"""Routes of results under /api/v1/trading/."""

from django.urls import path

from .pnl import PnlView, ValueViewSet

urlpatterns = [
    path("pnl", PnlView.as_view(), name="api-pnl"),
    path("valuations", ValueViewSet.as_view({"get": "list"}), name="api-valuations"),
]
