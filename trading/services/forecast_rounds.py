"""Issue what forecasts are due: one for tomorrow, for every market that has the history for it."""

import logging
from datetime import datetime, timedelta

from energyopti.accounts.actors import Actor

from ..forecasting import MissingHistory
from ..models import Forecast, Market
from .forecasts import CHAMPION, issue_forecast

logger = logging.getLogger(__name__)


def issue_due_forecasts(*, actor: Actor, issued_at: datetime) -> list[Forecast]:
    """
    Issue the champion's forecast of tomorrow (on each market's own calendar) where none is there.

    A market without the history that the model needs is named in the log and left for later.
    """
    issued = []
    for market in Market.objects.filter(commodity__kind="POWER").order_by("code"):
        tomorrow = market.calendar.date_of(issued_at) + timedelta(days=1)
        there = Forecast.objects.filter(
            market=market,
            delivery_date=tomorrow,
            model_name=CHAMPION.name,
            model_version=CHAMPION.version,
        )
        if there.exists():
            continue
        try:
            issued.append(
                issue_forecast(
                    actor=actor, market=market, delivery_date=tomorrow, issued_at=issued_at
                )
            )
        except MissingHistory as missing:
            logger.warning("no forecast yet: %s", missing)
    return issued
