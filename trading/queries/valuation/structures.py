"""Contracts with choices that are held: as holdings of hourly prices, and what they stand on."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading.deals import (
    PHYSICAL,
    RightForm,
    Structure,
    StructureKind,
    TransmissionTerms,
    shape_intervals,
)
from trading.models import (
    Discounting,
    Market,
    OptionFamily,
    OptionOutcome,
    PricingFormula,
    PricingModel,
    StructureNomination,
    TradeVersion,
    VolKind,
)

from ..deals import deals_of, structure_json
from ..pricing_models import model_key, models_at
from .contracts import ContractKey, Universe
from .digest import digest_of
from .quoted import Quoted, covering

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import StructureHolding, StructureHoldings, StructureMarket

    Floats = npt.NDArray[np.float64]

_DAY = timedelta(days=1)
_HOUR = 3600
# What has a volume by the day; the others have a power by the hour.
DAILY = frozenset({StructureKind.SWING, StructureKind.STORAGE})
NominatedDays = Mapping[tuple[int, int], Mapping[date, tuple[Decimal, ...]]]


@dataclass(frozen=True, eq=False)
class HeldStructures:
    """
    Contracts with choices that count, ascending by trade; indices are the universe's.

    trade, version, number, holdings    of each
    refused     by trade: why it has no value here
    cash        ours by line, paid −: premiums
    """

    trade: tuple[int, ...] = ()
    version: tuple[int, ...] = ()
    number: tuple[int, ...] = ()
    holdings: tuple[StructureHolding, ...] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    cash: Mapping[int, Decimal] = field(default_factory=dict)

    def of(self, lines: int) -> StructureHoldings:
        """Return the holdings, for as many lines as the universe has in the end."""
        from trading.valuation import StructureHoldings

        return StructureHoldings(lines, self.holdings)

    def words(self) -> bytes:
        """Return terms and nominations in one form."""
        parts = []
        for trade, number, one in zip(self.trade, self.number, self.holdings, strict=True):
            said = [trade, number, one.leg.direction.value, str(one.leg.most),
                    structure_json(one.leg)]  # fmt: skip
            columns = (one.bounds, one.payment, one.hours, one.nominated)
            said += [hashlib.sha256(row.tobytes()).hexdigest() for row in columns]
            parts.append(digest_of(said))
        return "".join(f"structure {part}\n" for part in parts).encode()


@dataclass(frozen=True, eq=False)
class StructureFacts:
    """
    What holdings are valued on beside prices, as a cut knew it.

    inputs      what is told of it in a run's inputs
    notes       of each holding, what it is valued without
    """

    markets: tuple[StructureMarket, ...]
    inputs: dict[str, Any]
    notes: tuple[tuple[str, ...], ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """Return every note once."""
        return tuple(dict.fromkeys(note for notes in self.notes for note in notes))


def held_structures(
    universe: Universe, terms: Mapping[int, int], *, ended: Container[int] = (), as_of: datetime,
    known_at: datetime,
) -> HeldStructures:  # fmt: skip
    """
    Add the prices of contracts with choices to the universe, and return what is held of them.

    terms       trade by the version whose terms hold, of trades that are such contracts
    ended       trades that were terminated: what they paid stays, and no choice is left
    """
    if not terms:
        return HeldStructures()
    rows = TradeVersion.objects.filter(pk__in=list(terms)).select_related("trade")
    versions = sorted(rows, key=lambda version: terms[version.pk])
    legs = [
        (terms[version.pk], version.pk, number, leg)
        for version, deal in zip(versions, deals_of(versions), strict=True)
        for number, leg in enumerate(deal.legs, start=1)
        if isinstance(leg, Structure)
    ]
    said = nominated_days(list(terms.values()), as_of=as_of, known_at=known_at)
    left = [trade_id for trade_id, *_ in legs if trade_id in ended]
    return structures_of(universe, legs, said, _paid(left, as_of=as_of, known_at=known_at))


def _paid(trade_ids: Sequence[int], *, as_of: datetime, known_at: datetime) -> dict[int, Decimal]:
    """Return what was settled of trades that have ended."""
    found = dict.fromkeys(trade_ids, Decimal(0))
    if found:
        rows = OptionOutcome.objects.filter(
            trade_id__in=trade_ids, recorded_at__lte=known_at, decided_at__lte=as_of
        )
        for row in rows:
            found[row.trade_id] += row.cash
    return found


def nominated_days(
    trade_ids: Sequence[int], *, as_of: datetime, known_at: datetime
) -> NominatedDays:
    """
    Return by trade and leg what was nominated for each day and not taken back; one query.
    """
    found: dict[tuple[int, int], dict[date, tuple[Decimal, ...]]] = defaultdict(dict)
    rows = StructureNomination.objects.filter(
        trade_id__in=trade_ids, recorded_at__lte=known_at, nominated_at__lte=as_of
    ).order_by("id")
    for row in rows:
        days = found[row.trade_id, row.leg]
        days.pop(row.day, None)
        if row.quantities:
            days[row.day] = tuple(map(Decimal, row.quantities))
    return found


def structures_of(
    universe: Universe,
    legs: Sequence[tuple[int, int, int, Structure]],
    said: NominatedDays | None = None,
    ended: Mapping[int, Decimal] | None = None,
) -> HeldStructures:
    """
    Add the prices of legs to the universe, and return them as holdings.

    legs        (trade, version, number, leg)
    ended       by trade that has no choice left what it paid
    """
    codes = {index.area.code for *_, leg in legs for index in leg.underlying}
    markets = {row.code: row for row in Market.objects.filter(code__in=codes)}
    cash: dict[int, Decimal] = defaultdict(Decimal)
    refused: dict[int, str] = {}
    chosen, holdings = [], []
    for trade_id, version_id, number, leg in legs:
        line = universe.line(trade_id, leg.currency)
        if leg.premium:
            cash[line] += leg.premium_cash.amount
        if ended is not None and trade_id in ended:
            cash[line] += ended[trade_id]
            continue
        if (why := _unpriced(leg, markets)) is not None:
            refused[trade_id] = why
            continue
        keys = [_contracts(leg, markets[index.area.code]) for index in leg.underlying]
        universe.add_contracts(dict.fromkeys(key for row in keys for key in row))
        universe.exposed |= {universe.keys[key] for row in keys for key in row}
        places = tuple(tuple(universe.keys[key] for key in row) for row in keys)
        days = {} if said is None else said.get((trade_id, number), {})
        holdings.append(structure_holding(line, leg, places, days))
        chosen.append((trade_id, version_id, number))
    columns = zip(*chosen, strict=True) if chosen else ((), (), ())
    trade, version, numbers = (tuple(column) for column in columns)
    return HeldStructures(trade, version, numbers, tuple(holdings), refused, dict(cash))


def _unpriced(leg: Structure, markets: Mapping[str, Market]) -> str | None:
    """Say why prices and volumes of a leg do not fit each other, None where they do."""
    volume = leg.schedule.amount_unit
    for role, index in leg.by_role.items():
        market = markets.get(index.area.code)
        if market is None:
            return f"{index.code}: there is no market {index.area.code}."
        unit = "tCO2" if role == "carbon" else volume
        if index.price_unit != unit or market.price_unit != unit:
            return f"{index.code}: is priced per {market.price_unit}, the contract is in {unit}."
        if market.currency != leg.currency:
            return f"{index.code}: {market.code} is in {market.currency}, not {leg.currency}."
    return None


def _contracts(leg: Structure, market: Market) -> list[ContractKey]:
    """Return the hourly contracts of a market that tile a leg's delivery, by its months."""
    span = leg.schedule.area.calendar.span(leg.schedule.period)
    calendar, found, start = market.calendar, [], span.start
    while start < span.end:
        month = calendar.date_of(start).replace(day=1)
        end = min(span.end, calendar.month(month.year, month.month).end)
        found.append(
            ContractKey(market.pk, market.currency, "PROFILE", market.price_unit, "BASE", 1, month,
                        start, end, 60)
        )  # fmt: skip
        start = end
    return found


