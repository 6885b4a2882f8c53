"""The blotter over 100,000 trades: every sort and filter it offers, first, middle and last page."""

import re
from collections.abc import Iterator
from html import unescape

from django.db.models import F
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.foundation.tables import keyset
from energyopti.foundation.tables.pages import heads_of
from trading.models import BlotterRow
from trading.queries.blotter import blotter_rows
from trading.web.blotter import BlotterTable

from .desk_of_trades import BenchDesk, fill_desk
from .measured_requests import Request, record_requests, requested
from .runner import Bench, benchmark

FILTERS: tuple[dict[str, str], ...] = (
    {}, {"status": "LIVE"}, {"status": "CANCELLED"}, {"kind": "SWAP"}, {"market": "FR"},
    {"book_code": "BENCH-05"}, {"counterparty": "CP07"}, {"side": "SELL"}, {"load_type": "peak"},
    {"period": "Mar28"}, {"tag": "hedge"}, {"trader": "Trader 7"}, {"ref": "0999"},
    {"delivers_after": "2028-03-01", "delivers_before": "2028-03-31"},
    {"counterparty": "CP07", "market": "FR", "tag": "nobody"},
)  # fmt: skip


@benchmark("blotter")
def blotter(bench: Bench) -> None:
    """Measure whole answers of the server, template included, against the budget."""
    desk = fill_desk()
    for what, past in (("now", False), ("as of the middle of its life", True)):
        asked = list(pages(desk, past=past))
        record_requests(bench, f"a page of the blotter {what}", asked)
        # A page that reaches the rows which miss what it is sorted by reads twice.
        counts = {one.queries for one in asked}
        assert max(counts) - min(counts) <= 1, counts


def pages(desk: BenchDesk, *, past: bool) -> Iterator[Request]:
    """Ask for every filter in three sorts and every sort in both directions, at three places."""
    client, address = desk.client(), reverse("trading:trades")
    always = {"as_of": desk.halfway.isoformat()} if past else {}
    requested(client, address, {**always, "side": "BUY"})  # templates are compiled
    paths = heads_of(BlotterTable)[1]
    names = list(paths)
    for number, chosen in enumerate(FILTERS):
        for sort in ("", f"-{names[number % len(names)]}", names[-1 - number % len(names)]):
            query = {**always, **chosen, "sort": sort} if sort else {**always, **chosen, "x": "1"}
            first = requested(client, address, query)
            yield first
            following = re.search(rb'href="[^"]*[?&;]after=([^"&]+)"', first.content)
            if following is not None:
                yield requested(
                    client, address, {**query, "after": unescape(following[1].decode())}
                )
    for number, name in enumerate(names):
        for sort in (name, f"-{name}") if not past else ("-" * (number % 2) + name,):
            for place, cursor in places(desk, paths[name], sort, past=past):
                asked = {**always, "sort": sort, **cursor}
                yield requested(client, address, asked, f"{place} page by {sort}")


def places(
    desk: BenchDesk, paths: list[str], sort: str, *, past: bool
) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the parameters of the first, the middle and the last page of a sort."""
    down = sort.startswith("-")
    terms = keyset.sort_terms(
        BlotterRow, [f"-{path}" if down != path.startswith("-") else path for path in paths]
    )
    names = [f"_key{number}" for number in range(len(terms))]
    rows = blotter_rows(Actor.for_user(desk.user), cut=desk.halfway if past else None)
    count = rows.count()
    keyed = rows.annotate(
        **{name: F(term.path) for name, term in zip(names, terms, strict=True)}
    ).order_by(*(keyset._ordering(name, t, False) for name, t in zip(names, terms, strict=True)))
    yield "first", {"x": "1"}
    yield "middle", {"after": keyset._encode(keyed[count // 2], names)}
    yield "last", {"after": keyset._encode(keyed[count - 30], names)}
