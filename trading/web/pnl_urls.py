"""Pages of hedge targets, of P&L and of the end of day."""

from django.urls import path

from . import end_of_day, hedging, option_positions, pnl

_TARGET = "positions/targets/<uuid:book_id>/<str:market>/<str:month>/"

urlpatterns = [
    path("positions/options/", option_positions.option_deltas, name="option_deltas"),
    path("positions/targets/", hedging.hedge_targets, name="hedge_targets"),
    path("positions/targets/set/", hedging.set_targets, name="set_hedge_targets"),
    path(_TARGET, hedging.hedge_target, name="hedge_target"),
    path(f"{_TARGET}withdraw/", hedging.withdraw_target, name="withdraw_hedge_target"),
    path("pnl/", pnl.pnl, name="pnl"),
    path("pnl/adjust/", pnl.adjust, name="adjust_pnl"),
    path("pnl/decide/", pnl.decide, name="decide_pnl"),
    path("end-of-days/", end_of_day.EndOfDayList.as_view(), name="end_of_days"),
    path("end-of-days/start/", end_of_day.start, name="start_end_of_day"),
    path("end-of-days/closing-time/", end_of_day.closing_time, name="closing_time"),
    path("end-of-days/<int:end_of_day_id>/", end_of_day.end_of_day, name="end_of_day"),
    path("end-of-days/<int:end_of_day_id>/sign/", end_of_day.sign, name="sign_end_of_day"),
    path("end-of-days/<int:end_of_day_id>/restate/", end_of_day.restate, name="restate_end_of_day"),
    path("end-of-days/<int:end_of_day_id>/prove/", end_of_day.prove, name="prove_end_of_day"),
]