def structure_holding(
    line: int,
    leg: Structure,
    contracts: tuple[tuple[int, ...], ...],
    days: Mapping[date, tuple[Decimal, ...]],
) -> StructureHolding:
    """Lay a leg out by delivery day or hour, with what was nominated; days are DST-exact."""
    import numpy as np

    from trading.valuation import StructureHolding, seconds

    schedule = leg.schedule
    calendar, period = schedule.area.calendar, schedule.period
    dates = np.arange(np.datetime64(period.first), np.datetime64(period.after))
    edges = np.array(
        [seconds(calendar.day(day).start) for day in dates.tolist()]
        + [seconds(calendar.span(period).end)],
        dtype=np.int64,
    )
    daily = leg.kind in DAILY
    length = np.diff(edges) // _HOUR
    bounds = edges if daily else np.arange(edges[0], edges[-1] + 1, _HOUR, dtype=np.int64)
    whole = dates if daily else np.repeat(dates, length)
    hours = np.zeros(len(whole))
    if leg.kind is StructureKind.TRANSMISSION_RIGHT:
        for part in shape_intervals(calendar, schedule.shape, calendar.span(period)):
            first, after = ((seconds(at) - int(edges[0])) // _HOUR
                            for at in (part.start, part.end))  # fmt: skip
            hours[first:after] = 1.0
    nominated = np.full(len(whole), np.nan)
    first_of = np.arange(len(dates)) if daily else (edges[:-1] - edges[0]) // _HOUR
    for day, quantities in days.items():
        if period.first <= day < period.after:
            at = int(first_of[(day - period.first).days])
            nominated[at : at + len(quantities)] = [float(one) for one in quantities]
    months = whole.astype("datetime64[M]")
    due = {
        month: seconds(calendar.day(PHYSICAL.due((month + 1).astype("datetime64[D]").item() - _DAY))
                       .start)
        for month in np.unique(months)
    }  # fmt: skip
    payment = np.array([due[month] for month in months], dtype=np.int64)
    return StructureHolding(line, leg, whole, bounds, payment, contracts, hours, nominated)


