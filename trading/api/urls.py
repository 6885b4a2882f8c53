"""Routes of /api/v1/trading/."""

from .market_urls import urlpatterns as market_urlpatterns

app_name = "trading-api"
urlpatterns = [*market_urlpatterns]
