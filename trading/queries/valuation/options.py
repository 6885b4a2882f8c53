"""Options that are held, as rights on the contracts that positions share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.money import Money
from trading.deals import (
    DealError,
    Delta,
    ExerciseDate,
    Option,
    Optionlet,
    OptionletKind,
    OptionStyle,
    option_periods,
    optionlets,
)
from trading.models import (
    Market,
    OptionOutcome,
    TradeVersion,
)

from ..deals import deals_of
from .contracts import ContractKey, Universe

if TYPE_CHECKING:
    from trading.valuation import OptionHoldings

# Trade, number of the leg, start of the delivery: what is decided once.
Period = tuple[int, int, datetime]


@dataclass(frozen=True, slots=True)
class OptionletRow:
    """
    A month that a right stands on; `weight` is its share of its side's volume.

    factor      turns the contract's price into one per the right's unit
    """

    contract: ContractKey
    side: int
    weight: float
    pays_on: date
    factor: float


@dataclass(frozen=True, slots=True)
class OptionletKey:
    """
    What tells rights apart; `first` to `after` are the delivery days of the underlying.

    unit        of strike and quantity
    second      first and after of what a spread subtracts, if it is another delivery
    """

    kind: OptionletKind
    sign: int
    strike: float
    expires_at: datetime
    delivers: bool
    first: date
    after: date
    unit: str
    rows: tuple[OptionletRow, ...]
    style: OptionStyle = OptionStyle.EUROPEAN
    physical: bool = False
    exercises: tuple[ExerciseDate, ...] = ()
    second: tuple[date, date] | None = None

    def delivery(self, side: int) -> tuple[date, date]:
        """Return the first delivery day of a side, and the day after its last."""
        if side == 1 and self.second is not None:
            return self.second
        return self.first, self.after

    def words(self) -> bytes:
        """Return the key in one form, times in UTC."""
        own = [self.kind.value, self.sign, repr(self.strike),
               self.expires_at.astimezone(UTC).isoformat(), self.delivers]  # fmt: skip
        if self.style is not OptionStyle.EUROPEAN:
            own += [self.style.value, self.physical]
            own += [f"{one.at.astimezone(UTC).isoformat()} {one.pays_on}" for one in self.exercises]
        if self.second is not None:
            own += ["second", *map(str, self.second)]
        text = "|".join(map(str, own)).encode()
        for row in self.rows:
            text += f"|{row.side} {row.weight!r} {row.pays_on} {row.factor!r} ".encode()
            text += f"{self.unit} ".encode() + row.contract.words()
        return text + b"\n"


@dataclass(frozen=True, eq=False)
class HeldOptions:
    """
    What trades hold of rights; indices are the universe's, ascending by trade.

    trade, line, optionlet      of each holding
    quantity    in the price unit, held +, written −
    period      of each, what an outcome would be of
    refused     by trade: why an option leg of it is no right that has a formula
    cash        ours by line, paid −: premiums, and `paid`
    paid        ours by line, received +: what decisions paid
    decided     the periods that were exercised, fixed or lapsed
    """

    trade: tuple[int, ...]
    line: tuple[int, ...]
    optionlet: tuple[int, ...]
    quantity: tuple[float, ...]
    period: tuple[Period, ...]
    refused: Mapping[int, str] = field(default_factory=dict)
    cash: Mapping[int, Decimal] = field(default_factory=dict)
    paid: Mapping[int, Decimal] = field(default_factory=dict)
    decided: frozenset[Period] = frozenset()

    def holdings(self, lines: int) -> OptionHoldings:
        """Return the arrays, for as many lines as the universe has in the end."""
        import numpy as np

        from trading.valuation import OptionHoldings

        return OptionHoldings(
            lines, np.array(self.line, dtype=np.int64), np.array(self.optionlet, dtype=np.int64),
            np.array(self.quantity, dtype=np.float64),
        )  # fmt: skip

    def plus(self, other: HeldOptions) -> HeldOptions:
        """Return the holdings of both, those of the other last; cash adds up."""
        cash, paid = (
            {
                line: one.get(line, Decimal(0)) + two.get(line, Decimal(0))
                for line in dict.fromkeys((*one, *two))
            }
            for one, two in ((self.cash, other.cash), (self.paid, other.paid))
        )
        return replace(
            self, trade=self.trade + other.trade, line=self.line + other.line,
            optionlet=self.optionlet + other.optionlet, quantity=self.quantity + other.quantity,
            period=self.period + other.period, refused={**self.refused, **other.refused},
            cash=cash, paid=paid, decided=self.decided | other.decided,
        )  # fmt: skip

    def without(self, trades: Container[int]) -> HeldOptions:
        """Return the holdings of all other trades."""
        return self._of([n for n, trade_id in enumerate(self.trade) if trade_id not in trades])

    def undecided(self, decided: Container[Period]) -> HeldOptions:
        """Return the holdings of all other periods."""
        return self._of([n for n, period in enumerate(self.period) if period not in decided])

    def _of(self, kept: Sequence[int]) -> HeldOptions:
        trade, line, optionlet = (
            tuple(row[n] for n in kept) for row in (self.trade, self.line, self.optionlet)
        )
        return replace(
            self, trade=trade, line=line, optionlet=optionlet,
            quantity=tuple(self.quantity[n] for n in kept),
            period=tuple(self.period[n] for n in kept),
        )  # fmt: skip

    def words(self, universe: Universe) -> bytes:
        """Return the holdings in one form."""
        keys = list(universe.optionlets)
        rows = zip(self.trade, self.optionlet, self.quantity, strict=True)
        return b"".join(
            f"option {trade} {quantity!r} ".encode() + keys[at].words()
            for trade, at, quantity in rows
        )


NO_OPTIONS = HeldOptions((), (), (), (), ())


def held_options(
    universe: Universe, terms: Mapping[int, int], *, ended: Container[int], as_of: datetime,
    known_at: datetime,
) -> HeldOptions:  # fmt: skip
    """
    Add the rights of option trades to the universe, and return what is held of them.

    What was exercised, fixed or lapsed by then is a right no more; what it paid is our cash.

    terms       trade by the version whose terms hold, of trades that are options
    ended       trades that were terminated: their premium was paid, and no right is left
    """
    if not terms:
        return NO_OPTIONS
    decided = decided_periods(list(terms.values()), as_of=as_of, known_at=known_at)
    rows = TradeVersion.objects.filter(pk__in=list(terms)).select_related("trade")
    versions = sorted(rows, key=lambda version: terms[version.pk])
    legs = [
        (terms[version.pk], number, leg)
        for version, deal in zip(versions, deals_of(versions), strict=True)
        for number, leg in enumerate(deal.legs, start=1)
        if isinstance(leg, Option)
    ]
    return held_legs(universe, legs, decided, ended)


def decided_periods(
    trade_ids: Sequence[int], *, as_of: datetime, known_at: datetime
) -> dict[Period, Money]:
    """Return what each period paid us that was exercised, fixed or lapsed; one query."""
    over = OptionOutcome.objects.filter(
        trade_id__in=trade_ids, recorded_at__lte=known_at, decided_at__lte=as_of
    ).order_by("trade_id", "leg", "start")
    return {(row.trade_id, row.leg, row.start): Money(row.cash, row.currency) for row in over}


def exercise_results(book_ids: Sequence[UUID], *, after: datetime, known_at: datetime) -> set[int]:
    """Return the trades that exercises recorded after a cut, and by another, have made."""
    made = OptionOutcome.objects.filter(
        trade__book_id__in=book_ids, recorded_at__gt=after, recorded_at__lte=known_at,
        result__isnull=False,
    )  # fmt: skip
    return set(made.values_list("result_id", flat=True))


def held_legs(
    universe: Universe,
    legs: Sequence[tuple[int, int, Option]],
    decided: Mapping[Period, Money] | None = None,
    ended: Container[int] = (),
) -> HeldOptions:
    """
    Add the rights of option legs to the universe, and return what trades hold of them.

    legs        (trade, number, leg)
    decided     what each period paid that is a right no more
    ended       trades with no right left
    """
    refused: dict[int, str] = {}
    cash: dict[int, Decimal] = defaultdict(Decimal)
    paid: dict[int, Decimal] = defaultdict(Decimal)
    pieces: list[tuple[Period, int, Optionlet]] = []
    over = decided or {}
    touched = {key[:2] for key in over}
    for (trade_id, *_), money in over.items():
        paid[universe.line(trade_id, money.currency)] += money.amount
    for trade_id, number, leg in legs:
        line = universe.line(trade_id, leg.currency)
        if leg.premium:
            money = leg.premium_cash
            cash[universe.line(trade_id, money.currency)] += money.amount
        if trade_id in ended or (
            (trade_id, number) in touched
            and all((trade_id, number, one.interval.start) in over for one in option_periods(leg))
        ):
            continue
        try:
            found = [((trade_id, number, piece.start), line, piece) for piece in optionlets(leg)]
        except (CalendarError, DealError) as error:
            refused[trade_id] = str(error)
        else:
            pieces += [row for row in found if row[0] not in over]
    for line, amount in paid.items():
        cash[line] += amount
    codes = {part.delta.market for *_, piece in pieces for part in piece.parts}
    ids = dict(Market.objects.filter(code__in=codes).values_list("code", "id")) if codes else {}
    contracts = [
        [_contract(part.delta, ids[part.delta.market]) for part in piece.parts]
        for *_, piece in pieces
    ]
    universe.add_contracts(dict.fromkeys(key for keys in contracts for key in keys))
    universe.exposed |= {universe.keys[key] for keys in contracts for key in keys}
    placed = [
        universe.optionlet(_key(piece, keys))
        for (*_, piece), keys in zip(pieces, contracts, strict=True)
    ]
    return HeldOptions(
        tuple(period[0] for period, *_ in pieces), tuple(line for _, line, _ in pieces),
        tuple(placed), tuple(float(piece.quantity) for *_, piece in pieces),
        tuple(period for period, *_ in pieces), refused, dict(cash), dict(paid), frozenset(over),
    )  # fmt: skip


def _contract(delta: Delta, market_id: int) -> ContractKey:
    return ContractKey(
        market_id, delta.currency, delta.basis.value, delta.unit, delta.shape,
        delta.shape_version, delta.month, delta.interval.start, delta.interval.end,
    )  # fmt: skip


def _key(piece: Optionlet, contracts: Sequence[ContractKey]) -> OptionletKey:
    totals: dict[int, Any] = defaultdict(int)
    for part in piece.parts:
        totals[part.side] += part.amount
    second = piece.second_delivery
    return OptionletKey(
        piece.kind, piece.sign, float(piece.strike), piece.expires_at, piece.delivers,
        piece.delivery.first, piece.delivery.after, piece.unit,
        tuple(
            OptionletRow(
                key, part.side, float(part.amount / totals[part.side]), part.pays_on,
                float(piece.factors[part.side]),
            )
            for part, key in zip(piece.parts, contracts, strict=True)
        ),
        piece.style, piece.physical, piece.exercises,
        None if second is None else (second.first, second.after),
    )  # fmt: skip
