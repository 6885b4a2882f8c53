"""
A desk of 100,000 trades: some hundred captured and changed by the services, the rest their copies.

What is measured is reading them; `tests/trading/test_many_trades.py` proves their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db import connection, transaction
from django.test import Client
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, User
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.money import Side
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import (
    RECEIVED_AT,
    TRADED_AT,
    make_book,
    make_counterparty,
    make_market,
)
from trading.deals import Deal, DeliveryArea, Profile, parse_deal_text, profile_forward
from trading.models import (
    Book,
    CaptureBasis,
    Commodity,
    Counterparty,
    PriceIndex,
    Trade,
    TradeVersion,
)
from trading.queries.areas import delivery_areas, price_indices
from trading.services.capture import save_draft
from trading.services.capture_many import NewDeal, weigh_deals, write_deals
from trading.services.lifecycle import amend_trade, cancel_trade
from trading.services.maturity import mature_trades

from .copied_trades import copy_trades

TRADES = 100_000
BOOKS, COUNTERPARTIES = 12, 40
MARKETS = ("DE", "FR", "NL", "AT", "BE", "CH")
SHAPES = ("base", "base", "peak", "offpeak")
PERIODS = (
    "Dec26", "Jan27", "Feb27", "Mar27", "Q1-27", "Q2-27", "Jul27", "Cal27", "Q4-27", "Oct27",
    "Jan28", "Mar28", "Q1-28", "Jul28", "Cal28", "Oct28", "Q3-28", "May29", "Q4-29", "Cal29",
)  # fmt: skip
ORIGINALS, WAITING, DRAFTS = 150, 8, 5
ORIGINALS_BOOK = "BENCH-ORIGINAL"
EMAIL = "bench-desk@example.org"
MONTHS_AGO = timedelta(days=210)


@dataclass(frozen=True)
class BenchDesk:
    """A trader with grants on all books, and when the first, half and all versions were there."""

    user: User
    books: list[Book]
    first: datetime
    halfway: datetime
    latest: datetime

    def client(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client


def fill_desk(trades: int = TRADES) -> BenchDesk:
    """Write the desk, once a database; its trader reaches all books by a grant on the first."""
    user = User.objects.filter(email=EMAIL).first()
    if user is None:
        user = _fill(trades)
    books = Book.objects.filter(code__startswith="BENCH").order_by("code")
    books = [book for book in books if book.code != ORIGINALS_BOOK]
    times = TradeVersion.objects.filter(book__in=books).order_by("recorded_at")
    count, at = times.count(), times.values_list("recorded_at", flat=True)
    return BenchDesk(user, books, at[0], at[count // 2], at[count - 1])


def _fill(trades: int) -> User:
    organization = make_organization("Bench desk")
    books = [make_book(organization, "BENCH-00")]
    books += [make_book(organization, f"BENCH-{n:02d}", books[0]) for n in range(1, BOOKS)]
    original_book = make_book(organization, ORIGINALS_BOOK, books[0])
    parties = [make_counterparty(organization, f"CP{n:02d}") for n in range(COUNTERPARTIES)]
    for code in MARKETS:
        PriceIndex.objects.create(
            code=f"{code}-SPOT", name=code, market=make_market(code), currency="EUR",
            price_unit="MWh", frequency="PERIOD", publication_time="12:57", source="bench",
        )  # fmt: skip
    _gas_and_carbon()
    user = make_user(Role.TRADER, organization=organization, email=EMAIL)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, books[0])
    there_are = _originals(organization, Actor.for_user(user), original_book, parties[0])
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        first = cursor.fetchone()[0] - MONTHS_AGO
    copy_trades(
        original_book=original_book.pk, books=[book.pk for book in books],
        parties=[party.pk for party in parties], count=trades - there_are, first=first,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return user


def _gas_and_carbon() -> None:
    for code, kind, delivery, unit in (
        ("GAS", "GAS", "FLOW", "MW"), ("EUA", "CARBON", "LOT", "tCO2"),
    ):  # fmt: skip
        Commodity.objects.get_or_create(
            code=code,
            defaults={"name": code, "kind": kind, "delivery": delivery, "quantity_unit": unit},
        )
    make_market(
        "TTF", time_zone="Europe/Amsterdam", day_start=timedelta(hours=6),
        commodity=Commodity.objects.get(code="GAS"),
    )  # fmt: skip
    make_market(
        "EUA", price_unit="tCO2", kind="REGISTRY", commodity=Commodity.objects.get(code="EUA")
    )


def _originals(organization: Organization, trader: Actor, book: Book, party: Counterparty) -> int:
    """Capture and change trades by the services; return how many there are then."""
    areas = delivery_areas()
    indices = price_indices(areas)

    def read(words: str) -> Deal:
        return parse_deal_text(words, areas=areas, indices=indices, traded_at=TRADED_AT).deal

    deals = [read(_words(n, more=0)) for n in range(ORIGINALS)]
    waiting, drafts = deals[:WAITING], deals[WAITING : WAITING + DRAFTS]
    usual = [*deals[WAITING + DRAFTS :], *(_profile(side, areas["DE"]) for side in Side)]
    # At the threshold of nothing every order waits for a second person.
    Book.objects.filter(pk=book.pk).update(four_eyes_from=Decimal(0))
    _capture(trader, waiting, book, party)
    Book.objects.filter(pk=book.pk).update(four_eyes_from=None)
    for deal in drafts:
        save_draft(
            actor=trader, deal=deal, book_id=book.pk, counterparty_id=party.pk,
            traded_at=TRADED_AT, received_at=RECEIVED_AT,
        )  # fmt: skip
    refs = _capture(trader, usual, book, party)
    for n, ref in enumerate(refs[:-2], start=WAITING + DRAFTS):
        if n % 5 == 1:
            amend_trade(
                actor=trader, ref=ref, expected_version=1, deal=read(_words(n, more=1)),
                received_at=RECEIVED_AT, reason="the client asked",
            )  # fmt: skip
        if n % 11 == 3:
            cancel_trade(
                actor=trader, ref=ref, expected_version=1 + (n % 5 == 1),
                received_at=RECEIVED_AT, reason="typed twice",
            )  # fmt: skip
    mature_trades(actor=Actor.system("bench"), as_of=RECEIVED_AT + timedelta(days=45))
    return Trade.objects.filter(organization=organization).count()


def _capture(trader: Actor, deals: Sequence[Deal], book: Book, party: Counterparty) -> list[str]:
    several = [
        NewDeal(deal, CaptureBasis.ORDER, book.pk, party.pk, TRADED_AT, reason="by phone")
        for deal in deals
    ]
    with transaction.atomic():
        weighed = weigh_deals(actor=trader, deals=several, received_at=RECEIVED_AT)
        return [receipt.ref for receipt in write_deals(actor=trader, weighed=weighed)]


def _words(n: int, *, more: int) -> str:
    """Return a deal as a trader writes it; `more` makes it larger and dearer."""
    side, period = "BS"[n * 7 % 13 > 6], PERIODS[n * 3 % len(PERIODS)]
    size, price = 1 + n % 4 + more, Decimal(6000 + n * 37 % 900 + 125 * more) / 100
    market, shape = MARKETS[n // 2 % len(MARKETS)], SHAPES[n % len(SHAPES)]
    if n % 17 == 16:
        return f"{side} {240 * size}MWh/d TTF {period} @ {price / 2}"
    if n % 29 == 28:
        return f"{side} {size}lots EUA 2027-12-13 @ {price}"
    if n % 9 == 8:
        return f"{side} {size}lots {market} {shape} {period} @ {price} fut:XEEE acct:HOUSE"
    words = f"{side} {size}MW {market} {shape} {period} @ {price}"
    return f"{words} swap:{market}-SPOT" if n % 6 == 5 else words


def _profile(side: Side, area: DeliveryArea) -> Deal:
    """Return a month of hours that are each another."""
    period = DatePeriod.months(2027, 3)
    hours = int(Calendar("Europe/Berlin").span(period).hours)
    power = np.arange(hours, dtype=np.int64) % 24 * 1_000_000
    return profile_forward(
        side=side, area=area, period=period, profile=Profile(60, power), price=Decimal("81.5")
    )
