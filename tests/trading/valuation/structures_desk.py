"""A desk with contracts with choices: gas at TTF and power in DE and FR, with their curves."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from energyopti.foundation.calendars import DatePeriod
from tests.factories.curves import SYSTEM
from tests.factories.trades import Desk, make_market
from trading import deals
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    BatteryTerms,
    Direction,
    Frequency,
    PriceIndex,
    Schedule,
    StorageTerms,
    Structure,
    StructureKind,
    SwingTerms,
    TollingTerms,
    TransmissionTerms,
    Volume,
)
from trading.models import Commodity, Market, PublicationPolicy
from trading.services.catalogue import ensure_catalogue
from trading.services.curve_definitions import define_curve

from .desk import publish, valued_desk
from .options_desk import index_in

CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)
EVENING = datetime(2026, 11, 20, 19, tzinfo=UTC)
GAS_PRICES = {"Dec26": "30.00", "Q1-27": "36.00", "Q2-27": "25.00", "Q3-27": "24.00"}
POWER_PRICES = {"Dec26": "85.00", "Cal27": "88.00"}
DE, FR, TTF = (REFERENCE_MARKETS[code] for code in ("DE", "FR", "TTF"))
GAS = PriceIndex("TTF-DA", TTF)
SPOT, FRENCH = REFERENCE_INDICES["EPEX-DE-DA"], PriceIndex("EPEX-FR-DA", FR)
SUMMER = DatePeriod(date(2026, 12, 1), date(2027, 10, 1))
DAILY = Schedule(TTF, SUMMER, Volume(Decimal(240), "MWh", Frequency.DAY))
STORAGE = Structure(
    Direction.RECEIVE, DAILY, StructureKind.STORAGE, (GAS,),
    StorageTerms(
        working_volume=Decimal(10_000), injection_rate=Decimal(120),
        start_inventory=Decimal(4_000), injection_cost=Decimal("0.50"),
        withdrawal_cost=Decimal("0.25"), injection_fuel=Decimal("1.5"),
        withdrawal_ratchets=((Decimal(0), Decimal(40)), (Decimal(30), Decimal(100)),
                             (Decimal(100), Decimal(100))),
    ),
)  # fmt: skip
SWING = Structure(
    Direction.RECEIVE, DAILY, StructureKind.SWING, (GAS,),
    SwingTerms(
        strike=Decimal("28.50"), maximum=Decimal(24_000), minimum=Decimal(12_000),
        daily_minimum=Decimal(24),
    ),
    premium=Decimal("5000"), premium_date=date(2026, 11, 24),
)  # fmt: skip
MONTH = DatePeriod.months(2027, 3, 1)
TOLLING = Structure(
    Direction.RECEIVE, Schedule(DE, MONTH, Volume.mw(Decimal(50))), StructureKind.TOLLING,
    (SPOT, GAS),
    TollingTerms(
        heat_rate=Decimal("1.9"), minimum_mw=Decimal(20), minimum_up_hours=Decimal(4),
        minimum_down_hours=Decimal(2), start_cost=Decimal(1500), output_cost=Decimal("1.20"),
    ),
)  # fmt: skip
RIGHT = Structure(
    Direction.RECEIVE, Schedule(DE, MONTH, Volume.mw(Decimal(10))),
    StructureKind.TRANSMISSION_RIGHT, (FRENCH, SPOT), TransmissionTerms(),
)  # fmt: skip
BATTERY = Structure(
    Direction.RECEIVE, Schedule(DE, MONTH, Volume.mw(Decimal(10))), StructureKind.BATTERY_TOLLING,
    (SPOT,),
    BatteryTerms(
        energy_mwh=Decimal(20), efficiency=Decimal(81), cycle_cost=Decimal(2),
        daily_cycles=Decimal(1), start_energy_mwh=Decimal(5),
    ),
)  # fmt: skip
ALL = {one.kind.value: one for one in (STORAGE, SWING, TOLLING, RIGHT, BATTERY)}


def curve_of(market: Market, prices: dict[str, str], *, at: datetime = CLOSE) -> None:
    """Define a market's curve where it has none, and publish prices."""
    if not market.curve_definitions.exists():
        define_curve(
            actor=SYSTEM, market=market, code="MARK",
            policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
        )  # fmt: skip
    publish(market, prices, at=at)


def structure_desk() -> Desk:
    """DE, FR and TTF with curves of one evening; no rates and no models."""
    desk = valued_desk()
    gas = Commodity.objects.get(code="GAS")
    make_market("FR", time_zone="Europe/Paris")
    make_market("TTF", commodity=gas, time_zone="Europe/Amsterdam", day_start=timedelta(hours=6))
    ensure_catalogue(actor=SYSTEM)
    for code, prices in (("DE", POWER_PRICES), ("FR", {"Dec26": "80.00", "Cal27": "80.00"}),
                         ("TTF", GAS_PRICES)):  # fmt: skip
        curve_of(Market.objects.get(code=code), prices)
    for code, name in (("EPEX-DE-DA", "DE"), ("EPEX-FR-DA", "FR"), ("TTF-DA", "TTF")):
        index_in(Market.objects.get(code=name), code)
    return desk


def structure(leg: Structure, **changes: object) -> deals.Deal:
    return deals.structure(terms=replace(leg, **changes))