def structure_facts(
    universe: Universe, held: Sequence[StructureHolding], *, as_of: datetime, known_at: datetime
) -> StructureFacts:
    """
    Return the rates and volatilities that a cut knew, for some holdings.

    Without rates nothing is discounted, without a model an option on a spread has its intrinsic
    value; findings say so. The number of queries depends on markets and currencies.
    """
    looked = Quoted(universe, as_of=as_of, known_at=known_at)
    models = models_at(known_at) if any(map(_is_option, held)) else {}
    used: dict[int, PricingModel] = {}
    markets, notes = [], []
    for one in held:
        findings: dict[str, None] = {}
        model = _model(one, models)
        volatility = None
        if model is not None:
            volatility = _volatility(universe, looked, one, model, as_of, findings)
            used[model.pk] = model
        elif _is_option(one):
            source, sink = one.leg.underlying
            findings[
                f"{sink.area.code} − {source.area.code}: no pricing model for options on a spread"
                " is approved; transmission options have their intrinsic value."
            ] = None
        markets.append(_market(looked, one, model, volatility, as_of, findings))
        notes.append(tuple(findings))
    told = {name: rows for name, rows in looked.told().items() if rows}
    if used:
        told["models"] = [
            [m.pk, m.name, m.number, str(m.formula), str(m.correlation), str(m.discounting),
             m.vol_source]
            for m in used.values()
        ]  # fmt: skip
    return StructureFacts(tuple(markets), told, tuple(notes))


def _is_option(one: StructureHolding) -> bool:
    terms = one.leg.terms
    return isinstance(terms, TransmissionTerms) and terms.form is RightForm.OPTION


def _model(one: StructureHolding, models: Mapping[Any, PricingModel]) -> PricingModel | None:
    if not _is_option(one):
        return None
    source, sink = one.leg.underlying
    return models.get(model_key(str(OptionFamily.SPREAD), sink.area.code, source.area.code))


def _market(
    looked: Quoted, one: StructureHolding, model: PricingModel | None, volatility: Floats | None,
    as_of: datetime, findings: dict[str, None],
) -> StructureMarket:  # fmt: skip
    import numpy as np

    from trading.valuation import YEAR, StructureMarket, seconds

    number = None if model is None or volatility is None else model.pk
    rate = np.zeros(len(one.dates))
    if model is not None and model.discounting == Discounting.NONE:
        return StructureMarket(rate, volatility, number)
    curve = looked.curve(one.leg.currency)
    if curve is None:
        findings[
            f"{one.leg.currency}: no interest rate is quoted; contracts with choices are not"
            " discounted."
        ] = None
        return StructureMarket(rate, volatility, number)
    today = as_of.astimezone(UTC).date()
    zone = one.leg.schedule.area.calendar
    payments, place = np.unique(one.payment, return_inverse=True)
    days = [zone.date_of(datetime.fromtimestamp(at, UTC)) for at in payments.tolist()]
    dates = np.array([max(day, today) for day in days], dtype="datetime64[D]")
    now = curve.log_factor(np.array([today], dtype="datetime64[D]"))[0]
    years = np.maximum(payments - seconds(as_of), 1) / YEAR
    return StructureMarket((-(curve.log_factor(dates) - now) / years)[place], volatility, number)


def _volatility(
    universe: Universe, looked: Quoted, one: StructureHolding, model: PricingModel,
    as_of: datetime, findings: dict[str, None],
) -> Floats | None:  # fmt: skip
    """Return the volatility of each interval's spread from those of its two months."""
    import numpy as np

    is_normal = model.formula == PricingFormula.BACHELIER
    kind = VolKind("NORMAL" if is_normal else "LOGNORMAL")
    months = one.dates.astype("datetime64[M]")
    rows = np.zeros((3, len(months)))
    rows[2] = float(model.correlation or 0)
    ids = {market.code: pk for pk, market in universe.markets.items()}
    for side, index in enumerate(one.leg.underlying):
        code = index.area.code
        surface = looked.surface(ids[code], kind, model.vol_source)
        for month in np.unique(months):
            first = month.astype("datetime64[D]").item()
            after = (month + 1).astype("datetime64[D]").item()
            contract = None if surface is None else covering(surface, first, after)
            if surface is None or contract is None:
                findings[
                    f"{code} {first:%b %Y}: no {kind.value.lower()} volatility is quoted;"
                    " transmission options have their intrinsic value."
                ] = None
                return None
            expiry = max(first, surface.valued_on + _DAY)
            rows[side, months == month] = surface.vols(contract, expiry, np.ones(1))[0]
    if not is_normal:
        return rows
    a, b, rho = rows
    return np.sqrt(np.maximum(a * a + b * b - 2.0 * rho * a * b, 0.0))
