"""One of each product that the desk knows and the demo's traders do not hold, as terms by name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .neighbours import CARBON, FRENCH, GAS, NEIGHBOURS

if TYPE_CHECKING:
    from energyopti.foundation.calendars import Calendar, DatePeriod

DE, DE_DA = "DE", "DE-DA"
FR_DA, TTF_DA, EUA_SPOT = (NEIGHBOURS[code].index for code in (FRENCH, GAS, CARBON))
SETTLED = "XEEE-DE-SETTLE"
# What the structurer gives notice of, and nominates for tomorrow, on the demo's day.
EXERCISED = ("american-call", "bermudan-put", "receiver-swaption")
NOMINATED = ("swing", "gas-storage", "tolling", "battery-tolling")
_DAY = timedelta(days=1)
_DELIVERS: dict[str, Any] = {"settlement": "PHYSICAL"}
Terms = dict[str, Any]


@dataclass(frozen=True)
class Days:
    """
    The days around the one that the demo's clock shows, and what its markets are worth.

    forward     mean of a market's curve over a delivery
    spot        mean of the published prices of the last days
    """

    calendar: "Calendar"
    today: date
    forward: Callable[[str, "DatePeriod"], float]
    spot: Callable[[str], float]

    @property
    def tomorrow(self) -> date:
        return self.today + _DAY

    def at(self, day: date, hour: int) -> datetime:
        return self.calendar.instant(datetime.combine(day, time(hour)))

    def quarter(self, count: int) -> "DatePeriod":
        """Return a quarter that begins a week from now at the earliest."""
        from energyopti.foundation.calendars import DatePeriod

        day = self.today + timedelta(days=7)
        number = day.year * 4 + (day.month - 1) // 3 + count
        return DatePeriod.quarter(number // 4, number % 4 + 1)

    def months(self, first: int, count: int) -> "DatePeriod":
        """Return months, counted from the present one."""
        from energyopti.foundation.calendars import DatePeriod

        number = self.today.year * 12 + self.today.month - 1 + first
        return DatePeriod.months(number // 12, number % 12 + 1, count)

    def ahead(self, days: int) -> "DatePeriod":
        from energyopti.foundation.calendars import DatePeriod

        return DatePeriod(self.tomorrow, self.tomorrow + days * _DAY)


def products(days: Days) -> dict[str, Terms]:
    """Return the terms of each product by the name that its client reference has."""
    return {**_linear(days), **_plants(days), **_options(days), **_choices(days)}


def _said(period: "DatePeriod") -> str:
    return f"{period.first}..{period.after - _DAY}"


def _near(level: float, share: str = "1", quantum: str = "0.1") -> Decimal:
    return Decimal(repr(level * float(share))).quantize(Decimal(quantum))


def _linear(days: Days) -> dict[str, Terms]:
    month, quarter = days.months(2, 1), days.quarter(1)
    power: Terms = {"market": DE, "period": _said(quarter), "quantity": Decimal(5)}
    level = days.forward(DE, quarter)
    fixed = {**power, "price": _near(level)}
    hours = int(days.calendar.span(days.ahead(7)).hours)
    return {
        "forward": {"product": "PHYSICAL_FORWARD", "side": "SELL", **fixed},
        "peak-forward": {"product": "PHYSICAL_FORWARD", "side": "BUY", **fixed, "shape": "PEAK",
                         "price": _near(level, "1.08")},
        "block-forward": {"product": "PHYSICAL_FORWARD", "side": "SELL", **fixed,
                          "shape": "H08-H20", "price": _near(level, "1.06")},
        "index-forward": {"product": "INDEX_FORWARD", "side": "BUY", **power, "index": DE_DA,
                          "spread": Decimal("1.25"), "multiplier": Decimal("0.95")},
        # Over the border: the profiles of the demo's own market are its wind farm's.
        "profile-forward": {"product": "PROFILE_FORWARD", "side": "SELL", "market": FRENCH,
                            "period": _said(days.ahead(7)), "price": _near(days.spot(FRENCH)),
                            "profile": {"minutes": 60, "mw": [Decimal(n % 24) / 4 + 2
                                                              for n in range(hours)]}},
        "future": {"product": "FUTURE", "side": "BUY", **fixed, "mic": "XEEE",
                   "clearing_account": "HOUSE-1"},
        "financial-forward": {"product": "FINANCIAL_FORWARD", "side": "BUY", **fixed,
                              "index": DE_DA},
        "swap": {"product": "SWAP", "side": "SELL", **fixed, "index": DE_DA},
        "basis-swap": {"product": "BASIS_SWAP", "side": "BUY", **power, "index": FR_DA,
                       "receive_index": DE_DA,
                       "spread": _near(level - days.forward(FRENCH, quarter))},
        "gas-forward": {"product": "PHYSICAL_FORWARD", "side": "BUY", "market": GAS,
                        "period": _said(month), "quantity": Decimal(240), "unit": "MWh/d",
                        "price": _near(days.forward(GAS, month))},
        "allowances": {"product": "CERTIFICATE", "side": "BUY", "market": CARBON,
                       "period": str(month.first + timedelta(days=14)),
                       "quantity": Decimal(5000), "unit": "tCO2",
                       "price": _near(days.forward(CARBON, month)),
                       "vintage": month.first.year, "registry": "EU"},
    }  # fmt: skip


def _plants(days: Days) -> dict[str, Terms]:
    """Return agreements on parts of the wind farm, and the base load that is sold against one."""
    from .plant import EXPECTED_SHARE, INSTALLED_MW, PLANT

    period = days.months(0, 3)
    hours = int(days.calendar.span(period).hours)

    # Shares that a whole kWh divides by without a rest.
    def share(megawatts: int) -> Terms:
        expected = Decimal(megawatts) * Decimal(EXPECTED_SHARE)
        return {"product": "PPA", "side": "BUY", "market": DE, "period": _said(period),
                "asset": {"id": PLANT, "installed_mw": INSTALLED_MW,
                          "contracted_mw": Decimal(megawatts)},
                "profile": {"minutes": 60, "mw": [expected] * hours}}  # fmt: skip

    floats: Terms = {"index": DE_DA, "spread": Decimal("-2.5")}
    return {
        "ppa-fixed": {**share(3), "price": Decimal("58.75")},
        "ppa-floating": {**share(3), **floats, "multiplier": Decimal("0.97")},
        "ppa-floor-and-cap": {**share(3), **floats, "floor": Decimal(45), "cap": Decimal(110)},
        # As generated against base load of what is expected: the conversion of a PPA in two deals.
        "as-generated": {**share(6), "product": "AS_GENERATED", "price": Decimal("57.50")},
        "base-load-of-it": {"product": "PHYSICAL_FORWARD", "side": "SELL", "market": DE,
                            "period": _said(days.months(1, 1)), "quantity": Decimal("1.5"),
                            "price": _near(days.forward(DE, days.months(1, 1)))},
    }  # fmt: skip


def _options(days: Days) -> dict[str, Terms]:
    quarter, after = days.quarter(1), days.quarter(2)
    level, later = days.forward(DE, quarter), days.forward(DE, after)
    in_weeks = days.at(quarter.first - 7 * _DAY, 12)
    tonight = days.at(days.today, 22)

    def option(
        kind: str, *strikes: Decimal, period: "DatePeriod" = quarter, expiry: datetime = in_weeks,
        megawatts: int = 5, side: str = "BUY", **more: Any,
    ) -> Terms:  # fmt: skip
        said = {"style": "EUROPEAN", "type": kind, "underlying": [DE_DA],
                "strikes": list(strikes), "expiry": expiry, "settlement": "CASH",
                **more}  # fmt: skip
        return {"product": "OPTION", "side": side, "market": DE, "period": _said(period),
                "quantity": Decimal(megawatts), "option": said}  # fmt: skip

    french: Terms = {"underlying": [DE_DA, FR_DA]}
    border = level - days.forward(FRENCH, quarter)
    spark = level - 1.8181 * days.forward(GAS, quarter) - 3.25
    # Of days that are known and one that comes, so that the clock fixes it in the demo's day.
    known = max(days.tomorrow - timedelta(days=5), days.tomorrow.replace(day=1))
    running = type(quarter)(known, days.tomorrow + _DAY)
    ends = days.calendar.start_of(running.after)
    fixed: Terms = {"period": running, "expiry": ends, "style": "ASIAN"}
    # A month of it is over: the clock fixes that one at once.
    monthly = days.months(-1, 3)
    through: Terms = {"period": monthly, "expiry": days.calendar.start_of(monthly.after)}
    return {
        "american-call": option("CALL", _near(level, "0.93", "1"), style="AMERICAN", **_DELIVERS),
        "american-put-in-cash": option("PUT", _near(level, "1.05", "1"), style="AMERICAN"),
        "bermudan-put": option(
            "PUT", _near(level, "1.06", "1"), style="BERMUDAN",
            exercises=[tonight, in_weeks], **_DELIVERS,
        ),
        "written-call": option("CALL", _near(level, "1.15", "1"), side="SELL", **_DELIVERS),
        "put-in-cash": option("PUT", _near(level, "0.95", "1")),
        "floor": option("FLOOR", _near(days.spot(DE), "0.95", "1"), side="SELL", **through),
        "running-cap": option("CAP", _near(days.spot(DE), "0.9", "1"), **through),
        "receiver-swaption": option(
            "RECEIVER_SWAPTION", _near(later, "1.04", "1"), period=after, expiry=tonight,
            **_DELIVERS,
        ),
        "average-put": option("PUT", _near(days.spot(DE), "1.2", "1"), **fixed),
        "spread-call": option("SPREAD_CALL", _near(border, "1", "1"), **french),
        "spread-put": option("SPREAD_PUT", _near(border, "1", "1"), **french),
        # At 55 % efficiency, with what running costs beside the fuel.
        "spark-spread-put": option(
            "SPREAD_PUT", _near(spark, "1", "1"), underlying=[DE_DA, TTF_DA],
            ratio=Decimal("1.8181"), ratio_unit="MWh", cost=Decimal("3.25"),
        ),
        "calendar-spread": option(
            "SPREAD_CALL", _near(level - later, "1", "1"), underlying=[DE_DA, DE_DA],
            second_period=_said(after),
        ),
        "spread-of-averages": option(
            "SPREAD_CALL", _near(days.spot(DE) - days.spot(FRENCH) - 5, "1", "1"), **french,
            **fixed,
        ),
    }  # fmt: skip


def _choices(days: Days) -> dict[str, Terms]:
    gas: Terms = {"market": GAS, "unit": "MWh/d"}
    power: Terms = {"market": DE, "unit": "MW"}
    paid_on = days.today + timedelta(days=10)

    def contract(
        product: str, where: Terms, quantity: int, period: "DatePeriod", *underlying: str,
        premium: int, **terms: Any,
    ) -> Terms:  # fmt: skip
        said = {"underlying": list(underlying), "premium": Decimal(premium),
                "premium_date": paid_on, **terms}  # fmt: skip
        return {"product": product, "side": "BUY", **where, "period": _said(period),
                "quantity": Decimal(quantity), "structure": said}  # fmt: skip

    # Days that are over have been taken at the daily minimum, and are paid.
    running = type(days.ahead(1))(days.today - 5 * _DAY, days.today + 115 * _DAY)
    return {
        "swing": contract(
            "SWING", gas, 480, running, TTF_DA, premium=30_000,
            strike=_near(days.spot(GAS), "0.98"), minimum=24_000, maximum=48_000, daily_minimum=96,
        ),
        "gas-storage": contract(
            "STORAGE", gas, 600, days.ahead(150), TTF_DA, premium=8_000, working_volume=18_000,
            injection_rate=300, start_inventory=9_000, end_inventory=9_000, injection_cost="0.50",
            withdrawal_cost="0.25", injection_fuel="1.5",
            withdrawal_ratchets="0:40 30:100 100:100",
        ),
        "tolling": contract(
            "TOLLING", power, 50, days.ahead(7), DE_DA, TTF_DA, EUA_SPOT, premium=12_000,
            heat_rate="1.55", minimum_mw=20, minimum_up_hours=4, minimum_down_hours=2,
            start_cost=1_500, output_cost="1.20", carbon_intensity="0.202",
        ),
        "battery-tolling": contract(
            "BATTERY_TOLLING", power, 10, days.ahead(7), DE_DA, premium=500, energy_mwh=20,
            efficiency=85, cycle_cost=2, daily_cycles=1, start_energy_mwh=5,
        ),
        "transmission-option": contract(
            "TRANSMISSION_RIGHT", power, 10, days.months(1, 2), FR_DA, DE_DA, premium=15_000,
            form="OPTION",
        ),
        "transmission-obligation": contract(
            "TRANSMISSION_RIGHT", power, 10, days.ahead(30), DE_DA, FR_DA, premium=10_000,
            form="OBLIGATION", firmness=95,
        ),
    }  # fmt: skip


def nominations(days: Days) -> dict[str, list[str]]:
    """Return what is nominated of tomorrow, by name; a plant and a battery hour by hour."""
    hours = int(days.calendar.day(days.tomorrow).hours)
    plant = ["0"] * 7 + ["50"] * 14 + ["0"] * (hours - 21)
    battery = ["0"] * 2 + ["-10"] + ["0"] * 15 + ["10"] + ["0"] * (hours - 19)
    return {"swing": ["240"], "gas-storage": ["300"], "tolling": plant, "battery-tolling": battery}
