"""A desk with options: indices, models that two people chose, rates and volatilities."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_user
from tests.factories.curves import SYSTEM
from tests.factories.trades import Desk, make_market
from trading import deals
from trading.deals import REFERENCE_MARKETS, Direction, OptionStyle, OptionType, Volume
from trading.models import (
    Compounding,
    Market,
    OptionFamily,
    PriceIndex,
    PricingFormula,
    PricingModel,
    PublicationPolicy,
    VolKind,
)
from trading.services.catalogue import ensure_catalogue
from trading.services.curve_definitions import define_curve
from trading.services.pricing_models import ModelTerms, decide_model, propose_model
from trading.services.rates import InterestDraft, VolDraft, book_interest, book_vols

from .desk import publish, valued_desk

CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)
EVENING = datetime(2026, 11, 20, 19, tzinfo=UTC)
RATE = 0.03
TERMS_OF_SPREAD = ModelTerms(
    "DE", OptionFamily.SPREAD, PricingFormula.BLACK76, second_market="FR",
    correlation=Decimal("0.8"),
)  # fmt: skip
PRICES = {"Cal27": "88.00", "Q1-27": "95.00", "Jan27": "99.00"}


def index_in(market: Market, code: str, **fields: str) -> PriceIndex:
    return PriceIndex.objects.get_or_create(
        code=code,
        defaults={
            "market": market, "name": code, "currency": "EUR", "price_unit": "MWh",
            "frequency": "PERIOD", "publication_time": "12:57", "source": "test", **fields,
        },
    )[0]  # fmt: skip


def option_desk(*, with_model: bool = True) -> Desk:
    """DE and FR with curves; of DE a lognormal surface, models for all kinds, EUR interest."""
    desk = valued_desk()
    index_in(desk.market, "EPEX-DE-DA")
    publish(desk.market, PRICES, at=CLOSE)
    quote_interest(CLOSE)
    quote_vols(desk.market, {"Jan27": "0.55", "Q1-27": "0.45", "Cal27": "0.35"}, at=CLOSE)
    if with_model:
        choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BLACK76))
        choose(desk, ModelTerms("DE", OptionFamily.AVERAGE, PricingFormula.BLACK76))
    return desk


def second_market(desk: Desk, *, at: datetime = CLOSE) -> Market:
    """FR beside DE, with its own curve, volatilities and the model of DE − FR."""
    market = make_market("FR", time_zone="Europe/Paris")
    ensure_catalogue(actor=SYSTEM)
    define_curve(
        actor=SYSTEM, market=market, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    index_in(market, "EPEX-FR-DA")
    publish(market, {"Cal27": "80.00", "Q1-27": "90.00"}, at=at)
    quote_vols(market, {"Q1-27": "0.40", "Cal27": "0.30"}, at=at)
    choose(desk, TERMS_OF_SPREAD)
    return market


def quote_interest(at: datetime, rate: float = RATE) -> None:
    drafts = [
        InterestDraft(at.date() + timedelta(days=days), Decimal(str(rate)))
        for days in (30, 365, 1500)
    ]
    book_interest(
        actor=SYSTEM, currency="EUR", compounding=Compounding(Compounding.CONTINUOUS),
        drafts=drafts, valid_from=at, source="bank",
    )  # fmt: skip


def quote_vols(
    market: Market, vols: dict[str, str], *, at: datetime, kind: str = "LOGNORMAL",
    source: str = "broker",
) -> None:  # fmt: skip
    """Quote a volatility for each contract and expiry in a month, flat in strikes."""
    drafts = [
        VolDraft(contract, at.date() + timedelta(days=days), Decimal(1), Decimal(vol))
        for contract, vol in vols.items()
        for days in (20, 400)
    ]
    book_vols(
        actor=SYSTEM, market=market, kind=VolKind(kind), drafts=drafts, valid_from=at,
        source=source,
    )  # fmt: skip


def choose(desk: Desk, terms: ModelTerms) -> PricingModel:
    """Let one person propose a model and another approve it."""
    row = propose_model(actor=desk.officer, terms=terms, reason="agreed")
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    return decide_model(actor=second, model_id=row.pk, approve=True, reason="")


INDEX = deals.REFERENCE_INDICES["EPEX-DE-DA"]
INDEX_FR = deals.PriceIndex("EPEX-FR-DA", REFERENCE_MARKETS["FR"])
Q1 = DatePeriod.months(2027, 1, 3)
CALL = deals.Option(
    Direction.RECEIVE, deals.Schedule(REFERENCE_MARKETS["DE"], Q1, Volume.mw(Decimal(10))),
    OptionStyle.EUROPEAN, OptionType.CALL, (INDEX,), (Decimal(100),),
    datetime(2026, 12, 20, 11, tzinfo=UTC), premium=Decimal("4.00"),
    premium_date=date(2026, 11, 24),
)  # fmt: skip


def option(terms: deals.Option = CALL, **changes: object) -> deals.Deal:
    return deals.option(terms=replace(terms, **changes))
