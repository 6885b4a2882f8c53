"""What the page of a trade shows: its legs in words, two versions compared, its fixed cash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation.money import Rounding, minor_unit, round_exact
from trading import deals
from trading.deals import Deal
from trading.models import Fee, FeePurpose, TradeVersion

from .books import book_ids
from .deals import deal_of
from .summaries import terms_json
from .trades import trade_rows

WAITING_SHOWN = 200
SIBLINGS_SHOWN = 60
# MW is a rate by itself; what else a quantity is per, in words.
_PER = {" per HOUR": "", " per DAY": " a day", " per MONTH": " a month", " per TOTAL": " in all"}
# What the schedule's number is of a contract with choices.
_SIZES = {
    deals.StructureKind.SWING: "Most in a day",
    deals.StructureKind.STORAGE: "Withdrawal rate",
    deals.StructureKind.TOLLING: "Most output",
    deals.StructureKind.BATTERY_TOLLING: "Power",
    deals.StructureKind.TRANSMISSION_RIGHT: "Capacity",
}
_WORDS = {"product_kind": "Product", "mic": "Exchange", "energy_mwh": "Energy, MWh"}


@dataclass(frozen=True)
class Difference:
    """One line of two versions side by side."""

    label: str
    before: str
    after: str

    @property
    def is_change(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class CashMonth:
    """
    What is paid or received for a delivery month at fixed prices.

    volume      in `unit`, what the fixed price is per
    amount      our cash, received +, rounded half up once
    """

    month: date
    volume: Decimal
    unit: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class CashFlows:
    """
    The fixed amounts of a trade.

    totals      by currency, exact over the months and rounded once
    single      what is paid once: premiums and fees, as (what, amount, currency)
    """

    months: tuple[CashMonth, ...]
    totals: tuple[tuple[str, Decimal], ...]
    single: tuple[tuple[str, Decimal, str], ...]


def compare(before: TradeVersion, after: TradeVersion) -> list[Difference]:
    """Return two versions line by line, what one of them lacks as a dash."""
    left, right = dict(_facts(before)), dict(_facts(after))
    labels = [*left, *(label for label in right if label not in left)]
    return [Difference(label, left.get(label, "–"), right.get(label, "–")) for label in labels]


def compare_terms(before: Deal, after: Deal) -> list[Difference]:
    """Return in which terms two deals differ."""
    left, right = dict(_terms(before)), dict(_terms(after))
    labels = [*left, *(label for label in right if label not in left)]
    rows = [Difference(label, left.get(label, "–"), right.get(label, "–")) for label in labels]
    return [row for row in rows if row.is_change]


def _facts(version: TradeVersion) -> Iterator[tuple[str, str]]:
    yield "Version", str(version.version)
    yield "What", version.get_event_display()
    yield "Status", version.get_status_display()
    yield "By", version.captured_by_name or version.captured_by
    yield "Reason", version.reason or "–"
    yield from _terms(deal_of(version))


def _terms(deal: Deal) -> Iterator[tuple[str, str]]:
    for name, value in terms_json(deal).items():
        if name == "legs":
            for number, leg in enumerate(value, start=1):
                yield from _flat(f"Leg {number}", leg)
        elif value not in ("", None):
            yield _WORDS.get(name, name.replace("_", " ").capitalize()), str(value)


def _flat(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        label = f"{prefix} {name.replace('_', ' ')}"
        if isinstance(inner, Mapping):
            yield from _flat(label, inner)
        elif inner not in ("", None, []):
            shown = ", ".join(map(str, inner)) if isinstance(inner, list) else str(inner)
            for word, said in _PER.items():
                shown = shown.removesuffix(word) + (said if shown.endswith(word) else "")
            yield label, shown


def leg_rows(deal: Deal) -> list[dict[str, str]]:
    """Return each leg in words: which way, what, how much, at what."""
    return [_leg(leg) for leg in deal.legs]


def _leg(leg: deals.Leg) -> dict[str, str]:
    way = "We receive" if leg.direction is deals.Direction.RECEIVE else "We pay"
    if isinstance(leg, deals.Fee):
        per = {"FLAT": "", "PER_UNIT": " per unit", "PER_LOT": " per lot"}[leg.basis.value]
        return {
            "way": way, "what": f"{leg.kind.value.capitalize()} fee", "where": leg.payee or "–",
            "much": "–", "price": f"{_plain(leg.amount)} {leg.currency}{per}",
        }  # fmt: skip
    schedule = leg.schedule
    row = {"way": way, "where": schedule.area.code, "much": _volume(schedule), "price": "–"}
    if isinstance(leg, deals.Delivery):
        row["what"] = "Delivery"
        if leg.asset is not None:
            row["what"] = f"Delivery, as generated by {leg.asset.asset_id}"
            ours, whole = _plain(leg.asset.contracted_mw), _plain(leg.asset.installed_mw)
            row["price"] = f"{ours} of {whole} MW installed"
        elif leg.certificate is not None:
            named = [str(leg.certificate.vintage or ""), leg.certificate.registry]
            row["price"] = " ".join(word for word in named if word) or "–"
    elif isinstance(leg, deals.Fixed):
        row["what"] = "Fixed price"
        row["price"] = f"{_plain(leg.price)} {leg.currency}/{leg.per}"
    elif isinstance(leg, deals.Floating):
        row["what"] = "Index"
        factor = "" if leg.multiplier == 1 else f"{_plain(leg.multiplier)} × "
        spread = (
            f" {'+' if leg.spread > 0 else '−'} {_plain(abs(leg.spread))}" if leg.spread else ""
        )
        row["price"] = f"{factor}{leg.index.code}{spread} {leg.currency}"
    elif isinstance(leg, deals.Structure):
        held = "Our choices" if leg.direction is deals.Direction.RECEIVE else "Their choices"
        row["way"], row["what"] = held, structure_words(leg)
    else:
        held = "We hold" if leg.direction is deals.Direction.RECEIVE else "We have written"
        row["way"], row["what"] = held, _option_words(leg)
        strikes = " and ".join(_plain(strike) for strike in leg.strikes)
        row["price"] = f"Strike {strikes} {leg.currency}/{leg.schedule.amount_unit}"
    return row


def structure_words(leg: deals.Structure) -> str:
    """Return what a contract with choices is on, in words."""
    roles = [f"{role} {index.code}" for role, index in leg.by_role.items()]
    return f"{leg.kind.value.replace('_', ' ').capitalize()} on {', '.join(roles)}"


def structure_rows(leg: deals.Structure) -> list[tuple[str, str]]:
    """Return the terms of a contract with choices as label and value with its unit."""
    found = [(_SIZES[leg.kind], _volume(leg.schedule))]
    for name, term in deals.terms_of(leg.kind).items():
        value = getattr(leg.terms, name)
        unit = term.unit.format(currency=leg.currency, unit=leg.schedule.amount_unit)
        if isinstance(value, tuple):
            steps = (f"{_plain(level)} % full: {_plain(rate)} %" for level, rate in value)
            shown = ", ".join(steps)
            found.append((term.label, f"{shown} of the rate" if shown else "the full rate always"))
        elif isinstance(value, Decimal):
            found.append((term.label, f"{value.normalize():,f} {unit}".strip()))
        else:
            found.append((term.label, value.value.capitalize()))
    return found


def _option_words(leg: deals.Option) -> str:
    kind = leg.option_type.value.replace("_", " ").lower()
    on = spread_words(leg) if leg.is_spread else leg.underlying[0].code
    expiry = leg.expiry.astimezone(leg.schedule.area.calendar.zone)
    until = f"{expiry.day} {expiry:%b %Y %H:%M %Z}"
    return f"{leg.style.value.capitalize()} {kind} on {on}, until {until}"


def spread_words(leg: deals.Option) -> str:
    """Return what a spread is in words: EPEX-DE-DA − 1.8181 × TTF-DA (55.0 % efficient) − 3.2."""
    own, (first, second) = leg.schedule.area.price_unit, (index.code for index in leg.underlying)
    if leg.second_period is not None:
        first += f" {deals.period_name(leg.schedule.period)}"
        second += f" {deals.period_name(leg.second_period)}"
    counted = "" if leg.ratio_unit == own else f" {leg.ratio_unit}"
    if leg.exact_ratio != 1 or counted:
        second = f"{_plain(leg.ratio or Decimal(1))}{counted} × {second}"
    efficiency = deals.efficiency(leg)
    if efficiency is not None:
        second += f" ({float(100 * efficiency):.1f} % efficient)"
    return f"{first} − {second}" + (f" − {_plain(leg.cost)}" if leg.cost else "")


def _volume(schedule: deals.Schedule) -> str:
    volume = schedule.volume
    if isinstance(volume, deals.Profile):
        return f"{volume.micro_mw.size:,} intervals of {volume.minutes} min"
    per = {"HOUR": "", "DAY": " a day", "MONTH": " a month", "TOTAL": " in all"}
    lots = f" ({_plain(volume.lots)} lots)" if volume.lots is not None else ""
    shape = schedule.shape
    hours = f" {shape.code.lower()}" if schedule.area.commodity.flows else ""
    version = f" v{shape.version}" if shape.version > 1 else ""
    said = per[volume.frequency.value]
    return f"{_plain(volume.quantity)} {volume.unit}{said}{lots}{hours}{version}"


def cash_flows(
    version: TradeVersion, deal: Deal, metered: Sequence[deals.MeteredMonth] = ()
) -> CashFlows:
    """
    Return the amounts that were fixed, by delivery month; one query for fees of ending.

    metered     the months of a deal on an asset's output that its meter has spoken of
    """
    read = {month.part.month: month.total_mwh for month in metered}
    exact: dict[tuple[date, str, str], tuple[Fraction, Fraction]] = {}
    for leg in deal.fixed_legs:
        for part, amount in leg.schedule.month_amounts(leg.per):
            month = part.month
            key = (month, leg.per, leg.currency)
            volume, cash = exact.get(key, (Fraction(0), Fraction(0)))
            amount = read.get(month, amount)
            cash += leg.direction.sign * amount * Fraction(leg.price)
            exact[key] = (volume + amount, cash)
    sums: dict[str, Fraction] = {}
    for (_, _, currency), (_, cash) in exact.items():
        sums[currency] = sums.get(currency, Fraction(0)) + cash
    months = tuple(
        CashMonth(month, _decimal(volume), unit, _rounded(cash, currency), currency)
        for (month, unit, currency), (volume, cash) in sorted(exact.items())
    )
    single = [
        (f"{fee.kind.value.capitalize()} fee", deals.fee_cash(deal, fee)) for fee in deal.fees
    ]
    single += [("Premium", leg.premium_cash) for leg in deal.choices if leg.premium]
    ended = Fee.objects.filter(version__trade_id=version.trade_id, purpose=FeePurpose.TERMINATION)
    return CashFlows(
        months,
        tuple((currency, _rounded(cash, currency)) for currency, cash in sorted(sums.items())),
        (
            *((what, money.amount, money.currency) for what, money in single),
            *(
                ("Termination fee", -f.amount if f.direction == "PAY" else f.amount, f.currency)
                for f in ended
            ),
        ),
    )


def _rounded(cash: Fraction, currency: str) -> Decimal:
    return round_exact(cash, quantum=minor_unit(currency), rounding=Rounding.HALF_UP)


def _decimal(value: Fraction) -> Decimal:
    return round_exact(value, quantum=Decimal("0.000001"), rounding=Rounding.HALF_UP)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def waiting(actor: Actor) -> tuple[list[Any], list[Any], list[Any]]:
    """
    Return what waits in the actor's books, oldest first: trades for release, live ones with an
    amendment that waits, and drafts.

    At most `WAITING_SHOWN` of each.
    """
    rows = trade_rows(actor).order_by("trade_id")
    return (
        list(rows.filter(trade__status="PENDING")[:WAITING_SHOWN]),
        list(
            rows.filter(event="PROPOSE", trade__status="LIVE").select_related("proposed")[
                :WAITING_SHOWN
            ]
        ),
        list(rows.filter(trade__status="DRAFT")[:WAITING_SHOWN]),
    )


@dataclass(frozen=True)
class Siblings:
    """
    What was agreed together with a trade, as far as the reader's books hold it.

    mirror      the other side of an internal deal; None where the reader does not see its book
    package     the other trades of the package, by number, at most `SIBLINGS_SHOWN`
    more        how many further ones there are
    waiting     how many trades of the whole package wait for release, this one included
    """

    mirror: Any
    package: tuple[Any, ...]
    more: int
    waiting: int


def siblings(actor: Actor, trade: Any) -> Siblings:
    """Return a trade's siblings: no query for a trade by itself, one for all others."""
    if not trade.package_id:
        return Siblings(None, (), 0, 0)
    rows = trade_rows(actor).filter(
        trade__organization_id=trade.organization_id, trade__package_id=trade.package_id
    )
    found = list(rows.order_by("trade_id"))
    others = [row for row in found if row.trade_id not in (trade.pk, trade.mirror_id)]
    return Siblings(
        next((row for row in found if row.trade_id == trade.mirror_id), None),
        tuple(others[:SIBLINGS_SHOWN]),
        max(0, len(others) - SIBLINGS_SHOWN),
        sum(row.trade.status == "PENDING" for row in found),
    )


def package_waiting(actor: Actor, trade: Any) -> tuple[list[Any], dict[str, Decimal]]:
    """Return what of a trade's package waits in the actor's books, and its notional by currency."""
    rows = list(
        trade_rows(actor)
        .filter(
            trade__organization_id=trade.organization_id,
            trade__package_id=trade.package_id,
            trade__status="PENDING",
        )
        .order_by("trade_id")
    )
    totals: dict[str, Decimal] = {}
    for row in rows:
        if row.notional is not None:
            totals[row.currency] = totals.get(row.currency, Decimal(0)) + row.notional
    return rows, totals


def may_deal_in(actor: Actor, version: Any) -> bool:
    """Say whether the actor may deal in the book that a trade is in."""
    return version.trade.book_id in book_ids(actor, level="trade")


def chosen_versions(versions: Sequence[Any], wanted: Mapping[str, str]) -> tuple[Any, Any] | None:
    """
    Return the two versions to compare: those that are asked for, else the last two.

    versions    newest first
    """
    by_number = {str(v.version): v for v in versions}
    before, after = by_number.get(wanted.get("from", "")), by_number.get(wanted.get("to", ""))
    if before is not None and after is not None:
        return before, after
    return (versions[1], versions[0]) if len(versions) > 1 else None
