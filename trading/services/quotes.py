"""Book forward quotes: each day's prices once, a changed one as a new version."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval

from ..models import Market, QuoteQuality
from ..queries.load_shapes import shapes_of_market
from ..queries.quotes import BASE

_TOO_LARGE = Decimal(10) ** 12

_STAGE = """
CREATE TEMPORARY TABLE incoming_quote (
    contract varchar(16) NOT NULL, load_type varchar(16) NOT NULL,
    delivery_start timestamptz NOT NULL, delivery_end timestamptz NOT NULL,
    value numeric(18, 6) NOT NULL, bid numeric(18, 6), ask numeric(18, 6),
    valid_from timestamptz NOT NULL
)
"""
_INSERT = """
WITH latest AS (
    SELECT DISTINCT ON (valid_from, contract, load_type)
           valid_from, contract, load_type, value, bid, ask, quality
    FROM trading_quote
    WHERE market_id = %(market)s AND source = %(source)s
      AND valid_from >= %(first)s AND valid_from <= %(latest)s
    ORDER BY valid_from, contract, load_type, recorded_at DESC, id DESC
), booked AS (
    INSERT INTO trading_quote (market_id, contract, load_type, delivery_start, delivery_end, value,
                               bid, ask, valid_from, recorded_at, source, quality, actor_id)
    SELECT %(market)s, incoming.contract, incoming.load_type, delivery_start, delivery_end,
           incoming.value, incoming.bid, incoming.ask, valid_from, %(recorded_at)s, %(source)s,
           %(quality)s, %(actor)s
    FROM incoming_quote incoming LEFT JOIN latest USING (valid_from, contract, load_type)
    WHERE (latest.value, latest.bid, latest.ask, latest.quality)
          IS DISTINCT FROM (incoming.value, incoming.bid, incoming.ask, %(quality)s)
    ORDER BY valid_from, delivery_start, delivery_end, load_type
    RETURNING valid_from, contract, load_type
)
SELECT count(*), count(latest.contract)
FROM booked LEFT JOIN latest USING (valid_from, contract, load_type)
"""


class QuoteRefused(ValueError):
    """A quote cannot be booked; names the contract and the rule."""


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """
    A quote to book: the contract's code, its price and the instant it speaks of.

    load        code of a shape of the market
    bid, ask    the band around the price, None where it is not known
    """

    contract: str
    value: Decimal
    valid_from: datetime
    load: str = BASE
    bid: Decimal | None = None
    ask: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QuotesBooked:
    """How many quotes were read, new, and corrections of known ones."""

    read: int
    new: int
    corrected: int


def book_quotes(
    *,
    actor: Actor,
    market: Market,
    drafts: Sequence[QuoteDraft],
    source: str,
    quality: QuoteQuality,
) -> QuotesBooked:
    """
    Book quotes of a market; what is known already is not booked again, a changed one is a
    correction of the source's own.

    :raises QuoteRefused: naming the field: if there is none, a price is not finite or outside its
        band, a load is none of the market's shapes, or a contract is there twice at an instant.
    :raises CalendarError: if a contract's code names no delivery period.
    """
    from ..curves import contract_interval  # with NumPy: for whoever books quotes

    actor.require("trading.import_prices")
    if not drafts:
        raise QuoteRefused("drafts: there is no quote to book.")
    deliveries = {
        code: contract_interval(code, market.calendar) for code in {d.contract for d in drafts}
    }
    loads = known_loads(market, {d.load for d in drafts}, deliveries.values())
    seen: set[tuple[datetime, str, str]] = set()
    for draft in drafts:
        check_draft(draft)
        key = (draft.valid_from, draft.contract, loads[draft.load])
        if key in seen:
            raise QuoteRefused(
                f"contract: {draft.contract} {draft.load} is there twice at"
                f" {draft.valid_from.isoformat()}."
            )
        seen.add(key)
    first = min(draft.valid_from for draft in drafts)
    latest = max(draft.valid_from for draft in drafts)
    with transaction.atomic(), connection.cursor() as cursor:
        recorded_at = lock_quotes(market.pk)
        cursor.execute(_STAGE)
        with cursor.copy("COPY incoming_quote FROM STDIN") as copy:
            for draft in drafts:
                delivery = deliveries[draft.contract]
                copy.write_row(
                    (
                        draft.contract,
                        loads[draft.load],
                        delivery.start,
                        delivery.end,
                        draft.value,
                        draft.bid,
                        draft.ask,
                        draft.valid_from,
                    )
                )
        cursor.execute(
            _INSERT,
            {
                "market": market.pk,
                "source": source,
                "quality": quality,
                "first": first,
                "latest": latest,
                "recorded_at": recorded_at,
                "actor": actor.id,
            },
        )
        booked, corrected = cursor.fetchone()
        cursor.execute("DROP TABLE incoming_quote")
        if booked:
            record_event(
                type="quotes.booked",
                actor=actor,
                aggregate_type="market",
                aggregate_id=market.code,
                organization_id=None,
                payload={
                    "market": market.code,
                    "source": source,
                    "first_valid_from": first.isoformat(),
                    "latest_valid_from": latest.isoformat(),
                    "new": booked - corrected,
                    "corrected": corrected,
                },
            )
    return QuotesBooked(len(drafts), booked - corrected, corrected)


def lock_quotes(market_id: int) -> datetime:
    """
    Wait for whoever books quotes of a market, and return the time by the database's clock.

    All quotes recorded up to that time are then visible, and later ones are stamped later: it is
    a cut that always shows the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trading_quote'), %s)", [market_id])
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def known_loads(
    market: Market, codes: Collection[str], deliveries: Iterable[Interval]
) -> dict[str, str]:
    """
    Return the codes of loads as they are stored: a shape of all hours is base.

    :raises QuoteRefused: for a load that is none of the market's shapes.
    """
    found = {BASE: BASE}
    if others := set(codes) - {BASE}:
        first = min(delivery.start for delivery in deliveries)
        shapes = shapes_of_market(market, on=market.calendar.date_of(first))
        for code in sorted(others):
            if code not in shapes:
                known = ", ".join(sorted({BASE, *shapes}))
                raise QuoteRefused(f"load: {market.code} has no {code}; it has {known}.")
            found[code] = BASE if shapes[code].is_all_hours else code
    return found


def check_draft(draft: QuoteDraft) -> None:
    """
    Refuse a price that is none, or lies outside its band; zero and negative are prices.

    :raises QuoteRefused: naming the field.
    """
    for field in ("value", "bid", "ask"):
        value: Decimal | None = getattr(draft, field)
        if value is None:
            continue
        if not value.is_finite():
            raise QuoteRefused(f"{field}: {draft.contract} is {value}, not a finite price.")
        if abs(value) >= _TOO_LARGE or value != round(value, 6):
            raise QuoteRefused(
                f"{field}: {draft.contract} is {value}; at most 12 digits before and 6 after the"
                " point are kept."
            )
    if draft.bid is not None and draft.bid > draft.value:
        raise QuoteRefused(f"bid: {draft.contract} is {draft.bid}, above its price {draft.value}.")
    if draft.ask is not None and draft.ask < draft.value:
        raise QuoteRefused(f"ask: {draft.contract} is {draft.ask}, below its price {draft.value}.")
