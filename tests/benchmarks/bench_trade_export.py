"""The streaming export of live trades, beside a plain COPY of the same columns."""

import time

from django.db import connection

from .desk_of_trades import fill_desk
from .runner import Bench, benchmark

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
        WHERE v.status = 'LIVE' AND m.code LIKE %s
        ORDER BY v.id DESC
    ) TO STDOUT
"""


@benchmark("trade_export")
def trade_export(bench: Bench) -> None:
    """Measure from the request to the last byte; the best of some rounds of each."""
    client = fill_desk().client()
    for asked, market in (({"market": "DE"}, "DE"), ({}, "%")):
        export, plain, count = [], [], 0
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answer = client.get("/api/v1/trading/trades/export", {"status": "LIVE", **asked})
            content = b"".join(answer.streaming_content)
            export.append(time.perf_counter() - started)
            started = time.perf_counter()
            with connection.cursor() as cursor:
                statement = cursor.mogrify(PLAIN, [market])
                with cursor.copy(statement) as copy:
                    count = sum(bytes(piece).count(b"\n") for piece in copy)
            plain.append(time.perf_counter() - started)
            assert content.count(b"\n") == count + 1, content[:300]
        bench.record(
            f"{count:,} live trades, request to last byte",
            value=min(export), unit="s", reference="COPY TO STDOUT of the same columns",
            reference_value=min(plain), better="lower", target=5.0,
        )  # fmt: skip
