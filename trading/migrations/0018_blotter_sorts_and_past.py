"""Each sort of the blotter gets its index, and a function gives its rows as of a past moment."""

import importlib

from django.db import migrations, models

CODES = ("book_code", "counterparty_code", "market_code")
SORTED = (
    "traded_at", "book_code", "counterparty_code", "side", "quantity", "market_code",
    "product_kind", "shape", "delivery_start", "first_date", "after_date", "price_unit",
    "currency", "volume", "basis", "mic", "clearing_account", "broker", "captured_by_name",
    "number", "recorded_at", "status", "quantity_mw", "price", "energy_mwh", "notional",
)  # fmt: skip
SORTED_WITH_GAPS = ("quantity_mw", "price", "energy_mwh", "notional")
# As 0009 made it, and what its trigger writes, to which the codes are added.
before = importlib.import_module("trading.migrations.0009_blotter_rows")
COLUMNS = f"{before.COLUMNS}, {', '.join(CODES)}"
VALUES = f"{before.VALUES}, book.code, party.code, market.code"
TAKE = ", ".join(
    f"{name} = excluded.{name}" for name in (*before.SAME, "held_id", "number", *CODES)
)
NAMED = """
    JOIN trading_book book ON book.id = version.book_id
    JOIN trading_counterparty party ON party.id = version.counterparty_id
    JOIN trading_market market ON market.id = version.market_id
"""
FILL = """
UPDATE trading_blotterrow row
SET book_code = book.code, counterparty_code = party.code, market_code = market.code
FROM trading_book book, trading_counterparty party, trading_market market
WHERE book.id = row.book_id AND party.id = row.counterparty_id AND market.id = row.market_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""
TRIGGERS = f"""
CREATE OR REPLACE FUNCTION trading_blotter_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trading_blotterrow AS shown ({COLUMNS})
    SELECT {VALUES} FROM (SELECT NEW.*) version JOIN trading_trade trade ON trade.id = NEW.trade_id
    {NAMED}
    ON CONFLICT (trade_id) DO UPDATE SET {TAKE} WHERE shown.number < excluded.number;
    RETURN NULL;
END $$;
CREATE FUNCTION trading_blotter_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE trading_blotterrow SET %I = $1 WHERE %I = $2',
                   TG_ARGV[0] || '_code', TG_ARGV[0] || '_id') USING NEW.code, NEW.id;
    RETURN NULL;
END $$;
"""  # noqa: S608 - names of columns, no input
RENAMED = "".join(
    f"""
CREATE TRIGGER trading_blotter_code AFTER UPDATE OF code ON trading_{name}
    FOR EACH ROW WHEN (OLD.code <> NEW.code) EXECUTE FUNCTION trading_blotter_code('{name}');
"""
    for name in ("book", "counterparty", "market")
)
NO_TRIGGERS = f"""
DROP TRIGGER trading_blotter_code ON trading_book;
DROP TRIGGER trading_blotter_code ON trading_counterparty;
DROP TRIGGER trading_blotter_code ON trading_market;
DROP FUNCTION trading_blotter_code();
CREATE OR REPLACE FUNCTION trading_blotter_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trading_blotterrow AS shown ({before.COLUMNS})
    SELECT {before.VALUES} FROM (SELECT NEW.*) version
    JOIN trading_trade trade ON trade.id = NEW.trade_id
    ON CONFLICT (trade_id) DO UPDATE SET {before.TAKE} WHERE shown.number < excluded.number;
    RETURN NULL;
END $$;
"""  # noqa: S608
# The columns of the table in its order, of a version that held before the one that is shown now.
HELD = """
    version.trade_id, version.id, version.version, later.ref, later.book_id,
    version.counterparty_id, version.market_id, version.status, later.basis, version.product_kind,
    version.side, version.shape, version.quantity, version.quantity_unit, version.quantity_mw,
    version.price, version.price_unit, version.currency, version.period_name, version.first_date,
    version.after_date, version.delivery_start, version.delivery_end, version.volume,
    version.volume_unit, version.energy_mwh, version.notional, version.mic,
    version.clearing_account, version.broker, version.captured_by_name, later.tags,
    version.traded_at, later.captured_at, version.recorded_at, later.book_code,
    (SELECT code FROM trading_counterparty WHERE id = version.counterparty_id),
    (SELECT code FROM trading_market WHERE id = version.market_id)
"""
# The rows of now, and of what has changed since a cut the version that held then; whoever asks
# keeps those recorded by the cut. A row that has not changed since is the row of then. The first
# part has no condition of its own, so that the planner sorts it by the indexes of the table.
PAST = f"""
CREATE FUNCTION trading_blotter_and_replaced(cut timestamptz) RETURNS SETOF trading_blotterrow
LANGUAGE sql STABLE AS $$
    SELECT shown.* FROM trading_blotterrow shown
    UNION ALL
    SELECT {HELD}
    FROM trading_blotterrow later
    CROSS JOIN LATERAL (
        SELECT * FROM trading_tradeversion held
        WHERE held.trade_id = later.trade_id AND held.recorded_at <= cut
        ORDER BY held.version DESC LIMIT 1
    ) version
    WHERE later.number > 1 AND later.recorded_at > cut AND later.captured_at <= cut
$$;
"""  # noqa: S608


def code(name: str) -> migrations.AddField:
    return migrations.AddField(
        "blotterrow", name, models.CharField(max_length=16, default=""), preserve_default=False
    )


class Migration(migrations.Migration):
    dependencies = [("trading", "0017_multileg_reports")]

    operations = [
        *(code(name) for name in CODES),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS + RENAMED, NO_TRIGGERS),
        migrations.RunSQL(PAST, "DROP FUNCTION trading_blotter_and_replaced(timestamptz);"),
        migrations.AddIndex(
            "blotterrow",
            models.Index(
                fields=["recorded_at", "captured_at"], name="blotter_replaced",
                condition=models.Q(number__gt=1),
            ),
        ),
        *(
            migrations.AddIndex(
                "blotterrow", models.Index(fields=[name, "trade"], name=f"blotter_by_{name}")
            )
            for name in SORTED
        ),
        *(
            migrations.AddIndex(
                "blotterrow",
                models.Index(
                    models.F(name).desc(nulls_last=True), models.F("trade").desc(),
                    name=f"blotter_down_{name}",
                ),
            )
            for name in SORTED_WITH_GAPS
        ),
    ]  # fmt: skip
