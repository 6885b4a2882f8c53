"""A desk with something on its pages: options with values, a storage, days closed, a validation."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import trading.tasks  # noqa: F401  # the test is its own worker
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.validation import tasks  # noqa: F401  # the test is its own worker
from energyopti.foundation.validation.services.runs import start_run
from tests.factories.accounts import make_user
from tests.factories.trades import Desk, make_market
from tests.trading.valuation.desk import publish, valued_desk
from tests.trading.valuation.options_desk import (
    CALL,
    choose,
    index_in,
    option,
    quote_interest,
    quote_vols,
)
from trading import deals
from trading.deals import OptionStyle, OptionType, Settlement, Volume
from trading.models import Commodity, EndOfDay, Market, OptionFamily, PricingFormula
from trading.queries.areas import delivery_areas
from trading.services.closing_times import ClosingTerms, set_closing_time
from trading.services.end_of_day import run_end_of_day, sign_end_of_day, start_end_of_day
from trading.services.pricing_models import ModelTerms, propose_model

TRADED_AT = datetime(2026, 11, 18, 10, tzinfo=UTC)
# Forwards and volatilities of Thursday and Friday.
CLOSES = (
    (19, {"Cal27": "88.00", "Q1-27": "95.00", "Jan27": "99.00"}, ("0.55", "0.45", "0.35")),
    (20, {"Cal27": "89.50", "Q1-27": "97.25", "Jan27": "101.00"}, ("0.58", "0.46", "0.35")),
)
AMERICAN = replace(CALL, style=OptionStyle.AMERICAN, settlement=Settlement.PHYSICAL)


def desk_at_work() -> tuple[Desk, dict[str, str]]:
    """
    Return a desk and the references of its trades by what they are.

    It has a valued call and cap, an American option that may be exercised, a storage, forwards,
    two closed days whose P&L has steps of volatility, and one run of model validation.
    """
    desk = valued_desk()
    index_in(desk.market, "EPEX-DE-DA")
    for family in (OptionFamily.VANILLA, OptionFamily.AVERAGE):
        choose(desk, ModelTerms("DE", family, PricingFormula.BLACK76))
    propose_model(
        actor=desk.officer, terms=ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER),
        reason="prices below zero in spring",
    )  # fmt: skip
    cap = option(
        CALL, option_type=OptionType.CAP, expiry=datetime(2027, 2, 26, 11, tzinfo=UTC)
    )  # fmt: skip
    booked = {
        "call": desk.deal(deal=option(), traded_at=TRADED_AT),
        "cap": desk.deal(deal=cap, traded_at=TRADED_AT),
        "american": desk.deal(deal=option(AMERICAN), traded_at=TRADED_AT),
        "storage": desk.deal(deal=storage(), traded_at=TRADED_AT),
        "forward": desk.deal("S 5MW DE base Cal27 @ 87.20", traded_at=TRADED_AT),
    }
    for day, prices, vols in CLOSES:
        close_day(desk, day, prices, vols)
    validated = start_run(
        actor=desk.officer, case_set_key="shipped", organization_id=desk.organization.pk
    )
    assert validated.pk
    return desk, {what: receipt.ref for what, receipt in booked.items()}


def storage() -> deals.Deal:
    """A working volume of gas for a year, with ratchets."""
    gas = Commodity.objects.get(code="GAS")
    market: Market = make_market("TTF", commodity=gas, time_zone="Europe/Amsterdam")
    index_in(market, "TTF-DA")
    area = delivery_areas()["TTF"]
    year = DatePeriod.months(2027, 1, 12)
    said = {
        "working_volume": Decimal(100000), "injection_rate": Decimal(600),
        "injection_cost": Decimal("1.23"), "withdrawal_ratchets": "0:40 30:100 100:100",
    }  # fmt: skip
    return deals.structure(
        terms=deals.Structure(
            direction=deals.Direction.RECEIVE,
            schedule=deals.Schedule(area, year, Volume(Decimal(240), "MWh", deals.Frequency.DAY)),
            kind=deals.StructureKind.STORAGE,
            underlying=(deals.PriceIndex("TTF-DA", area),),
            terms=deals.structure_terms(deals.StructureKind.STORAGE, said),
            premium=Decimal(180000),
        )
    )


def close_day(desk: Desk, day: int, prices: dict[str, str], vols: tuple[str, ...]) -> EndOfDay:
    """Publish a day's quotes, value and explain it; the second person signs the first day."""
    evening = datetime(2026, 11, day, 17, tzinfo=UTC)
    at = evening - timedelta(hours=1)
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    if day == CLOSES[0][0]:
        set_closing_time(
            actor=desk.officer, organization_id=desk.organization.pk,
            terms=ClosingTerms("DE", time(18)),
        )  # fmt: skip
    publish(desk.market, prices, at=at)
    quote_interest(at, 0.03 if day == 19 else 0.029)
    quote_vols(desk.market, dict(zip(("Jan27", "Q1-27", "Cal27"), vols, strict=True)), at=at)
    row = start_end_of_day(
        actor=desk.officer, organization_id=desk.organization.pk, day=evening.date(),
        as_of=evening, asked_at=evening + timedelta(hours=1),
    )  # fmt: skip
    run_end_of_day(actor=Actor.system("test"), end_of_day_id=row.pk)
    if day == CLOSES[0][0]:
        sign_end_of_day(
            actor=second, end_of_day_id=row.pk, signed_at=evening + timedelta(hours=1),
            reason="seen",
        )  # fmt: skip
    row.refresh_from_db()
    return row
