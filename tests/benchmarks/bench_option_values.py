"""Value 1,000 options with their Greeks: from rows to stored values, beside one option."""

import statistics
import time
from datetime import timedelta
from uuid import UUID

from django.db import connection

from energyopti.accounts.actors import Actor
from tests.trading.valuation.options_desk import CALL, EVENING, option, option_desk
from trading.deals import OptionType
from trading.models import OptionGreek, TradeValue
from trading.services.valuation import prove_run, value_organization

from .runner import Bench, benchmark

TRADES = 1_000
ROUNDS = 3
# Caps on a quarter like one that was captured, with strikes of their own.
_COPY = """
CREATE TEMP TABLE bench_option AS
    SELECT n, nextval(pg_get_serial_sequence('trading_trade', 'id')) AS trade,
           nextval(pg_get_serial_sequence('trading_tradeversion', 'id')) AS version
    FROM generate_series(1, %(trades)s) AS n;
INSERT INTO trading_trade
    SELECT (jsonb_populate_record(held, to_jsonb(held) || jsonb_build_object(
        'id', made.trade, 'uid', gen_random_uuid(), 'ref', 'O-' || lpad(n::text, 8, '0'),
        'client_reference', '', 'request_hash', ''))).*
    FROM bench_option made, trading_trade held WHERE held.id = %(like)s;
INSERT INTO trading_tradeversion
    SELECT (jsonb_populate_record(held, to_jsonb(held) || jsonb_build_object(
        'id', made.version, 'trade_id', made.trade))).*
    FROM bench_option made, trading_tradeversion held WHERE held.trade_id = %(like)s;
INSERT INTO trading_leg
    SELECT (jsonb_populate_record(leg, to_jsonb(leg) || jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('trading_leg', 'id')), 'version_id', made.version,
        'terms', jsonb_set(leg.terms, '{strikes}', jsonb_build_array((60 + mod(n, 80))::text))))).*
    FROM bench_option made, trading_leg leg
    JOIN trading_tradeversion held ON held.id = leg.version_id WHERE held.trade_id = %(like)s;
ANALYZE trading_leg; ANALYZE trading_tradeversion; ANALYZE trading_trade;
"""


def prepare() -> UUID:
    """Fill an organization with caps, and return its id."""
    desk = option_desk()
    receipt = desk.deal(deal=option(CALL, option_type=OptionType.CAP))
    with connection.cursor() as cursor:
        cursor.execute(_COPY, {"trades": TRADES - 1, "like": receipt.trade_id})
    return desk.organization.pk


@benchmark("option_values")
def option_values(bench: Bench) -> None:
    """Time stored runs, with every Greek in them."""
    organization = prepare()
    took = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        run = value_organization(
            actor=Actor.system("bench"), organization_id=organization,
            as_of=EVENING + timedelta(minutes=1),
        )  # fmt: skip
        took.append(time.perf_counter() - started)
    assert (run.trades, run.unvalued) == (TRADES, 0), run.findings
    assert TradeValue.objects.filter(run=run).count() == TRADES
    assert OptionGreek.objects.filter(run=run).count() == 3 * TRADES
    assert prove_run(run).is_same
    bench.record(
        f"{TRADES:,} caps on a quarter from rows to stored values and Greeks, median of {ROUNDS}",
        value=statistics.median(took[1:]),
        unit="s",
        reference="one second",
        reference_value=1.0,
        better="lower",
    )
