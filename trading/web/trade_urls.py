"""Pages of one trade and of what waits for somebody; they come after all fixed addresses."""

from django.urls import path

from . import documents, life, package, structures, trade

urlpatterns = [
    path("trades/waiting/", trade.waiting_trades, name="waiting"),
    path("trades/<str:ref>/", trade.trade, name="trade"),
    path("trades/<str:ref>/documents/", documents.documents, name="documents"),
    path("trades/<str:ref>/documents/<uuid:uid>/", documents.document, name="document"),
    path(
        "trades/<str:ref>/documents/<uuid:uid>/withdraw/",
        documents.withdraw,
        name="document_withdraw",
    ),
    path("trades/<str:ref>/package/", package.package, name="package"),
    path("trades/<str:ref>/value/", structures.value, name="structure_value"),
    path("trades/<str:ref>/nominate/", structures.nominate, name="nominate"),
    path("trades/<str:ref>/<str:verb>/", life.act, name="trade_verb"),
]
