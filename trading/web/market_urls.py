"""Routes of the pages of market data."""

from django.urls import path

from . import markets

urlpatterns = [
    path("prices/", markets.prices, name="prices"),
    path("prices/<str:code>/", markets.market_prices, name="market_prices"),
    path("curves/", markets.curves, name="curves"),
]
