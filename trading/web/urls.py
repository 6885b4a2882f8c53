"""Pages of the trading desk."""

from django.urls import path

from . import blotter, positions, ticket
from .drop_copy_urls import urlpatterns as drop_copy_urlpatterns
from .market_urls import urlpatterns as market_urlpatterns
from .pnl_urls import urlpatterns as pnl_urlpatterns
from .reference.urls import urlpatterns as reference_urlpatterns
from .trade_urls import urlpatterns as trade_urlpatterns

app_name = "trading"
urlpatterns = [
    *market_urlpatterns,
    *reference_urlpatterns,
    *pnl_urlpatterns,
    *drop_copy_urlpatterns,
    path("trades/", blotter.BlotterPage.as_view(), name="trades"),
    path("trades/new/", ticket.ticket, name="ticket"),
    path("trades/parse/", ticket.parse, name="parse"),
    path("trades/news/", blotter.NewsPage.as_view(), name="trade_news"),
    path("trades/selection/", blotter.selection, name="trade_selection"),
    path("trades/latest/", blotter.latest, name="trade_latest"),
    path("positions/", positions.positions, name="positions"),
    path("positions/heat/", positions.heat, name="positions_heat"),
    path("positions/cell/<str:market>/<str:at>/", positions.cell, name="position_cell"),
    *trade_urlpatterns,
]
