"""The blotter over 100,000 trades: every sort and filter it offers, at several places."""

import re
import time
from collections.abc import Iterator
from html import unescape

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from trading.web.blotter import BlotterPage

from .desk_of_trades import fill_desk
from .runner import Bench, benchmark

BUDGET_MS = 300
FILTERS: tuple[dict[str, str], ...] = (
    {}, {"status": "LIVE"}, {"status": "CANCELLED"}, {"kind": "SWAP"}, {"market": "FR"},
    {"book_code": "BENCH-05"}, {"counterparty": "CP07"}, {"side": "SELL"}, {"load_type": "peak"},
    {"period": "Mar28"}, {"tag": "hedge"}, {"trader": "Trader 7"}, {"ref": "0999"},
    {"delivers_after": "2028-03-01", "delivers_before": "2028-03-31"},
    {"counterparty": "CP07", "market": "FR", "tag": "nobody"},
)  # fmt: skip
PLACES = 2


@benchmark("blotter")
def blotter(bench: Bench) -> None:
    """Time whole answers of the server, template included, against the budget."""
    desk = fill_desk()
    client = desk.client()
    measure(bench, "now", client, {})
    measure(bench, "as of a past moment", client, {"as_of": "2026-09-20T17:00:00"})


def measure(bench: Bench, what: str, client: Client, always: dict[str, str]) -> None:
    address = reverse("trading:trades")
    client.get(address, always)  # templates are compiled
    times: list[tuple[float, str]] = []
    counts = set()
    for asked in requests(always):
        query = asked
        for place in range(PLACES):
            with CaptureQueriesContext(connection) as queries:
                started = time.perf_counter()
                answer = client.get(address, query)
                elapsed = 1000 * (time.perf_counter() - started)
            assert answer.status_code == 200, (query, answer.status_code)
            times.append((elapsed, f"{asked} page {place + 1}"))
            counts.add(len(queries))
            following = re.search(r'href="[^"]*[?&;]after=([^"&]+)"', answer.content.decode())
            if following is None:
                break
            query = {**asked, "after": unescape(following[1])}
    times.sort()
    for elapsed, name in times[-5:]:
        print(f"   {elapsed:6.0f} ms  {name}")
    print(
        f"   {len(times)} pages, p50 {times[len(times) // 2][0]:.0f} ms, queries {sorted(counts)}"
    )
    assert len(counts) <= 2, counts  # the first page has no cursor to look behind
    bench.record(
        f"a page of the blotter {what}, p95 of {len(times)}",
        value=times[int(0.95 * len(times))][0],
        unit="ms",
        reference="the budget",
        reference_value=BUDGET_MS,
        better="lower",
        target=1,
    )


def requests(always: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give every filter in two sorts, and every sort in both directions, alone and filtered."""
    columns = [c for c in BlotterPage.table_class([]).columns if c.orderable and c.order_by]
    for number, chosen in enumerate(FILTERS):
        yield {**always, **chosen}
        yield {**always, **chosen, "sort": f"-{columns[number % len(columns)].name}"}
    for column in columns:
        for sort in (column.name, f"-{column.name},price"):
            yield {**always, "sort": sort}
            yield {**always, "sort": sort, "counterparty": "CP07"}
