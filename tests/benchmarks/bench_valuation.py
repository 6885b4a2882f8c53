"""Value 10,000 linear trades: from rows to stored values, beside what the database alone needs."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection

from energyopti.accounts.actors import Actor
from tests.factories.curves import SYSTEM
from tests.factories.trades import make_desk, make_market
from trading.models import PublicationPolicy, QuoteQuality, TradeValue
from trading.services.catalogue import ensure_catalogue
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.quotes import QuoteDraft, book_quotes
from trading.services.valuation import prove_run, value_organization

from .runner import Bench, benchmark

TRADES = 10_000
ROUNDS = 5
CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)
MARKETS = ("DE", "FR", "NL")
# A mean of 4.4 months a trade: 6 of 10 are of a month, 2 of a quarter, 2 of a year.
_FILL = """
CREATE TEMP TABLE bench_value AS
    SELECT n, (SELECT array_agg(id ORDER BY code) FROM trading_market WHERE code = ANY(%(markets)s)
              )[1 + mod(n, 3)] AS market_id,
           (ARRAY['BASE', 'BASE', 'PEAK'])[1 + mod(n, 3)] AS shape,
           (ARRAY[1, 1, 1, 1, 1, 1, 3, 3, 12, 12])[1 + mod(n / 3, 10)] AS months,
           date '2027-01-01' + make_interval(months => mod(n, 12)) AS first_date,
           (CASE WHEN mod(n, 2) = 0 THEN 1 ELSE -1 END) * (1 + mod(n * 31, 400))::numeric / 4 AS mw,
           40 + (mod(n * 97, 9000))::numeric / 100 AS price,
           nextval(pg_get_serial_sequence('trading_trade', 'id')) AS trade_id
    FROM generate_series(1, %(trades)s) AS n;
INSERT INTO trading_trade (id, uid, ref, organization_id, book_id, counterparty_id, status, basis,
        product_kind, client_reference, request_hash, source, external_id, package_id, tags,
        latest_version, recorded_at)
    SELECT trade_id, gen_random_uuid(), 'V-' || lpad(n::text, 8, '0'), %(organization)s, %(book)s,
           %(counterparty)s, 'LIVE', 'ORDER', 'PHYSICAL_FORWARD', '', '', '', '', '',
           ARRAY[]::varchar[], 1, now() FROM bench_value;
INSERT INTO trading_tradeversion (trade_id, version, event, status, recorded_at, effective_at,
        traded_at, book_id, counterparty_id, product_kind, side, market_id, shape, quantity,
        quantity_unit, frequency, quantity_mw, price, price_unit, currency, period_name, first_date,
        after_date, delivery_start, delivery_end, calendar_zone, tzdata_version, volume,
        volume_unit, mic, clearing_account, broker, checks, reason, text, captured_by,
        captured_by_name)
    SELECT trade_id, 1, 'CAPTURE', 'LIVE', now(), now(), %(close)s, %(book)s, %(counterparty)s,
           'PHYSICAL_FORWARD', CASE WHEN mw > 0 THEN 'BUY' ELSE 'SELL' END, market_id, shape,
           abs(mw), 'MW', 'HOUR', abs(mw), price, 'MWh', 'EUR', '', first_date,
           first_date + make_interval(months => months), first_date,
           first_date + make_interval(months => months), 'Europe/Berlin', '2026a', 0, 'MWh', '',
           '', '', '[]', '', '', 'bench', '' FROM bench_value;
INSERT INTO trading_positiondelta (trade_version_id, book_id, stage, market_id, currency, basis,
        unit, shape, shape_version, month, start, "end", minutes, calendar_zone, tzdata_version,
        physical, exposure, fixed, physical_profile, exposure_profile, recorded_at)
    SELECT version.id, %(book)s, 'LIVE', deal.market_id, 'EUR', 'HOUR', 'MWh', deal.shape, 1,
           month, month::timestamp AT TIME ZONE 'Europe/Berlin',
           (month + interval '1 month')::timestamp AT TIME ZONE 'Europe/Berlin', 0,
           'Europe/Berlin', '2026a', mw, mw, mw * deal.price, '', '', now()
    FROM bench_value deal JOIN trading_tradeversion version USING (trade_id)
    CROSS JOIN LATERAL (SELECT generate_series(deal.first_date,
        deal.first_date + make_interval(months => deal.months) - interval '1 day',
        '1 month')::date AS month) AS months;
ANALYZE trading_positiondelta; ANALYZE trading_tradeversion; ANALYZE trading_trade;
"""


def prepare() -> UUID:
    """Fill an organization with trades and published curves, and return its id."""
    desk = make_desk("Bench valuation")
    organization = desk.organization.pk
    for code in MARKETS:
        make_market(code)
    ensure_catalogue(actor=SYSTEM)
    for code in MARKETS:
        market = make_market(code)
        define_curve(
            actor=SYSTEM, market=market, code="MARK",
            policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
        )  # fmt: skip
        drafts = [
            QuoteDraft(contract, Decimal(price), CLOSE, load)
            for contract, load, price in (
                ("Cal27", "BASE", "88.5"),
                ("Cal27", "PEAK", "99.8"),
                ("Cal28", "BASE", "82.3"),
                ("Cal28", "PEAK", "91"),
            )
        ]
        book_quotes(
            actor=SYSTEM, market=market, drafts=drafts, source="bench",
            quality=QuoteQuality(QuoteQuality.SETTLEMENT),
        )  # fmt: skip
        build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=CLOSE)
    with connection.cursor() as cursor:
        cursor.execute(
            _FILL,
            {"markets": list(MARKETS), "trades": TRADES, "organization": organization,
             "book": desk.book.pk, "counterparty": desk.counterparty.pk, "close": CLOSE},
        )  # fmt: skip
    return organization


@benchmark("valuation")
def valuation(bench: Bench) -> None:
    """Compare a stored run, once the calendar's hours are known to the process, with a second."""
    organization = prepare()
    took = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        run = value_organization(
            actor=Actor.system("bench"), organization_id=organization,
            as_of=CLOSE + timedelta(hours=1),
        )  # fmt: skip
        took.append(time.perf_counter() - started)
    assert (run.trades, run.unvalued) == (TRADES, 0), run.findings
    assert TradeValue.objects.filter(run=run).count() == TRADES
    assert prove_run(run).is_same
    bench.record(
        f"{TRADES:,} trades from rows to stored values, first run of a process",
        value=took[0],
        unit="s",
        reference="one second",
        reference_value=1.0,
        better="lower",
    )
    bench.record(
        f"{TRADES:,} trades from rows to stored values, median of {ROUNDS}",
        value=statistics.median(took[1:]),
        unit="s",
        reference="one second",
        reference_value=1.0,
        better="lower",
        target=1.0,
    )
