"""Options and a storage in the demo: their market, the models that two people chose, the deals."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization
    from energyopti.foundation.calendars import Calendar
    from trading.deals import Deal, DeliveryArea, Option, PriceIndex

SOURCE, INDEX = "broker of the demo", "DE-DA"
# The client references of the options that the demo's trader exercises, and of all of them.
PREFIX, TONIGHT, TOMORROW = "demo-option-", "call-tonight", "call-tomorrow"
# Strike over forward: wings that are dearer than the middle, the lower one more.
_SMILE = {"0.70": 1.14, "0.85": 1.05, "1": 1.0, "1.15": 1.03, "1.30": 1.09}
_RATES = {30: 0.0195, 91: 0.0200, 365: 0.0212, 730: 0.0225, 1826: 0.0248}
_DAY = timedelta(days=1)


def quote_options(
    *, actor: "Actor", market: Any, close: datetime, scale: float | None = None
) -> None:
    """
    Quote volatilities and interest of a close; once, so that it may be asked for again and again.

    scale   of the volatilities, over those of the demo's own market; None for that one. Of the
            others only the middle is quoted, which is what spreads are valued on.

    What delivers soon moves most (P. Samuelson, 1965). Averages are quoted in EUR/MWh, as spot
    prices may fall below zero.
    """
    from trading.enums import Compounding, VolKind
    from trading.queries.quotes import quotes_at
    from trading.queries.rates import NoRates, vol_surface
    from trading.services.rates import InterestDraft, VolDraft, book_interest, book_vols

    try:
        known = vol_surface(market, str(VolKind.LOGNORMAL), as_of=close, source=SOURCE)
    except NoRates:
        known = None
    if known is not None and known.valued_on == close.date():
        return
    today = market.calendar.date_of(close)
    quoted = [quote for quote in quotes_at(market, as_of=close) if quote.load == "BASE"]
    level = float(quoted[0].value)
    mood = 1 + 0.03 * math.sin(today.toordinal() * 1.7)
    lognormal, normal = [], []
    smile = _SMILE if scale is None else {"1": scale}
    for code in dict.fromkeys([f"{today:%b%y}", *(quote.contract for quote in quoted)]):
        for expires_on, vol in _volatilities(code, today, mood):
            normal.append(VolDraft(code, expires_on, Decimal(1), _rounded(vol * level, "0.01")))
            lognormal += [
                VolDraft(code, expires_on, Decimal(node), _rounded(vol * more, "0.0001"))
                for node, more in smile.items()
            ]
    same = {"actor": actor, "market": market, "valid_from": close, "source": SOURCE}
    book_vols(kind=VolKind(VolKind.LOGNORMAL), drafts=lognormal, **same)
    if scale is None:
        book_vols(kind=VolKind(VolKind.NORMAL), drafts=normal, **same)
    rates = [
        InterestDraft(today + timedelta(days=days), _rounded(rate * (0.5 + 0.5 * mood), "0.00001"))
        for days, rate in _RATES.items()
    ]
    book_interest(
        actor=actor, currency=market.currency, compounding=Compounding(Compounding.CONTINUOUS),
        drafts=rates, valid_from=close, source=SOURCE,
    )  # fmt: skip


def _volatilities(code: str, today: date, mood: float) -> Iterator[tuple[date, float]]:
    """Return a contract's expiries, before it delivers and after, with √year volatilities."""
    from trading.curves import contract_period

    period = contract_period(code)
    days = max((period.first - today).days, 0)
    vol = mood * (0.24 + 0.36 * math.exp(-days / 180))
    if period.first - _DAY > today:
        yield period.first - _DAY, vol
    yield period.after, vol


def _rounded(value: float, quantum: str) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(quantum))


def seed_options(*, actor: "Actor", company: "Organization", now: datetime) -> None:
    """The index, the market of options, approved models, and deals whose time comes in the day."""
    from trading.queries.areas import delivery_areas, price_indices
    from trading.queries.markets import market_by_code
    from trading.queries.quotes import quotes_at

    from .seed import MARKET

    market = market_by_code(MARKET)
    quote_options(actor=actor, market=market, close=quotes_at(market, as_of=now)[0].valid_from)
    name_index(actor, INDEX, MARKET, "Day-ahead of the simulated market")
    _choose_models()
    areas = delivery_areas({MARKET})
    index = price_indices(areas)[INDEX]
    _book_deals(company, market, areas[MARKET], index, now)
    _choose_process(market, now)


