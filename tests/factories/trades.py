"""Desks that can deal: a market with quotes and a curve, a book with a trader, a counterparty."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    Deal,
    parse_deal_text,
)
from trading.models import Book, Commodity, Counterparty, Market
from trading.services.capture import Receipt, book_fill, capture_order

from .accounts import make_organization, make_user

TRADED_AT = datetime(2026, 11, 20, 18, tzinfo=UTC)
RECEIVED_AT = datetime(2026, 11, 20, 18, 0, 5, tzinfo=UTC)
LEI = "529900T8BM49AURSDO55"


def make_power() -> Commodity:
    return Commodity.objects.get_or_create(
        code="POWER",
        defaults={"name": "Power", "kind": "POWER", "delivery": "FLOW", "quantity_unit": "MW"},
    )[0]


def make_market(code: str = "DE", **fields: Any) -> Market:
    return Market.objects.get_or_create(
        code=code,
        defaults={
            "name": code,
            "commodity": make_power(),
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            **fields,
        },
    )[0]


def make_book(organization: Organization, code: str = "EU", parent: Book | None = None) -> Book:
    return Book.objects.create(
        organization=organization, code=code, name=f"{code} power", parent=parent
    )


def make_counterparty(organization: Organization, code: str = "ACME") -> Counterparty:
    return Counterparty.objects.create(organization=organization, code=code, name=f"{code} SE")


@dataclass
class Desk:
    """One organization with a book, a counterparty, and people who may use them."""

    organization: Organization
    book: Book
    counterparty: Counterparty
    trader: Actor
    officer: Actor
    market: Market

    def again(self, actor: Actor) -> Actor:
        """The same person in a new request: an actor remembers what it may see."""
        return Actor.for_user(actor.user)

    def deal(self, words: str = "B 10MW DE base Cal27 @ 85.20", **changes: Any) -> Receipt:
        """Capture an order by the trader; a reason is given for soft findings."""
        verb = book_fill if changes.pop("fill", False) else changes.pop("verb", capture_order)
        arguments = {
            "actor": self.trader,
            "deal": deal_of_words(words),
            "book_id": self.book.pk,
            "counterparty_id": self.counterparty.pk,
            "traded_at": TRADED_AT,
            "received_at": RECEIVED_AT,
            "reason": "agreed on the phone",
        }
        return verb(**{**arguments, **changes})


def make_desk(name: str = "") -> Desk:
    organization = make_organization(name)
    book = make_book(organization)
    trader = make_user(Role.TRADER, organization=organization)
    officer = make_user(Role.RISK_OFFICER, organization=organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", trader, book)
    return Desk(
        organization=organization,
        book=book,
        counterparty=make_counterparty(organization),
        trader=Actor.for_user(trader),
        officer=Actor.for_user(officer),
        market=make_market(),
    )


def deal_of_words(text: str) -> Deal:
    return parse_deal_text(
        text, areas=REFERENCE_MARKETS, indices=REFERENCE_INDICES, traded_at=TRADED_AT
    ).deal


def simple_deal(mw: str, price: str) -> Deal:
    side, size = ("S", mw[1:]) if mw.startswith("-") else ("B", mw)
    return deal_of_words(f"{side} {Decimal(size)}MW DE base Cal27 @ {price}")


DAY = date(2026, 11, 20)
