"""Routes of market data under /api/v1/trading/."""

from django.urls import path

from .curves import ProofView, VersionsView, VersionView
from .price_processes import (
    CalibrationsView,
    CalibrationView,
    PriceProcessDecisionView,
    PriceProcessViewSet,
)
from .prices import CurveView, ForecastView, MarketViewSet, PriceViewSet
from .pricing_models import PricingModelDecisionView, PricingModelViewSet
from .quotes import QuotesView, WithdrawalsView
from .rates import FxForwardsView, InterestView, VolsView

urlpatterns = [
    path("markets", MarketViewSet.as_view({"get": "list"}), name="markets"),
    path("prices", PriceViewSet.as_view({"get": "list"}), name="prices"),
    path("forecasts", ForecastView.as_view(), name="forecasts"),
    path("curves", CurveView.as_view(), name="curves"),
    path("interest-rates", InterestView.as_view(), name="api-interest-rates"),
    path("fx-forwards", FxForwardsView.as_view(), name="api-fx-forwards"),
    path("volatilities", VolsView.as_view(), name="api-volatilities"),
    path(
        "pricing-models",
        PricingModelViewSet.as_view({"get": "list", "post": "create"}),
        name="api-pricing-models",
    ),
    path(
        "pricing-models/<int:model_id>/decision",
        PricingModelDecisionView.as_view(),
        name="api-pricing-model-decision",
    ),
    path(
        "price-processes",
        PriceProcessViewSet.as_view({"get": "list", "post": "create"}),
        name="api-price-processes",
    ),
    path(
        "price-processes/calibrations",
        CalibrationsView.as_view(),
        name="api-process-calibrations",
    ),
    path(
        "price-processes/calibrations/<int:calibration_id>",
        CalibrationView.as_view(),
        name="api-process-calibration",
    ),
    path(
        "price-processes/<int:process_id>/decision",
        PriceProcessDecisionView.as_view(),
        name="api-price-process-decision",
    ),
    path("quotes", QuotesView.as_view(), name="api-quotes"),
    path("quotes/withdrawals", WithdrawalsView.as_view(), name="api-quote-withdrawals"),
    path(
        "curves/<str:market>/<str:code>/versions", VersionsView.as_view(), name="api-curve-versions"
    ),
    path(
        "curves/<str:market>/<str:code>/versions/<int:number>",
        VersionView.as_view(),
        name="api-curve-version",
    ),
    path(
        "curves/<str:market>/<str:code>/versions/<int:number>/proof",
        ProofView.as_view(),
        name="api-curve-proof",
    ),
]
