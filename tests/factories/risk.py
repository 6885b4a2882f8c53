"""Markets with a quoted history that VaR can stand on."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from risk.enums import LimitMeasure
from risk.models import Limit
from risk.services.limit_terms import LimitTerms
from risk.services.limits import decide_limit, propose_limit
from trading.models import CurveSnapshot, LoadType, Market, Quote, QuoteQuality
from trading.services.curves import build_market_curve

from .accounts import make_user
from .trades import DAY, TRADED_AT, Desk

SYSTEM = "test"


def colleague_of(desk: Desk) -> Actor:
    """A second risk officer of the desk's organization."""
    return Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))


def hold(desk: Desk, amount: Decimal | float, **terms: Any) -> Limit:
    """Set a limit by two persons: of the desk's book and its VaR 99 % unless the terms differ."""
    whose = {"book_id", "trader_id", "counterparty_id"} & terms.keys()
    terms = {"measure": LimitMeasure.VAR, **({} if whose else {"book_id": desk.book.pk}), **terms}
    if terms["measure"] in (LimitMeasure.VAR, LimitMeasure.ES):
        terms.setdefault("confidence", Decimal("0.99"))
    row = propose_limit(
        actor=desk.again(desk.officer),
        terms=LimitTerms(amount=Decimal(str(amount)), **terms),
        reason="as the board decided",
    )
    if row.is_active:
        return row
    return decide_limit(actor=colleague_of(desk), limit_id=row.pk, approve=True, reason="checked")


def quote_history(
    market: Market, *, days: int = 130, seed: int = 7, in_parallel: bool = False
) -> None:
    """
    Quote Cal27, Cal28 and quarters of 2027 on weekdays that end on the day of the trades.

    in_parallel     the whole curve moves by the same amount each day
    """
    generator = np.random.default_rng(seed)
    names = {
        "Cal27": (2027, 1, 12), "Cal28": (2028, 1, 12), "Q1-27": (2027, 1, 3),
        "Q2-27": (2027, 4, 3), "Q3-27": (2027, 7, 3),
    }  # fmt: skip
    dates, day = [], DAY
    while len(dates) < days:
        if day.weekday() < 5:
            dates.append(day)
        day -= timedelta(days=1)
    dates.reverse()
    walks = {name: 85 + np.cumsum(generator.normal(0, 1, days)) for name in names}
    if in_parallel:
        walks = dict.fromkeys(names, walks["Cal27"])
    calendar = market.calendar
    Quote.objects.bulk_create(
        Quote(
            market=market,
            contract=name,
            load_type=LoadType.BASE,
            delivery_start=calendar.month(year, month).start,
            delivery_end=calendar.month(
                year + (month + count - 2) // 12, (month + count - 2) % 12 + 1
            ).end,
            value=round(float(walks[name][index]), 4),
            valid_from=datetime.combine(date, time(16), UTC),
            source="test",
            quality=QuoteQuality.SIMULATED,
        )
        for name, (year, month, count) in names.items()
        for index, date in enumerate(dates)
    )


def curve(market: Market, *, as_of: datetime = TRADED_AT) -> CurveSnapshot:
    return build_market_curve(
        actor=Actor.system(SYSTEM), market=market, as_of=as_of,
        known_at=datetime(2100, 1, 1, tzinfo=UTC),
    )  # fmt: skip
