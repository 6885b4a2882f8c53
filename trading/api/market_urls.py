"""Routes of market data under /api/v1/trading/."""

from django.urls import path

from .prices import CurveView, ForecastView, MarketViewSet, PriceViewSet

urlpatterns = [
    path("markets", MarketViewSet.as_view({"get": "list"}), name="markets"),
    path("prices", PriceViewSet.as_view({"get": "list"}), name="prices"),
    path("forecasts", ForecastView.as_view(), name="forecasts"),
    path("curves", CurveView.as_view(), name="curves"),
]
