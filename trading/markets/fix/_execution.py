"""ExecutionReport (35=8) as a drop copy sends it: what was traded, cancelled or corrected."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from energyopti.foundation.money import Side
from trading.markets.fix._codec import Message, as_integer, as_number
from trading.markets.fix._errors import FixError, RejectReason

_EXEC_TYPES = frozenset("03456789ABCDEFGHI")
_ORDER_STATUSES = frozenset("0123456789ABCDE")
_SIDES = {"1": Side.BUY, "2": Side.SELL}
# Header and trailer, and what differs when the same report is sent again.
_TRANSPORT = frozenset({8, 9, 10, 34, 43, 49, 50, 52, 56, 57, 97, 115, 116, 122, 128, 129, 369})


class ExecKind(StrEnum):
    """What an ExecutionReport does to the book, by its ExecType (150)."""

    TRADE = "F"
    CORRECT = "G"
    CANCEL = "H"


@dataclass(frozen=True, slots=True)
class Party:
    """A party of the trade: PartyID (448) in its PartyRole (452)."""

    id: str
    role: int


@dataclass(frozen=True, slots=True)
class Charge:
    """
    What somebody charges for the execution.

    basis       "" flat, "UNIT" per unit of LastQty
    kind        BROKER or EXCHANGE
    """

    kind: str
    amount: Decimal
    currency: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What was traded, as the venue names it; empty where it does not say."""

    symbol: str
    security_id: str
    maturity: str
    maturity_date: str
    cfi: str


@dataclass(frozen=True, slots=True)
class LegReport:
    """
    One leg of a report of several (group 555).

    side        LegSide (624), None where it is not said
    quantity    LegQty (687), or LastQty (32) × LegRatioQty (623); None without either
    price       LegLastPx (637), None where it is not said
    """

    instrument: Instrument
    side: Side | None
    quantity: Decimal | None
    price: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Execution:
    """
    An execution, cancel or correction.

    refers_to       ExecID of the report that a cancel or correction is about, else empty
    price           LastPx (31) as quoted, any sign
    quantity        LastQty (32), > 0; of a cancel None where it is not said
    legs            of a report of several (555); none for one instrument
    remarks         what the report says and the book does not take
    """

    kind: ExecKind
    exec_id: str
    refers_to: str
    trade_date: date
    transacted_at: datetime
    order_id: str
    order_status: str
    side: Side
    quantity: Decimal | None
    price: Decimal | None
    currency: str
    venue_mic: str
    account: str
    instrument: Instrument
    parties: tuple[Party, ...]
    charges: tuple[Charge, ...]
    legs: tuple[LegReport, ...] = ()
    remarks: tuple[str, ...] = ()


def execution_kind(message: Message) -> ExecKind | None:
    """
    Return what a report does to the book; None for news of an order, which does nothing to it.

    :raises FixError: for an ExecType (150) or OrdStatus (39) that FIX 4.4 does not have.
    """
    exec_type, status = message.text(150), message.text(39)
    if exec_type not in _EXEC_TYPES:
        raise FixError(150, f"{exec_type!r} is no ExecType of FIX 4.4.")
    if status not in _ORDER_STATUSES:
        raise FixError(39, f"{status!r} is no OrdStatus of FIX 4.4.")
    try:
        return ExecKind(exec_type)
    except ValueError:
        return None


def read_execution(message: Message, *, zone: str) -> Execution:
    """
    Read a trade, cancel or correction.

    zone    in which the venue counts its days, where the report has no TradeDate (75)

    :raises FixError: naming the tag and the rule.
    """
    if message.fault is not None:
        raise message.fault
    kind = execution_kind(message)
    if kind is None:
        raise FixError(150, f"{message.get(150)!r} is no trade, cancel or correction.")
    transacted_at = message.timestamp(60)
    is_cancel = kind is ExecKind.CANCEL
    side = message.text(54)
    if side not in _SIDES:
        raise FixError(54, f"{side!r} is neither 1 (buy) nor 2 (sell).")
    quantity = message.number(32) if message.has(32) or not is_cancel else None
    if quantity is not None and quantity <= 0 and not is_cancel:
        raise FixError(32, f"{quantity} is not above 0.")
    charges, remarks = _charges(message)
    return Execution(
        kind=kind,
        exec_id=message.text(17),
        refers_to="" if kind is ExecKind.TRADE else message.text(19),
        trade_date=_trade_date(message, transacted_at, zone),
        transacted_at=transacted_at,
        order_id=message.optional(37),
        order_status=message.text(39),
        side=_SIDES[side],
        quantity=quantity,
        price=message.number(31) if message.has(31) or not is_cancel else None,
        currency=message.optional(15),
        venue_mic=message.optional(30),
        account=message.optional(1),
        instrument=Instrument(
            message.optional(55),
            message.optional(48),
            message.optional(200),
            message.optional(541),
            message.optional(461),
        ),
        parties=tuple(
            Party(_part(entry, 448), as_integer(452, _part(entry, 452)))
            for entry in message.group(453, (448, 447, 452))
        ),
        charges=charges,
        legs=_legs(message, quantity),
        remarks=remarks,
    )


