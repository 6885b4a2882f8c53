"""From terms to a proposal that checks can judge, and the preview that a ticket shows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError
from trading.checks import CheckResult, Outcome, Proposal, run_checks
from trading.deals import (
    DealTotals,
    PowerArea,
    PowerForward,
    month_deliveries,
    power_area,
    totals,
)
from trading.models import Counterparty, Market

from .books import book_for, book_path


class TradeInvalid(ValueError):
    """A field of the deal breaks a rule; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")


class UnknownCounterparty(LookupError):
    """There is no such counterparty in the book's organization."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a deal would be and do, before it is booked."""

    totals: DealTotals
    results: tuple[CheckResult, ...]

    @property
    def is_stopped(self) -> bool:
        return any(r.outcome is Outcome.HARD for r in self.results)

    @property
    def needs_reason(self) -> bool:
        return any(r.outcome is Outcome.SOFT for r in self.results)


def delivery_areas() -> dict[str, PowerArea]:
    """Return the areas that deals can name: the markets, by code."""
    return {
        market.code: power_area(market.code, market.time_zone, market.currency)
        for market in Market.objects.order_by("code")
    }


def propose(
    *,
    actor: Actor,
    terms: PowerForward,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    client_reference: str = "",
) -> Proposal:
    """
    Join terms with the book and counterparty that the actor may use.

    :raises UnknownBook: if the actor may not trade in the book.
    :raises UnknownCounterparty: if the book's organization has no such active counterparty.
    :raises TradeInvalid: naming the field: a market or currency the book cannot hold, a trade of
        the future, a delivery that had begun before the trade.
    """
    book = book_for(actor, book_id, level="trade")
    market = Market.objects.filter(code=terms.area.code, time_zone=terms.area.zone_key).first()
    if market is None:
        raise TradeInvalid("area", f"{terms.area.code} is no market here.")
    if terms.currency != book.reporting_currency or terms.currency != market.currency:
        raise TradeInvalid(
            "currency",
            f"{terms.currency} meets book {book.code} in {book.reporting_currency} and market "
            f"{market.code} in {market.currency}; without an exchange-rate curve the three must "
            "be the same.",
        )
    if not Counterparty.objects.filter(
        pk=counterparty_id, organization_id=book.organization_id, is_active=True
    ).exists():
        raise UnknownCounterparty("counterparty: there is no such counterparty for this book.")
    if traded_at.utcoffset() is None:
        raise TradeInvalid("traded_at", "needs a UTC offset.")
    if traded_at > received_at:
        raise TradeInvalid("traded_at", "lies in the future.")
    try:
        begins_too_early = terms.interval.start <= traded_at
        deliveries = month_deliveries(terms)
    except CalendarError as error:
        raise TradeInvalid("period", str(error)) from error
    if begins_too_early:
        raise TradeInvalid("period", "delivery had begun before the trade.")
    return Proposal(
        organization_id=book.organization_id,
        book_id=book.id,
        book_path=book_path(book.id),
        counterparty_id=counterparty_id,
        market_id=market.pk,
        terms=terms,
        deliveries=deliveries,
        traded_at=traded_at,
        client_reference=client_reference,
    )


def preview(proposal: Proposal) -> Preview:
    """Return hours, energy and notional of a proposal and what the checks say of it now."""
    return Preview(totals(proposal.terms), run_checks(proposal))
