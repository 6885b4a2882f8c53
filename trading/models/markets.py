"""Markets: where a price is formed, in which zone its days are counted, and when it is known."""

from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.db import models

from energyopti.foundation.calendars import Calendar, UnknownZone, zone

from .commodities import ONE_DAY, check_unit
from .countries import check_country


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


class MarketKind(models.TextChoices):
    """What sort of place a delivery point is."""

    BIDDING_ZONE = "BIDDING_ZONE", "Bidding zone"
    HUB = "HUB", "Hub"
    NODE = "NODE", "Zone or node of a hub"
    VIRTUAL_TRADING_POINT = "VIRTUAL_TRADING_POINT", "Virtual trading point"
    TERMINAL = "TERMINAL", "Terminal or port"
    REGISTRY = "REGISTRY", "Registry"


class Market(models.Model):
    """
    A delivery point: where a commodity changes hands and a price is formed. Shared by all.

    parent                 the zone or hub that a node belongs to.
    day_start              wall-clock time, relative to midnight, at which a delivery day starts:
                           0 h for power, 6 h at TTF, −1 h for the EFA day.
    price_unit             what a price is per: MWh, therm, MMBtu, bbl, t, tCO2, certificate.
    shape_calendar         whose shapes (base, peak …) are traded here; None where none is.
    gate_closure           local time, on the day before delivery, until which bids are taken.
    publication_minutes    after gate closure, when the auction's prices are known. The knowledge
                           time of every spot price follows from it (`available_at`). Neither means
                           anything where there is no day-ahead auction.
    period_minutes         the present length of a period; older rows carry their own.

    An EIC belongs to one market; a delivery day starts within a day of its midnight.
    """

    code = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=120)
    commodity = models.ForeignKey("trading.Commodity", models.PROTECT, related_name="markets")
    kind = models.CharField(max_length=24, choices=MarketKind, default=MarketKind.BIDDING_ZONE)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    country = models.CharField(max_length=2, blank=True, validators=[check_country])
    eic = models.CharField("EIC", max_length=16, blank=True, validators=[check_eic])
    time_zone = models.CharField(max_length=64, validators=[check_zone])
    day_start = models.DurationField(default=timedelta(0))
    currency = models.CharField(max_length=3)
    price_unit = models.CharField(max_length=12, default="MWh", validators=[check_unit])
    shape_calendar = models.ForeignKey(
        "trading.ShapeCalendar", models.PROTECT, null=True, blank=True, related_name="markets"
    )
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
            models.CheckConstraint(
                condition=models.Q(day_start__gt=-ONE_DAY, day_start__lt=ONE_DAY),
                name="market_day_start_within_a_day",
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")), name="market_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the market's delivery days."""
        return Calendar(self.time_zone, self.day_start)

    def gate_closes_at(self, delivery_date: date) -> datetime:
        """Return the instant at which bids for a delivery day close, on the day before."""
        before = delivery_date - timedelta(days=1)
        return self.calendar.instant(datetime.combine(before, self.gate_closure))

    def published_at(self, delivery_date: date) -> datetime:
        """Return the instant from which a delivery day's auction prices are known."""
        return self.gate_closes_at(delivery_date) + timedelta(minutes=self.publication_minutes)
