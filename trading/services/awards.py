"""Book what an auction has awarded: the door through which market adapters bring awards in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals import Deal, DealError, DeliveryArea, PriceIndex, Profile, profile_forward
from trading.queries.proposals import TradeInvalid

from .capture import Receipt, book_fill

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class AuctionAward:
    """
    Hold what one auction awarded one portfolio.

    mic         ISO 10383 code of the exchange
    auction_id  its number of the auction and the portfolio in it; with the MIC, unique
    index       the price that the auction publishes: each market time unit settles at it (a
                uniform-price auction; one that pays as bid needs a price an interval, which no
                deal holds)
    period      the delivery days in the area's calendar
    minutes     the market time unit: 15, 30 or 60
    signed_mw   one for each market time unit of the period, in order: bought +, sold −, 0 where
                nothing was awarded
    """

    mic: str
    auction_id: str
    area: DeliveryArea
    index: PriceIndex
    period: DatePeriod
    minutes: int
    signed_mw: Sequence[Decimal]

    def deals(self) -> tuple[Deal, ...]:
        """
        Return the bought part and the sold part, each if there is one.

        :raises DealError: naming the field; for volumes that are not one a market time unit too.
        """
        parts = {
            Side.BUY: [max(mw, _NOTHING) for mw in self.signed_mw],
            Side.SELL: [max(-mw, _NOTHING) for mw in self.signed_mw],
        }
        return tuple(
            profile_forward(
                side=side, area=self.area, period=self.period, index=self.index,
                profile=Profile.of_mw(self.minutes, volumes),
            )
            for side, volumes in parts.items()
            if any(volumes)
        )  # fmt: skip


def book_award(
    *,
    actor: Actor,
    award: AuctionAward,
    book_id: UUID,
    counterparty_id: UUID,
    awarded_at: datetime,
    received_at: datetime,
    tags: Sequence[str] = (),
) -> tuple[Receipt, ...]:
    """
    Book an award as executed facts: what was bought and what was sold, both or neither.

    The same award again is the same trades; an award of zeros books nothing.

    counterparty_id     who clears the exchange's trades

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownBook, UnknownCounterparty: for what the actor cannot use.
    :raises TradeInvalid: naming the field and the rule; nothing is booked.
    :raises ReferenceReused: if the auction's number stands for another award.
    """
    actor.require("trading.book_fill")
    if not award.auction_id.strip():
        raise TradeInvalid("auction_id", "an award needs its number at the exchange.")
    try:
        deals = award.deals()
    except DealError as error:
        raise TradeInvalid(error.field, error.rule) from error
    with transaction.atomic():
        return tuple(
            book_fill(
                actor=actor, deal=deal, book_id=book_id, counterparty_id=counterparty_id,
                traded_at=awarded_at, received_at=received_at, tags=tags, source=award.mic,
                external_id=f"{award.auction_id}:{deal.side.value}",
            )
            for deal in deals
        )  # fmt: skip
