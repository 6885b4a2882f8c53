"""Positions over 100,000 trades: heat map and cells, hedges against targets, and their REST."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.urls import reverse

from energyopti.accounts.actors import Actor
from trading.hedging import HedgeTerms
from trading.models import HedgeTarget
from trading.services.hedging import set_hedge_targets

from .desk_of_trades import BenchDesk, fill_desk
from .measured_requests import Request, record_requests, requested
from .runner import Bench, benchmark

LENGTHS = ("hour", "day", "month", "quarter", "year")
PERIODS = (
    ("hour", "2027-03-01.9"), ("day", "2027-03-01"), ("month", "2027-03-01"),
    ("quarter", "2027-01-01"), ("year", "2027-01-01"),
)  # fmt: skip
DAYS = ("2027-03-01", "2028-01-15", "2027-10-31")


@benchmark("position_heat_map")
def position_heat_map(bench: Bench) -> None:
    """Measure whole answers of the server, template included, against the budget."""
    desk = fill_desk()
    week = timedelta(days=7)
    record_requests(bench, "a heat map now", maps(desk, ""))
    for what, moment in (
        ("a week ago", desk.latest - week),
        ("in the middle of its life", desk.halfway),
        ("in its first week", desk.first + week),
    ):
        record_requests(bench, f"a heat map as of {what}", maps(desk, moment.isoformat()))
    record_requests(bench, "the trades of a cell", cells(desk))


@benchmark("hedge_targets")
def hedge_targets(bench: Bench) -> None:
    """Measure the open volume of twelve books against targets, a year at once."""
    desk = fill_desk()
    aim_at(desk)
    record_requests(bench, "open volume against targets", hedges(desk))
    record_requests(bench, "the same by REST", hedges_by_rest(desk))


@benchmark("positions_by_rest")
def positions_by_rest(bench: Bench) -> None:
    """Measure pages of positions, of the trades behind a line, and of trades at a past moment."""
    desk = fill_desk()
    record_requests(bench, "a page of positions", lines(desk))
    record_requests(bench, "a page of the trades of a line", line_trades(desk))
    record_requests(bench, "a page of trades as of before", past_trades(desk))


def maps(desk: BenchDesk, as_of: str) -> Iterator[Request]:
    client, address = desk.client(), reverse("trading:positions_heat")
    for by in LENGTHS:
        for number, day in enumerate(DAYS):
            asked = {
                "by": by, "rows": ("book", "point")[number % 2], "as_of": as_of, "date": day,
                "measure": ("exposure", "physical")[number // 2],
            }  # fmt: skip
            requested(client, address, asked)  # the hours of its shapes are walked once a process
            yield requested(client, address, asked)


def cells(desk: BenchDesk) -> Iterator[Request]:
    client = desk.client()
    for as_of in ("", desk.halfway.isoformat()):
        for by, key in PERIODS:
            for market in ("DE", "FR"):
                address = reverse("trading:position_cell", args=[market, key])
                yield requested(client, address, {"by": by, "as_of": as_of}, f"{market} {by} {key}")


def aim_at(desk: BenchDesk) -> None:
    """Set a target in each month of three years for each third book and two markets."""
    if HedgeTarget.objects.exists():
        return
    terms = HedgeTerms(Decimal(50_000), Decimal(60), Decimal(10))
    for book in desk.books[::3]:
        for market in ("DE", "FR"):
            set_hedge_targets(
                actor=Actor.system("bench"), book_id=book.pk, market=market,
                first=date(2027, 1, 1), last=date(2029, 12, 1), terms=terms, expected_revision=0,
                reason="policy",
            )  # fmt: skip


def hedges(desk: BenchDesk) -> Iterator[Request]:
    client, address = desk.client(), reverse("trading:hedge_targets")
    for year in ("2027", "2028", "2029"):
        for asked in ({}, {"market": "DE"}, {"book": str(desk.books[3].pk)}):
            for as_of in ("", desk.halfway.isoformat()):
                asked = {"year": year, "as_of": as_of, **asked}
                requested(client, address, asked)
                yield requested(client, address, asked)


def hedges_by_rest(desk: BenchDesk) -> Iterator[Request]:
    client, address = desk.client(), reverse("api-hedge-positions")
    for year in (2027, 2028, 2029):
        for as_of in ("", desk.halfway.isoformat()):
            asked = {"from": f"{year}-01-01", "to": f"{year + 1}-01-01", "page_size": "500"}
            asked |= {"as_of": as_of} if as_of else {}
            requested(client, address, asked)
            yield requested(client, address, asked)


def lines(desk: BenchDesk) -> Iterator[Request]:
    client, address = desk.client(), reverse("api-positions")
    for granularity in LENGTHS:
        for first in DAYS:
            for as_of in ("", desk.halfway.isoformat()):
                asked = {"granularity": granularity, "from": first, "page_size": "500"}
                asked |= {"as_of": as_of} if as_of else {}
                requested(client, address, asked)
                yield requested(client, address, asked)


def line_trades(desk: BenchDesk) -> Iterator[Request]:
    client, address = desk.client(), reverse("api-position-trades")
    for as_of in ("", desk.halfway.isoformat()):
        for granularity, period in PERIODS:
            asked = {
                "book": desk.books[0].code, "delivery_point": "DE", "unit": "MWh",
                "granularity": granularity, "period": period,
            }  # fmt: skip
            yield requested(client, address, asked | ({"as_of": as_of} if as_of else {}))


def past_trades(desk: BenchDesk) -> Iterator[Request]:
    client, address = desk.client(), reverse("api-trades")
    for moment in (desk.latest - timedelta(days=7), desk.halfway, desk.first + timedelta(days=7)):
        for chosen in ({}, {"market": "DE"}, {"status": "CANCELLED"}, {"book": "BENCH-07"}):
            asked = {"as_of": moment.isoformat(), **chosen}
            answer = requested(client, address, asked)
            yield answer
            following = json.loads(answer.content)["next"]
            if following:
                yield requested(client, following, {}, f"the next of {asked}")
