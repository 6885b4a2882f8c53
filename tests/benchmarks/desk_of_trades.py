"""A desk of 100,000 trades, written by SQL: what is measured is reading them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import connection
from django.test import Client
from guardian.shortcuts import assign_perm

from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import make_book, make_counterparty, make_market
from trading.models import Book

TRADES = 100_000
BOOKS, COUNTERPARTIES = 12, 40
MARKETS = ("DE", "FR", "NL", "AT", "BE", "CH")
FROM = date(2027, 1, 1)
MONTHS = 36
RECORDED_AT = datetime(2026, 6, 1, tzinfo=UTC)

_SET_UP = """
CREATE TEMP TABLE bench_books AS
    SELECT id, (row_number() OVER (ORDER BY code)) - 1 AS n FROM trading_book
    WHERE organization_id = %(organization)s;
CREATE TEMP TABLE bench_cpties AS
    SELECT id, (row_number() OVER (ORDER BY code)) - 1 AS n FROM trading_counterparty
    WHERE organization_id = %(organization)s;
CREATE TEMP TABLE bench_markets AS
    SELECT id, code, (row_number() OVER (ORDER BY code)) - 1 AS n FROM trading_market
    WHERE code = ANY(%(markets)s);
CREATE TEMP TABLE bench_deals AS
    SELECT deal.n, book.id AS book_id, cpty.id AS counterparty_id, market.id AS market_id,
           CASE WHEN mod(deal.n * 7, 13) < 7 THEN 'BUY' ELSE 'SELL' END AS side,
           (ARRAY['BASE', 'BASE', 'PEAK', 'OFFPEAK'])[1 + mod(deal.n, 4)] AS shape,
           (ARRAY['LIVE', 'LIVE', 'LIVE', 'LIVE', 'LIVE', 'LIVE', 'LIVE', 'MATURED', 'CANCELLED',
                  'DRAFT'])[1 + mod(deal.n / 3, 10)] AS status,
           (ARRAY[1, 1, 1, 3, 12])[1 + mod(deal.n, 5)] AS months,
           %(first)s::date + make_interval(months => mod(deal.n, %(months)s)) AS first_date,
           (1 + mod(deal.n * 31, 400))::numeric / 4 AS mw,
           40 + (mod(deal.n * 97, 9000))::numeric / 100 AS price,
           %(recorded)s::timestamptz + make_interval(secs => deal.n * 100) AS recorded_at
    FROM generate_series(1, %(trades)s) AS deal(n)
    JOIN bench_books book ON book.n = mod(deal.n, (SELECT count(*) FROM bench_books))
    JOIN bench_cpties cpty ON cpty.n = mod(deal.n * 11, (SELECT count(*) FROM bench_cpties))
    JOIN bench_markets market
        ON market.n = mod(deal.n * 5 / 3, (SELECT count(*) FROM bench_markets));
INSERT INTO trading_trade (id, uid, ref, organization_id, book_id, counterparty_id, status, basis,
        product_kind, client_reference, request_hash, source, external_id, package_id, tags,
        latest_version, recorded_at)
    SELECT n, gen_random_uuid(), 'T-' || lpad(n::text, 8, '0'), %(organization)s, book_id,
           counterparty_id, status, CASE WHEN mod(n, 3) = 0 THEN 'FILL' ELSE 'ORDER' END,
           CASE WHEN mod(n, 6) = 0 THEN 'SWAP' ELSE 'PHYSICAL_FORWARD' END, '', '', '', '', '',
           CASE WHEN mod(n, 9) = 0 THEN ARRAY['hedge'] ELSE ARRAY[]::varchar[] END,
           1 + (mod(n, 4) = 0)::int, recorded_at
    FROM bench_deals;
