"""Take wrong quotes back: rows of their own, so that what was known before stays known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..models import WITHDRAWN, Market, Quote
from ..queries.quotes import BASE
from .quotes import QuoteRefused, known_loads, lock_quotes

_LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class WrongQuote:
    """
    A quote of a source, by what it speaks of.

    load     code of a shape of the market
    value    the price it had when it was looked at; another one by now is not withdrawn
    """

    contract: str
    valid_from: datetime
    value: Decimal
    load: str = BASE


def withdraw_quote(*, actor: Actor, quote_id: int, reason: str) -> Quote:
    """
    Take a wrong quote back: from now on no curve is built from it; what was built before stays.

    A later quote of the same source and instant stands again.

    :raises QuoteRefused: without a reason, for an unknown quote, or one that was corrected or
        withdrawn since.
    """
    actor.require("trading.import_prices")
    _check_reason(reason)
    with transaction.atomic():
        row = Quote.objects.select_related("market").filter(pk=quote_id).first()
        if row is None:
            raise QuoteRefused("quote: there is none of that number.")
        recorded_at = lock_quotes(row.market_id)
        key = row.valid_from, row.contract, row.load_type
        if _latest(row.market, row.source, [key]).get(key) != row or row.quality == WITHDRAWN:
            raise QuoteRefused(
                f"quote: {row.contract} was corrected or withdrawn since; look again."
            )
        return _take_back(actor, row, recorded_at, reason)


def withdraw_quotes(
    *, actor: Actor, market: Market, source: str, wrong: Sequence[WrongQuote], reason: str
) -> int:
    """
    Take wrong quotes of a source back, all or none, and return how many stood until now.

    One that is withdrawn already at the same price stays so and is not counted.

    :raises QuoteRefused: as `withdraw_quote`; also for a price that is not the one that stands,
        or a quote that is named twice.
    :raises CalendarError: if a contract's code names no delivery period.
    """
    from ..curves import contract_interval  # with NumPy: for whoever books quotes

    actor.require("trading.import_prices")
    _check_reason(reason)
    deliveries = [contract_interval(each.contract, market.calendar) for each in wrong]
    loads = known_loads(market, {each.load for each in wrong}, deliveries)
    by_key = {(each.valid_from, each.contract, loads[each.load]): each for each in wrong}
    if len(by_key) < len(wrong):
        raise QuoteRefused("contract: a quote is there twice.")
    with transaction.atomic():
        recorded_at = lock_quotes(market.pk)
        latest = _latest(market, source, list(by_key))
        standing = []
        for key, each in by_key.items():
            row = latest.get(key)
            if row is None:
                raise QuoteRefused(
                    f"contract: {source} quoted no {each.contract} {each.load} at"
                    f" {each.valid_from.isoformat()}."
                )
            if row.value != each.value:
                raise QuoteRefused(
                    f"value: {each.contract} {each.load} of {source} is"
                    f" {row.value.normalize():f} by now, not {each.value.normalize():f}."
                )
            if row.quality != WITHDRAWN:
                standing.append(row)
        for row in standing:
            _take_back(actor, row, recorded_at, reason)
    return len(standing)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise QuoteRefused("reason: say what is wrong with it.")
    if len(reason) > _LONGEST_REASON:
        raise QuoteRefused(f"reason: it is longer than {_LONGEST_REASON} characters.")


def _latest(
    market: Market, source: str, keys: Sequence[tuple[datetime, str, str]]
) -> dict[tuple[datetime, str, str], Quote]:
    """Return a source's latest word on quotes, withdrawals too, in one query."""
    rows = (
        Quote.objects.filter(
            market=market,
            source=source,
            valid_from__in={valid_from for valid_from, _, _ in keys},
            contract__in={contract for _, contract, _ in keys},
        )
        .select_related("market")
        .order_by("valid_from", "contract", "load_type", "-recorded_at", "-id")
        .distinct("valid_from", "contract", "load_type")
    )
    return {(row.valid_from, row.contract, row.load_type): row for row in rows}


def _take_back(actor: Actor, row: Quote, recorded_at: datetime, reason: str) -> Quote:
    withdrawal = Quote.objects.create(
        market=row.market,
        contract=row.contract,
        load_type=row.load_type,
        delivery_start=row.delivery_start,
        delivery_end=row.delivery_end,
        value=row.value,
        bid=row.bid,
        ask=row.ask,
        valid_from=row.valid_from,
        recorded_at=recorded_at,
        source=row.source,
        quality=WITHDRAWN,
        actor_id=actor.id,
    )
    record_event(
        type="quote.withdrawn",
        actor=actor,
        aggregate_type="market",
        aggregate_id=row.market.code,
        organization_id=None,
        payload={
            "market": row.market.code,
            "quote": row.pk,
            "contract": row.contract,
            "load": row.load_type,
            "source": row.source,
            "value": f"{row.value.normalize():f}",
            "valid_from": row.valid_from.isoformat(),
            "reason": reason.strip(),
        },
    )
    return withdrawal
