"""The heat map of positions over 100,000 trades: every length of column, now and as of before."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse

from .desk_of_trades import BenchDesk, fill_desk
from .measured_requests import Request, record_requests, requested
from .runner import Bench, benchmark

LENGTHS = ("hour", "day", "month", "quarter", "year")
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
        for by, key in (
            ("hour", "2027-03-01.9"), ("day", "2027-03-01"), ("month", "2027-03-01"),
            ("quarter", "2027-01-01"), ("year", "2027-01-01"),
        ):  # fmt: skip
            for market in ("DE", "FR"):
                address = reverse("trading:position_cell", args=[market, key])
                yield requested(client, address, {"by": by, "as_of": as_of}, f"{market} {by} {key}")
