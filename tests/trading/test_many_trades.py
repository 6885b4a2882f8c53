"""A desk of many trades: what lists and the heat map read of it, how, and against brute force."""

import re
from collections import Counter, defaultdict
from datetime import date
from html import unescape

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from energyopti.foundation.intervals import Interval
from energyopti.foundation.money import Side
from energyopti.foundation.tables.keyset import keyset_page, sort_terms
from energyopti.foundation.tables.pages import heads_of
from tests.benchmarks.desk_of_trades import fill_desk
from trading.deals import Profile, deltas, shape_intervals
from trading.models import BlotterRow, Counterparty, Market, Stage, Trade, TradeVersion
from trading.models.blotter import SORTED
from trading.queries.blotter import blotter_rows
from trading.queries.deals import deal_of
from trading.queries.grid_columns import Bucket, columns_from
from trading.queries.position_grid import position_grid
from trading.queries.position_shares import CellShares
from trading.queries.positions import (
    difference,
    positions_by_deltas,
    positions_of,
    positions_of_trade,
    proposed_positions,
)
from trading.queries.summaries import terms_summary
from trading.services.life import HELD
from trading.web.blotter import BlotterTable

pytestmark = pytest.mark.django_db
TRADES = 1_500


@pytest.fixture(scope="module")
def desk(django_db_setup, django_db_blocker):
    """One desk for all tests of this module: each runs in a savepoint of its transaction."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield fill_desk(TRADES)
        transaction.set_rollback(True)


@pytest.fixture
def trader(desk):
    return Actor.for_user(desk.user)


@pytest.fixture(scope="module")
def versions(desk, django_db_blocker):
    """All versions of all trades, the first ones first."""
    with django_db_blocker.unblock():
        return list(TradeVersion.objects.select_related("market", "trade").order_by("version"))


@pytest.fixture(scope="module")
def schedules(versions, django_db_blocker):
    """What the deals in the German market deliver when, by version."""
    with django_db_blocker.unblock():
        return {
            version.pk: deal_of(version).schedule
            for version in versions
            if version.market.code == "DE" and version.status in HELD
        }


@pytest.fixture
def cuts(desk, versions):
    """Moments from the first version until the last."""
    times = sorted(version.recorded_at for version in versions)
    return [times[0], times[len(times) // 4], desk.halfway, times[-200], times[-1]]


def held_at(cut, versions):
    """Return the version of each trade that held at a moment, one by one."""
    return {v.trade_id: v for v in versions if v.recorded_at <= cut}


def test_copies_have_the_rows_that_capture_writes_for_their_terms(desk):
    market_ids = dict(Market.objects.values_list("code", "pk"))

    assert Trade.objects.count() == BlotterRow.objects.count() == TRADES
    statuses = Counter(Trade.objects.values_list("status", flat=True))
    assert set(statuses) >= {"LIVE", "PENDING", "DRAFT", "CANCELLED", "MATURED"}
    for book in desk.books:
        for stage in Stage:
            assert not difference(
                positions_of([book.pk], stage=stage), positions_by_deltas([book.pk], stage=stage)
            )
    newest = TradeVersion.objects.filter(trade__in=Trade.objects.order_by("-pk")[:150])
    for version in newest.select_related("trade"):
        deal = deal_of(version)
        for name, value in terms_summary(deal).items():
            assert getattr(version, name) == value, (version, name)
        if version.version == version.trade.latest_version:
            wanted = proposed_positions(deltas(deal), market_ids)
            held = positions_of_trade(version.trade_id)
            assert not difference(wanted if version.status in HELD else [], held), version


def test_each_sort_starts_in_an_index_and_sorts_no_list(desk, trader):
    paths = [path for several in heads_of(BlotterTable)[1].values() for path in several]
    assert set(paths) == {*SORTED, "trade_id"}
    slow = []
    for cut in (None, desk.halfway):
        for path in paths:
            for order in (path, f"-{path}"):
                terms, rows = sort_terms(BlotterRow, [order]), blotter_rows(trader, cut=cut)
                with CaptureQueriesContext(connection) as queries:
                    page = keyset_page(rows, terms=terms, size=50)
                    keyset_page(rows, terms=terms, size=50, after=page.after)
                reads = [q["sql"] for q in queries if "trading_blotter" in q["sql"]]
                assert len(reads) == 2
                slow += [(order, cut, plan) for plan in map(plan_of, reads) if not is_quick(plan)]
    assert not slow, slow[0]


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def is_quick(plan):
    """Say whether rows of today come from an index in order; those replaced since are sorted."""
    today = plan.split("Subquery Scan")[0] if "Merge Append" in plan else plan
    whole_sorts = [
        line for line in today.splitlines()
        if re.search(r"(?<!Incremental )Sort  \(", line) and "Merge Append" not in plan
    ]  # fmt: skip
    return (
        re.search(r"Index (Only )?Scan (Backward )?using \w+ on trading_blotterrow", today)
        and not whole_sorts
    )


@pytest.mark.parametrize("order", ["-price", "quantity_mw", "-quantity_mw", "-counterparty_code"])
@pytest.mark.parametrize("past", [False, True])
def test_pages_walk_the_whole_list_in_order_and_back(desk, trader, order, past):
    rows = blotter_rows(trader, cut=desk.halfway if past else None)
    name, down = order.lstrip("-"), order.startswith("-")
    known = list(rows)
    there = sorted(
        (row for row in known if getattr(row, name) is not None),
        key=lambda row: (getattr(row, name), row.pk), reverse=down,
    )  # fmt: skip
    missing = sorted(
        (row for row in known if getattr(row, name) is None), key=lambda row: row.pk, reverse=down
    )
    wanted = [row.pk for row in there + missing]
    assert name != "quantity_mw" or (there and missing)
    terms = sort_terms(BlotterRow, [order])

    forward, page = [], keyset_page(rows, terms=terms, size=300)
    while True:
        forward += [row.pk for row in page.rows]
        if not page.after:
            break
        page = keyset_page(rows, terms=terms, size=300, after=page.after)
    back, first = [row.pk for row in page.rows], page.before
    while first:
        page = keyset_page(rows, terms=terms, size=300, before=first)
        back, first = [row.pk for row in page.rows] + back, page.before

    assert forward == wanted
    assert back == wanted


def test_the_past_shows_of_each_trade_the_version_that_held(desk, trader, cuts, versions):
    names = (
        "status", "price", "notional", "quantity", "recorded_at", "side", "delivery_start",
        "counterparty_id", "market_id", "captured_by_name",
    )  # fmt: skip
    for cut in cuts:
        wanted = held_at(cut, versions)
        shown = {row.pk: row for row in blotter_rows(trader, cut=cut)}

        assert set(shown) == set(wanted), cut
        for pk, version in wanted.items():
            row = shown[pk]
            assert (row.held_id, row.number) == (version.pk, version.version)
            assert [getattr(row, n) for n in names] == [getattr(version, n) for n in names]
            assert (row.ref, row.market_code) == (version.trade.ref, version.market.code)


def test_each_list_costs_the_same_queries(desk):
    """One more only where a page reaches the rows that miss what it is sorted by."""
    client = desk.client()
    for always in ({}, {"as_of": desk.halfway.isoformat()}):
        counts = set()
        for asked in (
            {}, {"sort": "-notional"}, {"status": "LIVE", "sort": "counterparty"},
            {"tag": "hedge", "sort": "trader"}, {"ref": "T-0", "book_code": "bench-05"},
        ):  # fmt: skip
            query = {**asked, **always, "filtered": "1"}
            client.get("/trades/", query)
            for place in (1, 2):
                with CaptureQueriesContext(connection) as queries:
                    page = client.get("/trades/", query).content.decode()
                counts.add(len(queries))
                if place == 1:
                    after = re.search(r'href="[^"]*[?&;]after=([^"&]+)"', page)
                    query = {**query, "after": unescape(after[1])}
        assert len(counts) == 1 and max(counts) <= (24 if always else 21), counts


def test_a_counterparty_that_is_renamed_is_found_under_its_new_name(desk, trader):
    party = Counterparty.objects.get(code="CP07")
    before = blotter_rows(trader).filter(counterparty_code="CP07").count()

    party.code = "NEW7"
    party.save(update_fields=["code"])

    assert before > 20
    assert blotter_rows(trader).filter(counterparty_code="NEW7").count() == before
    assert {row.counterparty_code for row in blotter_rows(trader, cut=desk.halfway)} >= {"NEW7"}


@pytest.mark.parametrize(
    ("bucket", "day"),
    [
        (Bucket.HOUR, date(2027, 3, 28)), (Bucket.DAY, date(2027, 3, 1)),
        (Bucket.MONTH, date(2027, 1, 1)), (Bucket.QUARTER, date(2027, 1, 1)),
        (Bucket.YEAR, date(2027, 1, 1)),
    ],
)  # fmt: skip
def test_the_heat_map_adds_up_the_deals_themselves(desk, cuts, versions, schedules, bucket, day):
    books = {version.book_id for version in versions}
    columns = columns_from(bucket, day)
    for cut in (None, *cuts[1:4]):
        held = held_at(cut or cuts[-1], versions).values()
        wanted = brute_force([v for v in held if v.pk in schedules], schedules, columns)
        grid = position_grid(books, columns=columns, cut=cut)
        shown = {
            (row.book_id, cell.column): cell.value
            for row in grid.rows if row.market == "DE"
            for cell in row.cells if cell.value
        }  # fmt: skip

        assert shown == pytest.approx(wanted, rel=1e-9, abs=1e-6)
    (book_id, column), value = max(wanted.items(), key=lambda item: abs(item[1]))
    market = Market.objects.get(code="DE")
    parts = CellShares([book_id], market_id=market.pk, unit="MWh", column=column, cut=cut)
    page = parts.largest(1000)
    assert float(page.total) == pytest.approx(value)
    assert sum(one.value for one in page.shares) == page.total
    assert page.count == len(page.shares)


def brute_force(held, schedules, columns):
    """Return MWh by book and column, of each deal the power in each hour of its own shape."""
    calendar = Market.objects.get(code="DE").calendar
    intervals = {column: column.interval(calendar) for column in columns}
    sums = defaultdict(float)
    for version in held:
        schedule, sign = schedules[version.pk], 1 if version.side == Side.BUY else -1
        for column, interval in intervals.items():
            part = interval and overlap(interval, schedule.interval)
            if part is None:
                continue
            if isinstance(schedule.volume, Profile):
                first = (part.start - schedule.interval.start).total_seconds() / 3600
                count = int(part.hours)
                energy = schedule.volume.micro_mw[int(first) : int(first) + count].sum() / 1e6
            else:
                hours = shape_intervals(calendar, schedule.shape, part).hours
                energy = float(version.quantity_mw) * float(hours)
            if energy:
                sums[version.book_id, column] += sign * energy
    return {key: value for key, value in sums.items() if abs(value) > 1e-9}


def overlap(one, other):
    start, end = max(one.start, other.start), min(one.end, other.end)
    return Interval(start, end) if start < end else None
