"""
The floors and caps of purchase agreements: rights on the volume that positions hold of a trade.

Terms say the strikes, positions the volume: what a meter read, an amendment or an early end
changed is in them. A profile's months are bounds by the interval; months of a constant power are
rights on the month's average, as the desk settles them (`queries.option_prices`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection

from trading.deals import CASH_SETTLED, Direction, OptionletKind, OptionType
from trading.models import (
    Discounting,
    Leg,
    LegKind,
    Market,
    PriceIndex,
    PricingFormula,
    PricingModel,
    VolKind,
)

from ..positions import micro
from ..pricing_models import model_key, models_at
from .contracts import ContractKey, Universe
from .options import (
    NO_OPTIONS,
    HeldOptions,
    OptionletKey,
    OptionletRow,
    Period,
    decided_periods,
)
from .quoted import NotQuoted, Quoted, is_flat

if TYPE_CHECKING:
    from datetime import datetime

    import numpy as np
    import numpy.typing as npt

    from trading.valuation import BoundHoldings, BoundMarket, Bounds, MarketState

    Micro = npt.NDArray[np.int64]

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_PAGE = "Pricing models"

_PHYSICAL = """
SELECT delta.market_id, delta.currency, delta.basis, delta.unit, delta.shape,
       delta.shape_version, delta.month, delta.start, delta."end", delta.minutes,
       version.trade_id, delta.physical, delta.physical_profile
FROM trading_positiondelta delta
JOIN trading_tradeversion version ON version.id = delta.trade_version_id
WHERE delta.book_id = ANY(%(books)s) AND delta.stage = 'LIVE' AND delta.recorded_at <= %(cut)s
  AND version.trade_id = ANY(%(trades)s)
  AND (%(before)s::timestamptz IS NULL
       OR delta.recorded_at <= %(before)s OR version.event = 'METER')
