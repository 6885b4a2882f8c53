"""Book forward quotes: each day's prices once, a changed one as a new version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..curves import contract_interval
from ..models import LoadType, Market, QuoteQuality

_STAGE = """
CREATE TEMPORARY TABLE incoming_quote (
    contract varchar(16) NOT NULL, delivery_start timestamptz NOT NULL,
    delivery_end timestamptz NOT NULL, value numeric(18, 6) NOT NULL,
    valid_from timestamptz NOT NULL
)
"""
_INSERT = """
WITH latest AS (
    SELECT DISTINCT ON (valid_from, contract) valid_from, contract, value
    FROM trading_quote
    WHERE market_id = %(market)s AND load_type = %(load_type)s AND source = %(source)s
      AND valid_from >= %(first)s AND valid_from <= %(latest)s
    ORDER BY valid_from, contract, recorded_at DESC, id DESC
), booked AS (
    INSERT INTO trading_quote (market_id, contract, load_type, delivery_start, delivery_end, value,
                               valid_from, recorded_at, source, quality)
    SELECT %(market)s, incoming.contract, %(load_type)s, delivery_start, delivery_end,
           incoming.value, valid_from, %(recorded_at)s, %(source)s, %(quality)s
    FROM incoming_quote incoming LEFT JOIN latest USING (valid_from, contract)
    WHERE latest.value IS DISTINCT FROM incoming.value
    ORDER BY valid_from, delivery_start, delivery_end
    RETURNING valid_from, contract
)
SELECT count(*), count(latest.contract) FROM booked LEFT JOIN latest USING (valid_from, contract)
"""


class QuoteRefused(ValueError):
    """A quote cannot be booked; names the contract and the rule."""


@dataclass(frozen=True, slots=True)
class QuoteDraft:
    """A quote to book: the contract's code, its price per MWh and the instant it speaks of."""

    contract: str
    value: Decimal
    valid_from: datetime


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
    Book base-load quotes of a market; what is known already is not booked again.

    :raises QuoteRefused: if there is none, one is not finite, or a contract is there twice a day.
    :raises CalendarError: if a contract's code names no delivery period.
    """
    actor.require("trading.import_prices")
    if not drafts:
        raise QuoteRefused("drafts: there is no quote to book.")
    seen: set[tuple[datetime, str]] = set()
    deliveries = {
        code: contract_interval(code, market.calendar) for code in {d.contract for d in drafts}
    }
    for draft in drafts:
        if not draft.value.is_finite():
            raise QuoteRefused(f"value: {draft.contract} is {draft.value}, not a finite price.")
        if (draft.valid_from, draft.contract) in seen:
            raise QuoteRefused(
                f"contract: {draft.contract} is there twice at {draft.valid_from.isoformat()}."
            )
        seen.add((draft.valid_from, draft.contract))
    first = min(draft.valid_from for draft in drafts)
    latest = max(draft.valid_from for draft in drafts)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trading_quote'), %s)", [market.pk])
        cursor.execute(_STAGE)
        with cursor.copy("COPY incoming_quote FROM STDIN") as copy:
            for draft in drafts:
                delivery = deliveries[draft.contract]
                copy.write_row(
                    (draft.contract, delivery.start, delivery.end, draft.value, draft.valid_from)
                )
        cursor.execute("SELECT clock_timestamp()")
        (recorded_at,) = cursor.fetchone()
        cursor.execute(
            _INSERT,
            {
                "market": market.pk,
                "load_type": LoadType.BASE,
                "source": source,
                "quality": quality,
                "first": first,
                "latest": latest,
                "recorded_at": recorded_at,
            },
        )
        booked, corrected = cursor.fetchone()
        cursor.execute("DROP TABLE incoming_quote")
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
