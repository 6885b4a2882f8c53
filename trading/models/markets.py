"""Markets: where a price is formed, in which zone its days are counted, and when it is known."""

from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import models

from energyopti.foundation.calendars import Calendar, UnknownZone, zone


def check_eic(code: str) -> None:
    """
    Refuse an energy identification code whose form or check character is wrong.

    :raises ValidationError: naming the code.
    """
    from stdnum.eu import eic

    if not eic.is_valid(code):
        raise ValidationError(f"EIC: “{code}” is not an energy identification code.")


def check_zone(key: str) -> None:
    """
    Refuse a time zone that the pinned database does not have.

    :raises ValidationError: naming the zone.
    """
    try:
        zone(key)
    except UnknownZone as error:
        raise ValidationError(str(error)) from error


class Market(models.Model):
    """
    A bidding zone or hub with one day-ahead price per period.

    gate_closure           local time, on the day before delivery, until which bids are taken.
    publication_minutes    after gate closure, when the auction's prices are known. The knowledge
                           time of every spot price follows from it (`available_at`).
    period_minutes         the present length of a period; older rows carry their own.
    """

    code = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=120)
    eic = models.CharField("EIC", max_length=16, blank=True, validators=[check_eic])
    time_zone = models.CharField(max_length=64, validators=[check_zone])
    currency = models.CharField(max_length=3)
    period_minutes = models.PositiveSmallIntegerField(default=60)
    gate_closure = models.TimeField(default=time(12))
    publication_minutes = models.PositiveSmallIntegerField(default=60)
    is_simulated = models.BooleanField(default=False)

    class Meta:
        permissions = [
            ("import_prices", "Can import market prices and quotes"),
            ("simulate_market", "Can simulate a market's prices and quotes"),
        ]
        constraints = [
            models.UniqueConstraint(
                "eic", condition=~models.Q(eic=""), name="market_eic_unique_where_set"
            ),
            models.CheckConstraint(
                condition=models.Q(period_minutes__in=[15, 30, 60]), name="market_period_known"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="market_currency_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the market's delivery days."""
        return Calendar(self.time_zone)

    def gate_closes_at(self, delivery_date: date) -> datetime:
        """Return the instant at which bids for a delivery day close, on the day before."""
        before = delivery_date - timedelta(days=1)
        return self.calendar.instant(datetime.combine(before, self.gate_closure))

    def published_at(self, delivery_date: date) -> datetime:
        """Return the instant from which a delivery day's auction prices are known."""
        return self.gate_closes_at(delivery_date) + timedelta(minutes=self.publication_minutes)
