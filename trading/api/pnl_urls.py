"""Routes of results under /api/v1/trading/."""

from django.urls import path

from .pnl import PnlView, ValueTotalView, ValueViewSet
from .positions import PositionTradeViewSet, PositionViewSet

urlpatterns = [
    path("positions", PositionViewSet.as_view({"get": "list"}), name="api-positions"),
    path(
        "positions/trades",
        PositionTradeViewSet.as_view({"get": "list"}),
        name="api-position-trades",
    ),
    path("pnl", PnlView.as_view(), name="api-pnl"),
    path("valuations", ValueViewSet.as_view({"get": "list"}), name="api-valuations"),
    path("valuations/totals", ValueTotalView.as_view(), name="api-valuation-totals"),
]