def name_index(actor: "Actor", code: str, market: str, name: str) -> None:
    """Name the price that a simulated market publishes for each of its periods, once."""
    from trading.queries.areas import delivery_areas, price_indices
    from trading.reference import IndexTerms
    from trading.services.indices import add_index

    if code not in price_indices(delivery_areas([market])):
        add_index(
            actor=actor,
            terms=IndexTerms(
                code=code, market=market, name=name, currency="EUR", price_unit="MWh",
                frequency="PERIOD", load_shape="", publication_days=-1,
                publication_time=time(12, 57), source="simulator",
            ),
        )  # fmt: skip


def _choose_models() -> None:
    """Let one person propose how options are valued, and another approve it."""
    from trading.enums import OptionFamily, PricingFormula
    from trading.queries.pricing_models import model_key, models_at
    from trading.services.pricing_models import ModelTerms, decide_model, propose_model

    from .people import person
    from .seed import MARKET

    known = models_at()
    for family, formula, reason in (
        (OptionFamily.VANILLA, PricingFormula.BLACK76, "Brokers quote lognormal volatilities."),
        (OptionFamily.AVERAGE, PricingFormula.BACHELIER, "Spot prices fall below zero."),
    ):
        if model_key(OptionFamily(family), MARKET) not in known:
            terms = ModelTerms(MARKET, OptionFamily(family), PricingFormula(formula))
            row = propose_model(actor=person("quant@demo.example"), terms=terms, reason=reason)
            decide_model(
                actor=person("risk@demo.example"), model_id=row.pk, approve=True,
                reason="Reference cases pass, Greeks agree with revaluation.",
            )  # fmt: skip


def _choose_process(market: Any, now: datetime) -> None:
    """Let one person calibrate how spot moves, another approve it, and value the storage by it."""
    from trading.enums import CalibrationBasis, ProcessKind
    from trading.queries.price_processes import process_key, processes_at
    from trading.queries.trades import trade_rows
    from trading.services.calibrations import CalibrationTerms, calibrate
    from trading.services.price_processes import decide_process, propose_calibrated
    from trading.services.structure_values import value_structure

    from .people import person
    from .seed import MARKET, wall_clock

    if process_key(MARKET) in processes_at():
        return
    quant, trader = person("quant@demo.example"), person("trader@demo.example")
    yesterday = market.calendar.date_of(now) - _DAY
    terms = CalibrationTerms(
        MARKET, ProcessKind(ProcessKind.SPOT_NORMAL), CalibrationBasis(CalibrationBasis.FIXINGS),
        yesterday, first_date=yesterday - timedelta(days=365),
    )  # fmt: skip
    fit = calibrate(actor=quant, terms=terms, as_of=now, known_at=wall_clock())
    row = propose_calibrated(
        actor=quant, calibration_id=fit.pk,
        reason="A year of day-ahead prices, by the day; they fall below zero.",
    )  # fmt: skip
    decide_process(
        actor=person("risk@demo.example"),
        process_id=row.pk,
        approve=True,
        reason="Residuals seen; the hours of a day keep the shape of the curve.",
    )
    for held in trade_rows(trader).filter(trade__client_reference__startswith=f"{PREFIX}storage-"):
        value_structure(actor=trader, ref=held.trade.ref, as_of=now, known_at=wall_clock())


