"""From terms to a proposal that checks can judge, and the preview that a ticket shows."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError
from trading.checks import CheckResult, Outcome, Proposal, run_checks, run_checks_of_many
from trading.deals import (
    Deal,
    DealError,
    DeliveryArea,
    Fee,
    Fixed,
    Floating,
    Option,
    ProductKind,
    Totals,
    check_bound,
    check_option,
    deal_totals,
    deltas,
)
from trading.models import Counterparty, Market, PriceIndex, Trade

from .areas import delivery_areas
from .books import BookRow, book_for, book_path
from .exchange import Rates

__all__ = [
    "Answers",
    "Preview",
    "TradeInvalid",
    "UnknownCounterparty",
    "delivery_areas",
    "preview",
    "previews",
    "propose",
]


class TradeInvalid(ValueError):
    """A field of the deal breaks a rule; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(f"{field}: {message}")


class UnknownCounterparty(LookupError):
    """There is no such counterparty in the book's organization."""


Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Answers:
    """What proposals ask of the tables, each question once: for many proposals at a time."""

    kept: dict[Hashable, object] = field(default_factory=dict)

    def to(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return what `ask` says, or said when the question was put before; refusals too."""
        if question not in self.kept:
            try:
                self.kept[question] = ask()
            except (LookupError, TradeInvalid) as refusal:
                self.kept[question] = refusal
        found = self.kept[question]
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[return-value]  # a question has answers of one type


@dataclass(frozen=True, slots=True)
class Preview:
    """What a deal would be and do, before it is booked."""

    totals: Totals
    results: tuple[CheckResult, ...]

    @property
    def is_stopped(self) -> bool:
        return any(r.outcome is Outcome.HARD for r in self.results)

    @property
    def needs_reason(self) -> bool:
        return any(r.outcome is Outcome.SOFT for r in self.results)


def propose(
    *,
    actor: Actor,
    deal: Deal,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    received_at: datetime,
    client_reference: str = "",
    trade_id: int | None = None,
    level: str = "trade",
    is_fact: bool = False,
    answers: Answers | None = None,
) -> Proposal:
    """
    Join a deal with the book and counterparty that the actor may use.

    trade_id    of the trade whose new terms these are, None for a new trade
    level       of the grant on the book that the actor needs
    is_fact     of what has happened: its delivery may have begun, and its currency have no rate
    answers     shared by proposals of one transaction, so that the tables are asked once

    :raises UnknownBook: if the actor may not trade in the book.
    :raises UnknownCounterparty: if the book's organization has no such active counterparty.
    :raises TradeInvalid: naming the field: a market or index that is none here, a currency that
        is not the market's or has no rate to the book's, a trade of the future, a delivery that
        had begun before the trade, an option that could not be valued or decided here.
    """
    known = answers or Answers()
    book = known.to(("book", book_id, level), lambda: book_for(actor, book_id, level=level))
    markets = _markets(deal, known)
    currency = _currency(deal, markets)
    rates = known.to(("rates", received_at), lambda: Rates(received_at))
    rate = _rate(deal, currency, book, rates, is_fact=is_fact)
    _check_indices(deal, known)
    if not known.to(
        ("counterparty", counterparty_id, book.organization_id),
        lambda: Counterparty.objects.filter(
            pk=counterparty_id, organization_id=book.organization_id, is_active=True
        ).exists(),
    ):
        raise UnknownCounterparty("counterparty: there is no such counterparty for this book.")
    if traded_at.utcoffset() is None:
        raise TradeInvalid("traded_at", "needs a UTC offset.")
    if traded_at > received_at:
        raise TradeInvalid("traded_at", "lies in the future.")
    _check_options(deal)
    try:
        begins_too_early = deal.schedule.interval.start <= traded_at
        found = deltas(deal)
    except (CalendarError, DealError) as error:
        raise TradeInvalid(getattr(error, "field", "period"), str(error)) from error
    if begins_too_early and not is_fact:
        raise TradeInvalid("period", "delivery had begun before the trade.")
    return Proposal(
        organization_id=book.organization_id,
        book_id=book.id,
        book_path=known.to(("path", book.id), lambda: book_path(book.id)),
        counterparty_id=counterparty_id,
        market_id=markets[deal.schedule.area.code].pk,
        market_ids={code: market.pk for code, market in markets.items()},
        deal=deal,
        deltas=found,
        currency=currency,
        traded_at=traded_at,
        trader=_trader(actor, trade_id),
        received_at=received_at,
        client_reference=client_reference,
        trade_id=trade_id,
        reporting_currency=book.reporting_currency,
        rate=rate,
    )


def _trader(actor: Actor, trade_id: int | None) -> str:
    """Return who dealt: who captures a new trade, whoever changes it later."""
    if trade_id is None:
        return actor.id
    return Trade.objects.values_list("trader", flat=True).get(pk=trade_id)


def _markets(deal: Deal, known: Answers) -> dict[str, Market]:
    areas: dict[str, DeliveryArea] = {}
    for leg in deal.legs:
        if not isinstance(leg, Fee):
            areas[leg.schedule.area.code] = leg.schedule.area
    for floating in deal.floating_legs:
        areas.setdefault(floating.index.area.code, floating.index.area)
    found = known.to(
        ("markets", frozenset(areas)),
        lambda: {row.code: row for row in Market.objects.filter(code__in=areas)},
    )
    for code, area in areas.items():
        market = found.get(code)
        if market is None or market.calendar != area.calendar:
            raise TradeInvalid("area", f"{code} is no market here.")
        if market.price_unit != area.price_unit:
            raise TradeInvalid("price_unit", f"{code} is priced per {market.price_unit} here.")
    return found


def _currency(deal: Deal, markets: Mapping[str, Market]) -> str:
    """Return the one currency of the deal's legs, which is that of its markets."""
    held = {leg.currency for leg in deal.legs if isinstance(leg, (Fixed, Floating, Option))}
    home = markets[deal.schedule.area.code]
    for currency in sorted(held):
        market = next((m for m in markets.values() if m.currency != currency), None)
        if market is not None:
            raise TradeInvalid(
                "currency",
                f"{currency}: {market.code} is priced in {market.currency}. A deal is in the"
                " currency of its markets; hedge the exchange rate apart from it.",
            )
    return home.currency


def _rate(
    deal: Deal, currency: str, book: BookRow, rates: Rates, *, is_fact: bool
) -> Decimal | None:
    """
    Return the spot from the deal's currency to the book's.

    :raises TradeInvalid: naming the pair, for money of an order that the book could not add up.
    """
    paid = {
        "currency": {currency},
        "premium_currency": {leg.premium_currency for leg in deal.options if leg.premium},
        "fee_currency": {fee.currency for fee in deal.fees},
    }
    for field_, currencies in paid.items():
        for one in sorted(currencies):
            if not is_fact and rates.of(one, book.reporting_currency) is None:
                raise TradeInvalid(
                    field_,
                    f"book {book.code} reports in {book.reporting_currency}, and no exchange rate"
                    f" {one}/{book.reporting_currency} is known at"
                    f" {rates.as_of:%Y-%m-%d %H:%M} UTC; enter it under exchange rates.",
                )
    return rates.of(currency, book.reporting_currency)


def _check_options(deal: Deal) -> None:
    check = check_bound if deal.kind is ProductKind.PPA else check_option
    for leg in deal.options:
        try:
            check(leg)
        except DealError as error:
            raise TradeInvalid(error.field, error.rule) from error


def _check_indices(deal: Deal, known: Answers) -> None:
    codes = {leg.index.code for leg in deal.floating_legs if deal.kind is not ProductKind.FUTURE}
    codes |= {index.code for leg in deal.choices for index in leg.underlying}
    if not codes:
        return
    active = known.to(
        ("indices", frozenset(codes)),
        lambda: set(
            PriceIndex.objects.filter(code__in=codes, is_active=True).values_list("code", flat=True)
        ),
    )
    for code in sorted(codes - active):
        raise TradeInvalid("index", f"{code} is no index here.")


def preview(proposal: Proposal) -> Preview:
    """Return hours, energy and notional of a proposal and what the checks say of it now."""
    return Preview(deal_totals(proposal.deal), run_checks(proposal))


def previews(proposals: Sequence[Proposal]) -> list[Preview]:
    """Return what `preview` says of each new deal if those before it were booked; asked at once."""
    if len(proposals) == 1:
        return [preview(proposals[0])]
    answers = run_checks_of_many(proposals)
    return [
        Preview(proposal.totals, results)
        for proposal, results in zip(proposals, answers, strict=True)
    ]
