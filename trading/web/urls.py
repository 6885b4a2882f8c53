"""Pages of the trading desk."""

from django.urls import path

from . import blotter, positions, ticket, trade_import
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
    path("trades/value-preview/", ticket.ask_value, name="ask_value"),
    path("trades/value-preview/<str:key>/", ticket.value_preview, name="value_preview"),
    path("trades/news/", blotter.NewsPage.as_view(), name="trade_news"),
    path("trades/files/", trade_import.trade_files, name="trade_files"),
    path("trades/import/", trade_import.trade_imports, name="trade_imports"),
    path("trades/import/<uuid:import_id>/", trade_import.trade_import, name="trade_import"),
    path(
        "trades/import/<uuid:import_id>/confirm/",
        trade_import.trade_import_confirm,
        name="trade_import_confirm",
    ),
    path(
        "trades/import/<uuid:import_id>/refused-lines.csv",
        trade_import.trade_import_refusals,
        name="trade_import_refusals",
    ),
    path("trades/selection/", blotter.selection, name="trade_selection"),
    path("trades/latest/", blotter.latest, name="trade_latest"),
    path("positions/", positions.positions, name="positions"),
    path("positions/heat/", positions.heat, name="positions_heat"),
    path("positions/cell/<str:market>/<str:at>/", positions.cell, name="position_cell"),
    *trade_urlpatterns,
]
