"""Routes of /api/v1/trading/."""

from django.urls import path

from .documents import DocumentView, DocumentViewSet, DocumentWithdrawalView
from .drop_copy_urls import urlpatterns as drop_copy_urlpatterns
from .market_urls import urlpatterns as market_urlpatterns
from .option_values import OptionValueView
from .packages import PackageRejectionView, PackageReleaseView, PackageView
from .pnl_urls import urlpatterns as pnl_urlpatterns
from .reference_urls import urlpatterns as reference_urlpatterns
from .structures import NominationsView, StructureValueView
from .trade_actions import PERMISSIONS, TradeActions
from .trade_imports import TradeImport, TradeImportConfirmation, TradeImports
from .trades import TradeExport, TradeViewSet

urlpatterns = [
    *market_urlpatterns,
    *reference_urlpatterns,
    *pnl_urlpatterns,
    *drop_copy_urlpatterns,
    path("trades", TradeViewSet.as_view({"get": "list", "post": "create"}), name="api-trades"),
    path("trades/export", TradeExport.as_view(), name="api-trades-export"),
    path("trades/imports", TradeImports.as_view(), name="api-trade-imports"),
    path("trades/imports/<uuid:import_id>", TradeImport.as_view(), name="api-trade-import"),
    path(
        "trades/imports/<uuid:import_id>/confirm",
        TradeImportConfirmation.as_view(),
        name="api-trade-import-confirm",
    ),
    path("trades/<str:ref>", TradeViewSet.as_view({"get": "retrieve"}), name="api-trade"),
    path(
        "trades/<str:ref>/documents",
        DocumentViewSet.as_view({"get": "list", "post": "create"}),
        name="api-trade-documents",
    ),
    path(
        "trades/<str:ref>/documents/<uuid:uid>", DocumentView.as_view(), name="api-trade-document"
    ),
    path(
        "trades/<str:ref>/documents/<uuid:uid>/withdraw",
        DocumentWithdrawalView.as_view(),
        name="api-trade-document-withdraw",
    ),
    path(
        "trades/<str:ref>/structure-value",
        StructureValueView.as_view(),
        name="api-structure-value",
    ),
    path("trades/<str:ref>/nominations", NominationsView.as_view(), name="api-nominations"),
    path("trades/<str:ref>/option-value", OptionValueView.as_view(), name="api-option-value"),
    path("trades/<str:ref>/package", PackageView.as_view(), name="api-trade-package"),
    path(
        "trades/<str:ref>/package/release",
        PackageReleaseView.as_view(),
        name="api-trade-package-release",
    ),
    path(
        "trades/<str:ref>/package/reject",
        PackageRejectionView.as_view(),
        name="api-trade-package-reject",
    ),
    *(
        path(
            f"trades/<str:ref>/{action}",
            TradeActions.as_view({"post": action}, permissions={"POST": permission}),
            name=f"api-trade-{action}",
        )
        for action, permission in PERMISSIONS.items()
    ),
]
