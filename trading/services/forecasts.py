"""Issue price forecasts: from what was known, once, never to be changed."""

from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval

from ..forecasting import Forecaster, MissingHistory, PriceHistory, SimilarDayNaive
from ..models import Forecast, Market
from ..queries.prices import price_series

CHAMPION: Forecaster = SimilarDayNaive()


class ForecastRefused(ValueError):
    """A forecast cannot be issued; names the field and the rule."""


def issue_forecast(
    *,
    actor: Actor,
    market: Market,
    delivery_date: date,
    issued_at: datetime,
    model: Forecaster = CHAMPION,
) -> Forecast:
    """
    Forecast a delivery day from the prices that the market knew at `issued_at`.

    The same model asked again for the same instant gives the forecast that was issued.

    :raises ForecastRefused: if the day has begun; that would be no forecast.
    :raises MissingHistory: naming the day whose prices are not known.
    """
    actor.require("trading.issue_forecast")
    delivery_start = market.calendar.start_of(delivery_date)
    if issued_at >= delivery_start:
        raise ForecastRefused(
            f"issued_at: {issued_at.isoformat()} is not before {delivery_date} begins in"
            f" {market.time_zone}."
        )
    identity = {
        "market": market,
        "delivery_date": delivery_date,
        "issued_at": issued_at,
        "model_name": model.name,
        "model_version": model.version,
    }
    issued = Forecast.objects.filter(**identity).first()
    if issued is not None:
        return issued
    first = market.calendar.start_of(delivery_date - timedelta(days=model.days_of_history))
    known = price_series(market, Interval(first, delivery_start), known_at=issued_at)
    history = PriceHistory(known.starts, known.values, known.minutes, market.calendar)
    try:
        forecast = model.forecast(history, delivery_date)
    except MissingHistory as error:
        raise MissingHistory(
            f"{market.code}: {delivery_date} cannot be forecast at {issued_at.isoformat()}; {error}"
        ) from error
    with transaction.atomic():
        row, created = Forecast.objects.get_or_create(
            **identity,
            defaults={
                "start": _aware(int(forecast.starts[0].astype("int64"))),
                "period_minutes": forecast.minutes,
                "values": forecast.values.tolist(),
                "inputs_until": issued_at,
                "inputs_hash": history.content_hash(),
            },
        )
        if created:
            record_event(
                type="forecast.issued",
                actor=actor,
                aggregate_type="forecast",
                aggregate_id=row.pk,
                organization_id=None,
                key=f"market:{market.code}",
                payload={
                    "market": market.code,
                    "delivery_date": delivery_date.isoformat(),
                    "model": f"{model.name} {model.version}",
                    "issued_at": issued_at.isoformat(),
                    "inputs_hash": row.inputs_hash,
                },
            )
    return row


def _aware(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
