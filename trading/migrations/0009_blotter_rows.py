"""One narrow row a trade for lists, kept by triggers from now on and filled from what there is."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

STATUSES = [
    ("DRAFT", "Draft"),
    ("PENDING", "Waits for release"),
    ("LIVE", "Live"),
    ("NOVATED", "Novated"),
    ("TERMINATED", "Terminated"),
    ("MATURED", "Matured"),
    ("SETTLED", "Settled"),
    ("CANCELLED", "Cancelled"),
]
KINDS = [
    ("PHYSICAL_FORWARD", "Physical forward"),
    ("INDEX_FORWARD", "Physical forward on an index"),
    ("PROFILE_FORWARD", "Physical forward of a profile"),
    ("AS_GENERATED", "Share of an asset as generated"),
    ("PPA", "Power purchase agreement"),
    ("FUTURE", "Future"),
    ("FINANCIAL_FORWARD", "Financial forward"),
    ("SWAP", "Fixed for floating swap"),
    ("BASIS_SWAP", "Basis swap"),
    ("CERTIFICATE", "Certificates or allowances"),
    ("OPTION", "Option"),
]
# Columns that a row has under the same name in its version.
SAME = (
    "book_id", "counterparty_id", "market_id", "status", "product_kind", "side", "shape",
    "quantity", "quantity_unit", "quantity_mw", "price", "price_unit", "currency", "period_name",
    "first_date", "after_date", "delivery_start", "delivery_end", "volume", "volume_unit",
    "energy_mwh", "notional", "mic", "clearing_account", "broker", "captured_by_name", "traded_at",
    "recorded_at",
)  # fmt: skip
COLUMNS = ", ".join((*SAME, "trade_id", "held_id", "number", "ref", "basis", "tags", "captured_at"))
VALUES = ", ".join(f"version.{name}" for name in SAME) + (
    ", trade.id, version.id, version.version, trade.ref, trade.basis, trade.tags, trade.recorded_at"
)
TAKE = ", ".join(f"{name} = excluded.{name}" for name in (*SAME, "held_id", "number"))
FILL = f"""
INSERT INTO trading_blotterrow ({COLUMNS})
SELECT {VALUES} FROM trading_tradeversion version
JOIN trading_trade trade ON trade.id = version.trade_id AND trade.latest_version = version.version;
SET CONSTRAINTS ALL IMMEDIATE;
"""  # noqa: S608 - names of columns, no input
# A header is written before its first version. A version never replaces a later one.
TRIGGERS = f"""
CREATE FUNCTION trading_blotter_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trading_blotterrow AS shown ({COLUMNS})
    SELECT {VALUES} FROM (SELECT NEW.*) version JOIN trading_trade trade ON trade.id = NEW.trade_id
    ON CONFLICT (trade_id) DO UPDATE SET {TAKE} WHERE shown.number < excluded.number;
    RETURN NULL;
END $$;
CREATE TRIGGER trading_blotter_version AFTER INSERT ON trading_tradeversion
    FOR EACH ROW EXECUTE FUNCTION trading_blotter_version();
CREATE FUNCTION trading_blotter_header() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE trading_blotterrow SET tags = NEW.tags, basis = NEW.basis WHERE trade_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER trading_blotter_header AFTER UPDATE ON trading_trade
    FOR EACH ROW WHEN (OLD.tags IS DISTINCT FROM NEW.tags OR OLD.basis <> NEW.basis)
    EXECUTE FUNCTION trading_blotter_header();
"""  # noqa: S608
NO_TRIGGERS = """
DROP TRIGGER trading_blotter_header ON trading_trade;
DROP FUNCTION trading_blotter_header();
DROP TRIGGER trading_blotter_version ON trading_tradeversion;
DROP FUNCTION trading_blotter_version();
"""


def to(model, **options):
    return models.ForeignKey(
        on_delete=options.pop("on_delete", django.db.models.deletion.PROTECT),
        related_name="+", to=f"trading.{model}", **options,
    )  # fmt: skip


def number(digits, places, **options):
    return models.DecimalField(decimal_places=places, max_digits=digits, **options)


class Migration(migrations.Migration):
    dependencies = [("trading", "0008_drop_copies")]

    operations = [
        migrations.CreateModel(
            name="BlotterRow",
            fields=[
                (
                    "trade",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="trading.trade",
                    ),
                ),
                ("held", to("tradeversion", on_delete=django.db.models.deletion.CASCADE)),
                ("number", models.PositiveIntegerField()),
                ("ref", models.CharField(max_length=16)),
                ("book", to("book", db_index=False)),
                ("counterparty", to("counterparty")),
                ("market", to("market")),
                ("status", models.CharField(choices=STATUSES, max_length=12)),
                (
                    "basis",
                    models.CharField(
                        choices=[("ORDER", "Order"), ("FILL", "Executed fill")], max_length=6
                    ),
                ),
                ("product_kind", models.CharField(choices=KINDS, max_length=20)),
                (
                    "side",
                    models.CharField(choices=[("BUY", "Buy"), ("SELL", "Sell")], max_length=4),
                ),
                ("shape", models.CharField(max_length=16)),
                ("quantity", number(18, 6)),
                ("quantity_unit", models.CharField(max_length=12)),
                ("quantity_mw", number(18, 6, null=True)),
                ("price", number(16, 6, null=True)),
                ("price_unit", models.CharField(max_length=12)),
                ("currency", models.CharField(max_length=3)),
                ("period_name", models.CharField(max_length=24)),
                ("first_date", models.DateField()),
                ("after_date", models.DateField()),
                ("delivery_start", models.DateTimeField()),
                ("delivery_end", models.DateTimeField()),
                ("volume", number(24, 6)),
                ("volume_unit", models.CharField(max_length=12)),
                ("energy_mwh", number(24, 6, null=True)),
                ("notional", number(24, 4, null=True)),
                ("mic", models.CharField(blank=True, max_length=4)),
                ("clearing_account", models.CharField(blank=True, max_length=40)),
                ("broker", models.CharField(blank=True, max_length=40)),
                ("captured_by_name", models.CharField(blank=True, max_length=120)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("traded_at", models.DateTimeField()),
                ("captured_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["book", "-trade"], name="blotter_of_book"),
                    models.Index(fields=["book", "-recorded_at"], name="blotter_of_book_at"),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="blotter_tags"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="positiondelta",
            index=models.Index(fields=["book", "recorded_at"], name="position_delta_of_book_at"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
