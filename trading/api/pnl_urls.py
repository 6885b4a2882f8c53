"""Routes of results under /api/v1/trading/."""

from django.urls import path

from .adjustments import AdjustmentViewSet, ApprovalView, RejectionView
from .end_of_day import ClosingTimeView, EndOfDayViewSet, ProveView, RestateView, SignView
from .hedging import HedgePositionViewSet, HedgeTargetViewSet, HedgeWithdrawalView
from .option_values import OptionPositionViewSet
from .pnl import PnlView, ValueTotalView, ValueViewSet
from .positions import PositionTradeViewSet, PositionViewSet

urlpatterns = [
    path("positions", PositionViewSet.as_view({"get": "list"}), name="api-positions"),
    path(
        "positions/trades",
        PositionTradeViewSet.as_view({"get": "list"}),
        name="api-position-trades",
    ),
    path(
        "option-positions",
        OptionPositionViewSet.as_view({"get": "list"}),
        name="api-option-positions",
    ),
    path(
        "hedge-targets",
        HedgeTargetViewSet.as_view({"get": "list", "post": "create"}),
        name="api-hedge-targets",
    ),
    path(
        "hedge-targets/withdrawals",
        HedgeWithdrawalView.as_view(),
        name="api-hedge-target-withdrawals",
    ),
    path(
        "hedge-positions",
        HedgePositionViewSet.as_view({"get": "list"}),
        name="api-hedge-positions",
    ),
    path("pnl", PnlView.as_view(), name="api-pnl"),
    path(
        "pnl/adjustments",
        AdjustmentViewSet.as_view({"get": "list", "post": "create"}),
        name="api-pnl-adjustments",
    ),
    path(
        "pnl/adjustments/<int:adjustment_id>",
        AdjustmentViewSet.as_view({"get": "retrieve"}),
        name="api-pnl-adjustment",
    ),
    path(
        "pnl/adjustments/<int:adjustment_id>/approve",
        ApprovalView.as_view(),
        name="api-pnl-adjustment-approve",
    ),
    path(
        "pnl/adjustments/<int:adjustment_id>/reject",
        RejectionView.as_view(),
        name="api-pnl-adjustment-reject",
    ),
    path("valuations", ValueViewSet.as_view({"get": "list"}), name="api-valuations"),
    path("valuations/totals", ValueTotalView.as_view(), name="api-valuation-totals"),
    path(
        "end-of-days",
        EndOfDayViewSet.as_view({"get": "list", "post": "create"}),
        name="api-end-of-days",
    ),
    path(
        "end-of-days/<int:end_of_day_id>",
        EndOfDayViewSet.as_view({"get": "retrieve"}),
        name="api-end-of-day",
    ),
    path("end-of-days/<int:end_of_day_id>/sign", SignView.as_view(), name="api-end-of-day-sign"),
    path(
        "end-of-days/<int:end_of_day_id>/restate",
        RestateView.as_view(),
        name="api-end-of-day-restate",
    ),
    path("end-of-days/<int:end_of_day_id>/prove", ProveView.as_view(), name="api-end-of-day-prove"),
    path("closing-times", ClosingTimeView.as_view(), name="api-closing-times"),
]