ORDER BY version.trade_id, delta.market_id, delta.start, delta."end", delta.minutes, delta.id
"""


@dataclass(frozen=True, slots=True)
class BoundTerms:
    """
    A floor or cap of a trade, from its terms.

    number      of the leg
    sign        +1 a cap, −1 a floor
    held        +1 what we hold, −1 what we have written
    """

    trade_id: int
    number: int
    sign: int
    held: int
    strike: float
    market: Market
    currency: str
    unit: str


@dataclass(frozen=True, slots=True)
class BoundKey:
    """What tells bounds of a profile's month apart; `contract` is of the index's market."""

    contract: ContractKey
    sign: int
    strike: float
    pays_on: date

    def words(self) -> bytes:
        """Return the key in one form."""
        return f"{self.sign} {self.strike!r} {self.pays_on} ".encode() + self.contract.words()


@dataclass(frozen=True, eq=False)
class HeldBounds:
    """
    What trades hold of bounds; indices are the universe's, ascending by trade.

    terms       of the trades that have a floor or cap, with why one is no right here
    micro_mw    of each holding, by the interval; held +, written −
    period      of each, what an outcome would be of
    averages    the months of a constant power, as rights on their average; with what was paid for
                the months of either that were settled, which are held no more
    """

    terms: tuple[BoundTerms, ...]
    refused: Mapping[int, str]
    trade: tuple[int, ...]
    line: tuple[int, ...]
    bound: tuple[int, ...]
    micro_mw: tuple[Micro, ...]
    period: tuple[Period, ...]
    averages: HeldOptions

    def holdings(self, lines: int) -> BoundHoldings:
        """Return the arrays, for as many lines as the universe has in the end."""
        import numpy as np

        from trading.valuation import BoundHoldings

        return BoundHoldings(
            lines, np.array(self.line, dtype=np.int64), np.array(self.bound, dtype=np.int64),
            tuple(row / 1e6 for row in self.micro_mw),
        )  # fmt: skip

    def plus(self, other: HeldBounds) -> HeldBounds:
        """Return the bounds of both, those of the other last."""
        return replace(
            self, trade=self.trade + other.trade, line=self.line + other.line,
            bound=self.bound + other.bound, micro_mw=self.micro_mw + other.micro_mw,
            period=self.period + other.period,
        )  # fmt: skip

    def without(self, trades: Container[int]) -> HeldBounds:
        """Return the bounds of all other trades."""
        return self._of([n for n, trade_id in enumerate(self.trade) if trade_id not in trades])

    def undecided(self, decided: Container[Period]) -> HeldBounds:
        """Return the bounds of all other periods."""
        return self._of([n for n, period in enumerate(self.period) if period not in decided])

    def _of(self, kept: Sequence[int]) -> HeldBounds:
        trade, line, bound = (
            tuple(row[n] for n in kept) for row in (self.trade, self.line, self.bound)
        )
        return replace(
            self, trade=trade, line=line, bound=bound,
            micro_mw=tuple(self.micro_mw[n] for n in kept),
            period=tuple(self.period[n] for n in kept),
        )  # fmt: skip

    def words(self, universe: Universe) -> bytes:
        """Return the holdings in one form."""
        keys = list(universe.bounds)
        rows = zip(self.trade, self.bound, self.micro_mw, strict=True)
        return b"".join(
            f"bound {trade} ".encode() + keys[at].words() + row.astype("<i8").tobytes()
            for trade, at, row in rows
        )


NO_BOUNDS = HeldBounds((), {}, (), (), (), (), (), NO_OPTIONS)


def held_bounds(
    universe: Universe, terms: Mapping[int, int], parameters: Mapping[str, Any], *, as_of: datetime
) -> HeldBounds:
    """
    Add the floors and caps of trades to the universe, and return what is held of them.

    A month that was settled by then is held no more; what that paid is our cash. One query; three
    more where a trade has some.

    terms       trade by the version whose terms hold
    parameters  `books` and `cut`
    """
    if not terms:
        return NO_BOUNDS
    legs = list(
        Leg.objects.filter(kind=LegKind.OPTION, version_id__in=list(terms))
        .select_related("market")
        .order_by("version_id", "number")
    )
    if not legs:
        return NO_BOUNDS
    refused: dict[int, str] = {}
    found = sorted(_terms(legs, terms, refused), key=lambda one: one.trade_id)
    settled = decided_periods(
        sorted({one.trade_id for one in found}), as_of=as_of, known_at=parameters["cut"]
    )
    held = bounds_of(universe, found, parameters, refused, settled=settled)
    paid: dict[int, Decimal] = defaultdict(Decimal)
    for (trade_id, *_), money in settled.items():
        paid[universe.line(trade_id, money.currency)] += money.amount
    averages = replace(held.averages, cash=dict(paid), paid=dict(paid), decided=frozenset(settled))
    return replace(held, averages=averages)


def bounds_of(
    universe: Universe,
    terms: Sequence[BoundTerms],
    parameters: Mapping[str, Any],
    refused: Mapping[int, str],
    *,
    settled: Container[Period] = (),
    before: datetime | None = None,
) -> HeldBounds:
    """
    Return what is held of floors and caps by a cut; one query.

    settled     periods that are held no more
    before      nothing recorded later counts but what was metered
    """
    asked = {**parameters, "trades": sorted({one.trade_id for one in terms}), "before": before}
    with connection.cursor() as cursor:
        cursor.execute(_PHYSICAL, asked)
        volumes = [
            (trade_id, ContractKey(*cells), physical, micro(stored))
            for *cells, trade_id, physical, stored in cursor.fetchall()
        ]
    return placed_bounds(universe, terms, volumes, refused, settled=settled)


def placed_bounds(
    universe: Universe,
    terms: Sequence[BoundTerms],
    volumes: Iterable[tuple[int, ContractKey, Decimal, Micro | None]],
    refused: Mapping[int, str],
    *,
    settled: Container[Period] = (),
) -> HeldBounds:
    """
    Return what is held of floors and caps on some volumes.

    volumes     trade, contract and what it delivers: a power, or of a profile its intervals
    settled     periods that are held no more
    """
    by_trade: dict[int, list[BoundTerms]] = defaultdict(list)
    for one in terms:
        by_trade[one.trade_id].append(one)
    profiles: dict[tuple[int, ContractKey], Micro] = {}
    powers: dict[tuple[int, ContractKey], Decimal] = {}
    for trade_id, contract, physical, row in volumes:
        key = (trade_id, contract)
        if not contract.minutes:
            powers[key] = powers.get(key, Decimal(0)) + physical
        elif row is not None:
            profiles[key] = profiles[key] + row if key in profiles else row
    intervals = [
        (one, _of_index(key, one), abs(row) * one.held)
        for (trade_id, key), row in profiles.items()
        if row.any()
        for one in by_trade[trade_id]
        if _period(one, key) not in settled
    ]
    months = [
        (one, _of_index(key, one), float(abs(power) * one.held))
        for (trade_id, key), power in powers.items()
        if power
        for one in by_trade[trade_id]
        if _period(one, key) not in settled
    ]
    contracts = dict.fromkeys(key for _, key, _ in (*intervals, *months))
    universe.add_contracts(contracts)
    universe.exposed |= {universe.keys[key] for key in contracts}
    bounds = [
        universe.bound(BoundKey(key, one.sign, one.strike, _pays_on(universe, key)))
        for one, key, _ in intervals
    ]
    lines = [universe.line(one.trade_id, one.currency) for one, *_ in intervals]
    return HeldBounds(
        tuple(terms), refused, tuple(one.trade_id for one, *_ in intervals), tuple(lines),
        tuple(bounds), tuple(row for *_, row in intervals),
        tuple(_period(one, key) for one, key, _ in intervals), _averages(universe, months),
    )  # fmt: skip


def _period(one: BoundTerms, key: ContractKey) -> Period:
    return one.trade_id, one.number, key.start


def _terms(
    legs: Sequence[Leg], terms: Mapping[int, int], refused: dict[int, str]
) -> Iterator[BoundTerms]:
    codes = {code for leg in legs for code in leg.terms["underlying"]}
    indices = {
        row.code: row for row in PriceIndex.objects.filter(code__in=codes).select_related("market")
    }
    for leg in legs:
        said = leg.terms
        yield from bound_terms(
            terms[leg.version_id], leg.number, OptionType(said["type"]), said["underlying"],
            [float(s) for s in said["strikes"]], Direction(leg.direction).sign,
            (said["currency"], leg.market.price_unit), indices, refused,
        )  # fmt: skip


def bound_terms(
    trade_id: int,
    number: int,
    kind: OptionType,
    underlying: Sequence[str],
    strikes: Sequence[float],
    ours: int,
    priced_in: tuple[str, str],
    indices: Mapping[str, PriceIndex],
    refused: dict[int, str],
) -> Iterator[BoundTerms]:
    """
    Return the floors and caps of an option leg, or say in `refused` why it is none.

    ours        +1 of what we hold, −1 of what we have written
    priced_in   currency and unit of the leg
    """
    code, *others = underlying
    index = indices.get(code)
    rights = {
        OptionType.CAP: [(1, 1, strikes[0])],
        OptionType.FLOOR: [(-1, 1, strikes[0])],
        OptionType.COLLAR: [(1, 1, strikes[-1]), (-1, -1, strikes[0])],
    }.get(kind)
    if rights is None or others or index is None:
        refused[trade_id] = f"option_type: {kind.value} on {code} is no floor or cap here."
        return
    if (index.currency, index.price_unit) != priced_in:
        refused[trade_id] = (
            f"underlying: {code} is in {index.currency}/{index.price_unit}, the bound in"
            f" {priced_in[0]}/{priced_in[1]}."
        )
        return
    for sign, held, strike in rights:
        yield BoundTerms(
            trade_id, number, sign, held * ours, strike, index.market, index.currency,
            index.price_unit,
        )  # fmt: skip


def _of_index(key: ContractKey, one: BoundTerms) -> ContractKey:
    """Return the contract of the index that is fixed for a delivery."""
    return replace(key, market_id=one.market.pk, currency=one.currency, unit=one.unit)


def _pays_on(universe: Universe, key: ContractKey) -> date:
    calendar = universe.markets[key.market_id].calendar
    return CASH_SETTLED.due(calendar.date_of(key.end - _INSTANT))


def _averages(
    universe: Universe, months: Sequence[tuple[BoundTerms, ContractKey, float]]
) -> HeldOptions:
    """Return months of a constant power as rights on the mean of what is published for them."""
    import numpy as np

    placed, lines, quantities = [], [], []
    for one, key, power in months:
        contract = universe.contracts[universe.keys[key]]
        counted = 1.0
        if contract.windows is not None and key.basis == "HOUR":
            counted = float(np.diff(contract.windows, axis=1).sum()) / 3600
        elif contract.windows is not None and key.basis == "DAY":
            counted = float(len(contract.windows))
        calendar = universe.markets[key.market_id].calendar
        first, last = calendar.date_of(key.start), calendar.date_of(key.end - _INSTANT)
        row = OptionletRow(key, 0, 1.0, _pays_on(universe, key), 1.0)
        right = OptionletKey(
            OptionletKind.AVERAGE, one.sign, one.strike, key.end, False, first, last + _DAY,
            one.unit, (row,),
        )  # fmt: skip
        placed.append(universe.optionlet(right))
        lines.append(universe.line(one.trade_id, one.currency))
        quantities.append(power * counted)
    trades = tuple(one.trade_id for one, *_ in months)
    periods = tuple(_period(one, key) for one, key, _ in months)
    return HeldOptions(trades, tuple(lines), tuple(placed), tuple(quantities), periods)


@dataclass(frozen=True, eq=False)
class BoundFacts:
    """
    What the bounds of a universe are valued on by a cut, by position; as `OptionFacts`.
    """

    bounds: Bounds
    market: BoundMarket
    models: tuple[PricingModel | None, ...]
    reasons: Mapping[int, str]
    inputs: dict[str, Any]


def bound_facts(
    universe: Universe, state: MarketState, *, as_of: datetime, known_at: datetime
) -> BoundFacts:
    """
    Return models, volatilities and rates that a cut knew, for the bounds of a universe.

    A bound uses its market's model of options on a forward. A month has one volatility: that of
    the shortest quoted contract which covers it, read for its last day at strike over the mean of
    its open intervals. The number of queries depends on markets and currencies.
    """
    import numpy as np

    from trading.valuation import BoundMarket

    bounds, keys = _arrays(universe), list(universe.bounds)
    count = len(keys)
    market = BoundMarket(
        formula=np.full(count, "", dtype="<U16"), displacement=np.zeros(count),
        volatility=np.full(count, np.nan), rate=np.full(count, np.nan),
        known=np.ones(count, dtype=np.bool_),
    )  # fmt: skip
    looked = _Lookup(universe, as_of, known_at)
    for position, key in enumerate(keys):
        looked.fill(position, key, market, state, int(bounds.payment[position]))
    for position in looked.reasons:
        market.known[position] = False
    return BoundFacts(bounds, market, tuple(looked.models), looked.reasons, looked.told())


def _arrays(universe: Universe) -> Bounds:
    import numpy as np

    from trading.valuation import Bounds, seconds

    keys = list(universe.bounds)
    starts = {
        paid: seconds(universe.markets[paid[0]].calendar.day(paid[1]).start)
        for paid in {(key.contract.market_id, key.pays_on) for key in keys}
    }
    return Bounds(
        contract=np.array([universe.keys[key.contract] for key in keys], dtype=np.int64),
        sign=np.array([key.sign for key in keys], dtype=np.float64),
        strike=np.array([key.strike for key in keys], dtype=np.float64),
        payment=np.array(
            [starts[key.contract.market_id, key.pays_on] for key in keys], dtype=np.int64
        ),
    )


class _Lookup:
    """Fill the market of bounds one by one, and keep why one cannot be valued."""

    def __init__(self, universe: Universe, as_of: datetime, known_at: datetime) -> None:
        self.universe, self.as_of = universe, as_of
        self.approved = models_at(known_at)
        self.quoted = Quoted(universe, as_of=as_of, known_at=known_at)
        self.models: list[PricingModel | None] = []
        self.reasons: dict[int, str] = {}
        self._used: dict[int, PricingModel] = {}

    def told(self) -> dict[str, Any]:
        models = [
            [m.pk, m.name, m.number, str(m.formula), str(m.displacement.normalize()),
             str(m.discounting), m.vol_source]
            for m in self._used.values()
        ]  # fmt: skip
        return {"models": sorted(models), **self.quoted.told()}

    def fill(
        self, position: int, key: BoundKey, market: BoundMarket, state: MarketState, paid: int
    ) -> None:
        """Look one bound up: its model, the rate to its payment, its volatility."""
        import numpy as np

        code = self.universe.markets[key.contract.market_id].code
        is_open = key.contract.end.timestamp() - 60 * key.contract.minutes > state.at
        model = self.approved.get(model_key(OptionletKind.VANILLA.value, code))
        self.models.append(model)
        if model is not None:
            self._used[model.pk] = model
            market.formula[position] = str(model.formula)
            market.displacement[position] = float(model.displacement)
        elif is_open:
            self.reasons[position] = (
                f"{code}: no pricing model for options on a forward is approved, which floors and"
                f" caps need; propose one under {_PAGE}."
            )
            return
        if model is not None and model.discounting == Discounting.NONE:
            market.rate[position] = 0.0
        else:
            market.rate[position] = self.quoted.rates(
                key.contract.currency, [key.pays_on], np.array([paid], dtype=np.int64), state.at
            )[0]
            if paid > state.at and np.isnan(market.rate[position]):
                self.reasons[position] = (
                    f"{key.contract.currency}: no interest rate is quoted, so payments cannot be"
                    " discounted; import rates."
                )
                return
        if model is not None and is_open:
            self._volatility(position, key, market, state, model)

    def _volatility(
        self, position: int, key: BoundKey, market: BoundMarket, state: MarketState,
        model: PricingModel,
    ) -> None:  # fmt: skip
        import numpy as np

        prices = _open_prices(self.universe, key.contract, state)
        if np.isnan(prices).any():
            return  # the market's own findings name what has no price
        market_id = key.contract.market_id
        listed = self.universe.markets[market_id]
        calendar, code = listed.calendar, listed.code
        is_normal = model.formula == PricingFormula.BACHELIER
        kind = VolKind("NORMAL" if is_normal else "LOGNORMAL")
        if not is_normal:
            shift = float(model.displacement)
            for name, price in (("lowest price", float(prices.min())), ("strike", key.strike)):
                if price + shift <= 0:
                    self.reasons[position] = (
                        f"{code}: the {name} of {price:.2f} is no price for"
                        f" {model.get_formula_display()}; choose Bachelier or a larger"
                        f" displacement under {_PAGE}."
                    )
                    return
        first = calendar.date_of(key.contract.start)
        last = calendar.date_of(key.contract.end - _INSTANT)
        try:
            surface, contract = self.quoted.contract(
                market_id, kind, model.vol_source, first, last + _DAY
            )
        except NotQuoted as error:
            self.reasons[position] = str(error)
            return
        node = 1.0
        if not is_flat(surface, contract):
            mean = float(prices.mean())
            if not mean > 0:
                self.reasons[position] = (
                    f"{code} {contract}: the mean of {mean:.2f} has no strike over forward to read"
                    " a volatility at; quote one for all strikes."
                )
                return
            node = key.strike / mean
        expiry = self.quoted.expiry(market_id, surface, key.contract.end)
        market.volatility[position] = surface.vol(contract, expiry, node)


def _open_prices(universe: Universe, key: ContractKey, state: MarketState) -> Any:
    """Return the prices of the intervals that have not begun."""
    import numpy as np

    position = universe.keys[key]
    curve = state.fine.get(position)
    if curve is None:
        return state.marks[position : position + 1]
    starts = int(key.start.timestamp()) + 60 * key.minutes * np.arange(curve.size)
    return curve[starts > state.at]
