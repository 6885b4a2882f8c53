"""Routes of /api/v1/trading/."""

from django.urls import path

from .trades import TradeViewSet

urlpatterns = [
    path("trades/", TradeViewSet.as_view({"get": "list", "post": "create"}), name="api-trades"),
    path("trades/<str:ref>/", TradeViewSet.as_view({"get": "retrieve"}), name="api-trade"),
]