def _book_deals(
    company: "Organization", market: Any, area: "DeliveryArea", index: "PriceIndex", now: datetime
) -> None:
    """Book a month's set of options and a storage as the trader, unless it is there."""
    from trading import deals
    from trading.queries.books import books_for, counterparties_for
    from trading.queries.trades import trade_rows
    from trading.services.capture import book_fill

    from .people import person
    from .seed import BOOK

    trader = person("trader@demo.example")
    (book,) = [book for book in books_for(trader) if book.code == BOOK]
    parties = {
        party.code: party.id
        for party in counterparties_for(trader)
        if party.organization_id == company.pk
    }
    known = set(
        trade_rows(trader)
        .filter(trade__client_reference__startswith=PREFIX)
        .values_list("trade__client_reference", flat=True)
    )
    terms = _Terms(market, area, index, now)
    for name, party, deal in (
        *(
            (
                name,
                "ACME",
                with_premium(deals.option(terms=leg), traded_at=terms.traded_at, now=now),
            )
            for name, leg in terms.options()
        ),
        ("storage", "BRISE", deals.structure(terms=terms.storage())),
    ):
        reference = f"{PREFIX}{name}-{now:%Y-%m}"
        if reference not in known:
            book_fill(
                actor=trader,
                deal=deal,
                book_id=book.id,
                counterparty_id=parties[party],
                traded_at=terms.traded_at,
                received_at=now,
                client_reference=reference,
                reason="demo: agreed by telephone",
            )


def with_premium(deal: "Deal", *, traded_at: datetime, now: datetime) -> "Deal":
    """Return an option at the premium that the chosen model gives, in steps of five cents."""
    from dataclasses import replace

    from trading import deals
    from trading.queries.option_values import options_of_legs

    from .seed import wall_clock

    (leg, *_) = deal.legs
    if not isinstance(leg, deals.Option):
        return deal
    view = options_of_legs([(0, 1, leg)], as_of=now, known_at=wall_clock())
    if view.value is None:
        raise ValueError(f"{leg.option_type}: {' '.join(view.findings)}")
    area = leg.schedule.area
    steps = round(abs(view.value) / float(leg.schedule.amount(area.price_unit)) * 20)
    paid_on = area.calendar.date_of(traded_at) + timedelta(days=3)
    return deals.option(terms=replace(leg, premium=Decimal(steps) / 20, premium_date=paid_on))


