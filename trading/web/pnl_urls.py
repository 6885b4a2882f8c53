"""Pages of P&L."""

from django.urls import path

from . import pnl

urlpatterns = [
    path("pnl/", pnl.pnl, name="pnl"),
    path("pnl/adjust/", pnl.adjust, name="adjust_pnl"),
    path("pnl/decide/", pnl.decide, name="decide_pnl"),
]