def _legs(message: Message, quantity: Decimal | None) -> tuple[LegReport, ...]:
    return tuple(
        LegReport(
            instrument=Instrument(
                entry.get(600, ""), entry.get(602, ""), entry.get(610, ""), entry.get(611, ""),
                entry.get(608, ""),
            ),
            side=_SIDES.get(entry.get(624, "")),
            quantity=_leg_quantity(entry, quantity),
            price=as_number(637, entry[637]) if 637 in entry else None,
            currency=entry.get(556, ""),
        )
        for entry in message.group(555, (600, 602, 608, 610, 611, 556, 623, 624, 637, 687))
    )  # fmt: skip


def _leg_quantity(entry: dict[int, str], whole: Decimal | None) -> Decimal | None:
    if 687 in entry:
        return as_number(687, entry[687])
    if 623 in entry and whole is not None:
        return whole * as_number(623, entry[623])
    return None


def leg_executions(execution: Execution) -> tuple[Execution, ...]:
    """
    Return a report of several legs as one execution for each; charges stay with the first.

    :raises FixError: naming the field of the group that a deal needs and the report does not say.
    """
    found = []
    for number, leg in enumerate(execution.legs, start=1):
        for tag, said in ((624, leg.side), (687, leg.quantity), (637, leg.price)):
            if said is None:
                raise FixError(tag, f"of leg {number} is missing.")
        assert leg.side is not None and leg.quantity is not None
        if leg.quantity <= 0:
            raise FixError(687, f"of leg {number} is {leg.quantity}, not above 0.")
        found.append(
            replace(
                execution,
                instrument=leg.instrument,
                side=leg.side,
                quantity=leg.quantity,
                price=leg.price,
                currency=leg.currency or execution.currency,
                charges=_flat(execution) if number == 1 else (),
                legs=(),
            )
        )
    return tuple(found)


def _flat(execution: Execution) -> tuple[Charge, ...]:
    """Return charges per unit of the whole as amounts: a leg has another quantity."""
    whole = execution.quantity
    return tuple(
        charge
        if charge.basis != "UNIT" or whole is None
        else replace(charge, amount=charge.amount * whole, basis="")
        for charge in execution.charges
    )


def natural_key(message: Message, *, zone: str) -> tuple[str, date]:
    """
    Return what names a report at its venue: ExecID (17) and the day of the trade.

    :raises FixError: naming the tag.
    """
    return message.text(17), _trade_date(message, message.timestamp(60), zone)


def content_hash(message: Message) -> str:
    """Return the SHA-256 of what a report says, however often and by which way it is sent."""
    digest = hashlib.sha256()
    for tag, value in message.fields:
        if tag not in _TRANSPORT:
            digest.update(b"%d=%s\x01" % (tag, value))
    return digest.hexdigest()


def _part(entry: dict[int, str], tag: int) -> str:
    if tag not in entry:
        raise FixError(tag, "is missing in a group.", RejectReason.REQUIRED_TAG_MISSING)
    return entry[tag]


def _trade_date(message: Message, transacted_at: datetime, zone: str) -> date:
    if message.has(75):
        return message.day(75)
    return transacted_at.astimezone(ZoneInfo(zone)).date()


_COMMISSIONS = {"1": "UNIT", "3": ""}
_MISC_FEES = {"3": "BROKER", "4": "EXCHANGE", "12": "BROKER"}


def _charges(message: Message) -> tuple[tuple[Charge, ...], tuple[str, ...]]:
    charges, remarks = list[Charge](), list[str]()
    currency = message.optional(15)
    if message.has(12):
        amount, how = message.number(12), message.optional(13) or "3"
        if how not in _COMMISSIONS:
            remarks.append(f"Commission (12) of {amount} by CommType (13) {how} is not booked.")
        elif amount:
            charges.append(
                Charge("BROKER", amount, message.optional(479) or currency, _COMMISSIONS[how])
            )
    for entry in message.group(136, (137, 138, 139, 891)):
        amount, sort = as_number(137, _part(entry, 137)), _part(entry, 139)
        if sort not in _MISC_FEES or entry.get(891, "0") != "0":
            remarks.append(f"MiscFeeAmt (137) of {amount}, type {sort}, is not booked.")
        elif amount:
            charges.append(Charge(_MISC_FEES[sort], amount, entry.get(138) or currency))
    return tuple(charges), tuple(remarks)


_MATURITY = re.compile(r"([0-9]{4})([0-9]{2})(?:([0-9]{2})|w([1-5]))?")


def maturity_parts(instrument: Instrument) -> tuple[int, int, int | None]:
    """
    Return year, month and day (None if there is none) of MaturityMonthYear or MaturityDate.

    :raises FixError: naming the tag.
    """
    tag, value = (200, instrument.maturity) if instrument.maturity else (541, "")
    if not value:
        value = instrument.maturity_date
    match = _MATURITY.fullmatch(value)
    if match is None or match[4] or not 1 <= int(match[2]) <= 12:
        raise FixError(tag, f"{value!r} is no maturity YYYYMM or YYYYMMDD.")
    return int(match[1]), int(match[2]), int(match[3]) if match[3] else None