class _Terms:
    """What the demo's options say, around the day that its clock shows."""

    def __init__(
        self, market: Any, area: "DeliveryArea", index: "PriceIndex", now: datetime
    ) -> None:
        from trading.queries.curve_building import known_curve
        from trading.queries.curve_terms import CurveTerms

        self.market, self.area, self.index, self.now = market, area, index, now
        self.calendar: Calendar = market.calendar
        self.today = self.calendar.date_of(now)
        self.traded_at = now - timedelta(days=20)
        self.curve = known_curve(market, CurveTerms(), as_of=now, known_at=None)

    def options(self) -> Iterator[tuple[str, "Option"]]:
        """Yield calls and a put on a quarter, a swaption, a cap, a collar and an average."""
        from energyopti.foundation.calendars import DatePeriod
        from trading.deals import OptionStyle, OptionType, Settlement

        tomorrow, soon = self.today + _DAY, self.today + timedelta(days=7)
        quarter, next_quarter = _quarter_after(soon), _quarter_after(soon, 2)
        year = soon.year + 1 if soon.month < 12 else soon.year + 2
        to_deliver = {"period": quarter, "settlement": Settlement.PHYSICAL}
        for name, kind, megawatts, moneyness, expiry in (
            (TONIGHT, OptionType.CALL, 3, "0.92", self.at(self.today, 22)),
            (TOMORROW, OptionType.CALL, 4, "0.95", self.at(tomorrow, 22)),
            ("put-tomorrow", OptionType.PUT, 5, "0.97", self.at(tomorrow, 18)),
        ):
            yield name, self.option(kind, megawatts, (moneyness,), expiry=expiry, **to_deliver)
        yield "swaption", self.option(
            OptionType.PAYER_SWAPTION, 5, ("1.02",), period=next_quarter,
            settlement=Settlement.PHYSICAL, expiry=self.at(next_quarter.first - 7 * _DAY, 12),
        )  # fmt: skip
        # Each month on the mean of its hours, as it delivers.
        yield "cap", self.option(
            OptionType.CAP, 10, ("1.10",), period=quarter,
            expiry=self.calendar.start_of(quarter.after),
        )  # fmt: skip
        yield "collar", self.option(
            OptionType.COLLAR, 2, ("0.85", "1.10"), period=DatePeriod.months(year, 1, 12),
            expiry=self.at(date(year - 1, 12, 10), 12),
        )  # fmt: skip
        # Of days that are known and one that comes, so that the clock fixes it in the demo's day.
        first = max(tomorrow - timedelta(days=5), tomorrow.replace(day=1))
        yield "average", self.option(
            OptionType.CALL, 15, ("0.85",), period=DatePeriod(first, tomorrow + _DAY),
            style=OptionStyle.ASIAN, expiry=self.calendar.start_of(tomorrow + _DAY),
            level=self.spot(),
        )  # fmt: skip

    def at(self, day: date, hour: int) -> datetime:
        return self.calendar.instant(datetime.combine(day, time(hour)))

    def spot(self) -> float:
        """Return the mean of the last five days' prices."""
        from energyopti.foundation.calendars import DatePeriod
        from trading.queries.prices import exact_prices

        days = DatePeriod(self.today - 5 * _DAY, self.today)
        prices = [float(one.value) for one in exact_prices(self.market, self.calendar.span(days))]
        return sum(prices) / len(prices)

    def option(
        self, option_type: Any, megawatts: int, moneyness: tuple[str, ...], *, period: Any,
        expiry: datetime, settlement: Any = None, style: Any = None, level: float | None = None,
    ) -> "Option":  # fmt: skip
        """Return an option that we hold, struck at shares of the forward, without its premium."""
        from trading.deals import Direction, Option, OptionStyle, Schedule, Settlement, Volume

        if level is None:
            level = self.curve.average(self.calendar.span(period), "BASE")
        return Option(
            direction=Direction.RECEIVE,
            schedule=Schedule(self.area, period, Volume.mw(Decimal(megawatts))),
            style=style or OptionStyle.EUROPEAN,
            option_type=option_type,
            underlying=(self.index,),
            strikes=tuple(_rounded(level * float(share), "1") for share in moneyness),
            expiry=expiry,
            settlement=settlement or Settlement.CASH,
        )

    def storage(self) -> Any:
        """Return a pumped storage that is ours for a year: volume by the day, losses, ratchets."""
        from energyopti.foundation.calendars import DatePeriod
        from trading import deals

        year = self.today.year + 1
        terms = deals.StorageTerms(
            working_volume=Decimal(9000),
            injection_rate=Decimal(1200),
            start_inventory=Decimal(3000),
            end_inventory=Decimal(3000),
            injection_cost=Decimal("0.80"),
            withdrawal_cost=Decimal("0.60"),
            injection_fuel=Decimal(22),
            withdrawal_ratchets=(
                (Decimal(0), Decimal(60)), (Decimal(20), Decimal(100)),
                (Decimal(100), Decimal(100)),
            ),
        )  # fmt: skip
        return deals.Structure(
            direction=deals.Direction.RECEIVE,
            schedule=deals.Schedule(
                self.area, DatePeriod.months(year, 1, 12),
                deals.Volume(Decimal(1440), "MWh", deals.Frequency.DAY),
            ),
            kind=deals.StructureKind.STORAGE,
            underlying=(self.index,),
            terms=terms,
            premium=Decimal(85000),
            premium_date=self.today + timedelta(days=10),
        )  # fmt: skip


def _quarter_after(day: date, count: int = 1) -> Any:
    from energyopti.foundation.calendars import DatePeriod

    number = day.year * 4 + (day.month - 1) // 3 + count
    return DatePeriod.quarter(number // 4, number % 4 + 1)


def seed_validation(*, company: "Organization") -> None:
    """
    Run the reference cases of the models once, asked for by who validates them.

    The job's answer is written here, while the demo's clock stands: formulas that were never
    compiled on this machine take a worker half a minute, half a day of that clock. The worker
    finds what is done.
    """
    from energyopti.foundation.validation.models import ValidationRun
    from energyopti.foundation.validation.services.runs import run_validation, start_run

    from .people import person

    if not ValidationRun.objects.exists():
        quant = person("quant@demo.example")
        run = start_run(actor=quant, case_set_key="shipped", organization_id=company.pk)
        run_validation(run_id=run.pk, actor=quant)