INSERT INTO trading_tradeversion (trade_id, version, event, status, recorded_at, effective_at,
        traded_at, book_id, counterparty_id, product_kind, side, market_id, shape, quantity,
        quantity_unit, frequency, quantity_mw, price, price_unit, currency, period_name, first_date,
        after_date, delivery_start, delivery_end, calendar_zone, tzdata_version, hours, volume,
        volume_unit, energy_mwh, notional, mic, clearing_account, broker, checks, reason, text,
        captured_by, captured_by_name)
    SELECT n, v, CASE v WHEN 1 THEN 'CAPTURE' ELSE 'AMEND' END, status,
           recorded_at + make_interval(days => 3 * (v - 1)), recorded_at, recorded_at, book_id,
           counterparty_id, CASE WHEN mod(n, 6) = 0 THEN 'SWAP' ELSE 'PHYSICAL_FORWARD' END, side,
           market_id, shape, mw, 'MW', 'HOUR', mw, price + v, 'MWh', 'EUR',
           to_char(first_date, 'MonYY'), first_date, first_date + make_interval(months => months),
           first_date - interval '1 hour',
           first_date + make_interval(months => months) - interval '1 hour', 'Europe/Berlin',
           '2026a', 730 * months, mw * 730 * months, 'MWh', mw * 730 * months,
           mw * 730 * months * (price + v), '', '', '',
           jsonb_build_array(jsonb_build_object('check', 'price_sanity', 'outcome', 'PASS',
               'reason', repeat('within five standard deviations of the curve ', 4))),
           '', '', 'user:bench', 'Trader ' || mod(n, 25)
    FROM bench_deals CROSS JOIN generate_series(1, 2) AS v WHERE v = 1 OR mod(n, 4) = 0;
INSERT INTO trading_positiondelta (trade_version_id, book_id, stage, market_id, currency, basis,
        unit, shape, shape_version, month, start, "end", minutes, calendar_zone, tzdata_version,
        physical, exposure, fixed, physical_profile, exposure_profile, recorded_at)
    SELECT version.id, version.book_id, 'LIVE', version.market_id, 'EUR', 'HOUR', 'MWh',
           version.shape, 1, month, month::timestamp AT TIME ZONE 'Europe/Berlin',
           (month + interval '1 month')::timestamp AT TIME ZONE 'Europe/Berlin', 0,
           'Europe/Berlin', '2026a', CASE version.side WHEN 'BUY' THEN 1 ELSE -1 END * quantity_mw,
           CASE version.side WHEN 'BUY' THEN 1 ELSE -1 END * quantity_mw,
           CASE version.side WHEN 'BUY' THEN 1 ELSE -1 END * quantity_mw * price, '', '',
           version.recorded_at
    FROM trading_tradeversion version
    CROSS JOIN LATERAL (SELECT generate_series(version.first_date::timestamp,
        version.after_date::timestamp - interval '1 day', '1 month')::date AS month) AS months
    WHERE version.version = 1 AND version.status IN ('LIVE', 'MATURED');
INSERT INTO trading_positiontotal (book_id, stage, market_id, currency, basis, unit, shape,
        shape_version, month, start, "end", minutes, calendar_zone, physical, exposure, fixed,
        physical_profile, exposure_profile)
    SELECT book_id, stage, market_id, currency, basis, unit, shape, shape_version, month, start,
           "end", minutes, calendar_zone, sum(physical), sum(exposure), sum(fixed), '', ''
    FROM trading_positiondelta
    GROUP BY book_id, stage, market_id, currency, basis, unit, shape, shape_version, month, start,
             "end", minutes, calendar_zone;
"""


@dataclass(frozen=True)
class BenchDesk:
    user: User
    books: list[Book]

    def client(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client


def fill_desk() -> BenchDesk:
    """Write the desk, once a database; its trader reaches all books by a grant on the first."""
    found = User.objects.filter(email="bench-desk@example.org").first()
    if found is not None:
        books = Book.objects.filter(code__startswith="BENCH").order_by("code")
        return BenchDesk(found, list(books))
    organization = make_organization("Bench desk")
    books = [make_book(organization, "BENCH-00")]
    books += [make_book(organization, f"BENCH-{n:02d}", books[0]) for n in range(1, BOOKS)]
    for number in range(COUNTERPARTIES):
        make_counterparty(organization, f"CP{number:02d}")
    for code in MARKETS:
        make_market(code)
    user = make_user(Role.TRADER, organization=organization)
    user.email = "bench-desk@example.org"
    user.save(update_fields=["email"])
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, books[0])
    values = {
        "organization": organization.pk, "markets": list(MARKETS), "first": FROM, "months": MONTHS,
        "recorded": RECORDED_AT, "trades": TRADES,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in filter(str.strip, _SET_UP.split(";\n")):
            cursor.execute(statement, values)
        cursor.execute("ANALYZE")
        cursor.execute("RESET statement_timeout")
    return BenchDesk(user, books)
