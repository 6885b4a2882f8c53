"""The streaming export of 15,000 live trades, beside a plain COPY of the same columns."""

import time

from django.db import connection
from django.test import Client

from energyopti.accounts.services.roles import synchronize_roles
from tests.factories.trades import RECEIVED_AT, make_desk
from trading.services.trade_files import import_trades

from .bench_trade_import import COLUMNS, cells
from .runner import Bench, benchmark

TRADES = 15_000
ROUNDS = 5
PLAIN = """
    COPY (
        SELECT t.ref, v.status, t.basis, b.code, c.code, v.product_kind, v.side, m.code, v.shape,
               v.period_name, v.quantity_unit, v.currency, v.price_unit, v.mic,
               t.client_reference, t.source, t.external_id, t.package_id, v.version, v.quantity,
               v.price, v.hours, v.energy_mwh, v.notional, v.traded_at, v.recorded_at,
               v.delivery_start, v.delivery_end
        FROM trading_tradeversion v
        JOIN trading_trade t ON t.id = v.trade_id AND t.latest_version = v.version
        JOIN trading_book b ON b.id = v.book_id
        JOIN trading_counterparty c ON c.id = v.counterparty_id
        JOIN trading_market m ON m.id = v.market_id
        WHERE t.book_id = %s AND v.status = 'LIVE'
        ORDER BY v.id DESC
    ) TO STDOUT
"""


@benchmark("trade_export")
def trade_export(bench: Bench) -> None:
    """Measure from the request to the last byte; the best of some rounds of each."""
    synchronize_roles()
    desk = make_desk()
    rows = "\n".join(",".join(row) for row in (COLUMNS, *map(cells, range(TRADES))))
    import_trades(
        actor=desk.trader, name="deals.csv", content=rows.encode(), received_at=RECEIVED_AT
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client()
    client.force_login(desk.trader.user)
    export, plain = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        answer = client.get("/api/v1/trading/trades/export", {"status": "LIVE"})
        content = b"".join(answer.streaming_content)
        export.append(time.perf_counter() - started)
        assert content.count(b"\n") == TRADES + 1, content[:300]
        started = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(PLAIN, [desk.book.pk]) as copy:
            size = sum(len(piece) for piece in copy)
        plain.append(time.perf_counter() - started)
        assert size
    bench.record(
        "15,000 live trades, request to last byte",
        value=min(export), unit="s", reference="COPY TO STDOUT of the same columns",
        reference_value=min(plain), better="lower", target=5.0,
    )  # fmt: skip
