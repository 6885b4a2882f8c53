"""Markets, and what is known about their prices; prices and actuals in monthly partitions."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import trading.models.markets
from energyopti.foundation.partitions.operations import PartitionByMonth

PARTITIONS = """
CREATE TABLE trading_price (
    market_id bigint NOT NULL REFERENCES trading_market (id) DEFERRABLE INITIALLY DEFERRED,
    series varchar(64) NOT NULL CHECK (series <> ''),
    period_start timestamptz NOT NULL,
    period_minutes smallint NOT NULL CHECK (period_minutes IN (15, 30, 60)),
    -- Unbounded numeric keeps a price exactly as it was delivered.
    value numeric NOT NULL CHECK (abs(value) < 1e12),
    available_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    import_run_id bigint NOT NULL,
    PRIMARY KEY (market_id, series, period_start, recorded_at)
) PARTITION BY RANGE (period_start);

CREATE TABLE trading_actual (
    organization_id uuid NOT NULL
        REFERENCES accounts_organization (id) DEFERRABLE INITIALLY DEFERRED,
    site_id uuid REFERENCES accounts_site (id) DEFERRABLE INITIALLY DEFERRED,
    market_id bigint NOT NULL REFERENCES trading_market (id) DEFERRABLE INITIALLY DEFERRED,
    asset_id varchar(80) NOT NULL CHECK (asset_id <> ''),
    flow varchar(6) NOT NULL CHECK (flow IN ('IMPORT', 'EXPORT')),
    period_start timestamptz NOT NULL,
    period_minutes smallint NOT NULL CHECK (period_minutes IN (15, 30, 60)),
    version smallint NOT NULL CHECK (version >= 1),
    energy_kwh numeric(18, 6) NOT NULL CHECK (energy_kwh >= 0 AND energy_kwh < 1e12),
    source varchar(120) NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (organization_id, asset_id, flow, period_start, version)
) PARTITION BY RANGE (period_start);

CREATE INDEX trading_actual_period ON trading_actual (period_start, organization_id);
"""

DROP_PARTITIONED = "DROP TABLE trading_price, trading_actual"
# Histories of prices are imported decades at once.
SINCE = {"earliest": datetime.date(1990, 1, 1), "longest_days": 366 * 60}


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("partitions", "0001_months"),
    ]

    operations = [
        migrations.CreateModel(
            name="Market",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16, unique=True)),
                ("name", models.CharField(max_length=120)),
                (
                    "eic",
                    models.CharField(
                        blank=True,
                        max_length=16,
                        validators=[trading.models.markets.check_eic],
                        verbose_name="EIC",
                    ),
                ),
                (
                    "time_zone",
                    models.CharField(max_length=64, validators=[trading.models.markets.check_zone]),
                ),
                ("currency", models.CharField(max_length=3)),
                ("period_minutes", models.PositiveSmallIntegerField(default=60)),
                ("gate_closure", models.TimeField(default=datetime.time(12, 0))),
                ("publication_minutes", models.PositiveSmallIntegerField(default=60)),
                ("is_simulated", models.BooleanField(default=False)),
            ],
            options={
                "permissions": [
                    ("import_prices", "Can import market prices and quotes"),
                    ("simulate_market", "Can simulate a market's prices and quotes"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("eic"),
                        condition=models.Q(("eic", ""), _negated=True),
                        name="market_eic_unique_where_set",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_minutes__in", [15, 30, 60])),
                        name="market_period_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                        name="market_currency_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("clock", models.CharField(max_length=8)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("period_minutes", models.PositiveSmallIntegerField()),
                (
                    "series",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), size=None
                    ),
                ),
                ("values_read", models.PositiveIntegerField()),
                ("values_new", models.PositiveIntegerField()),
                ("values_corrected", models.PositiveIntegerField()),
                ("values_unchanged", models.PositiveIntegerField()),
                ("findings", models.JSONField(default=list)),
                ("actor_id", models.CharField(max_length=120)),
                ("received_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_runs",
                        to="trading.market",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Forecast",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("delivery_date", models.DateField()),
                ("issued_at", models.DateTimeField()),
                ("model_name", models.CharField(max_length=60)),
                ("model_version", models.CharField(max_length=16)),
                ("start", models.DateTimeField()),
                ("period_minutes", models.PositiveSmallIntegerField()),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), size=None
                    ),
                ),
                ("inputs_until", models.DateTimeField()),
                ("inputs_hash", models.CharField(max_length=64)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="forecasts",
                        to="trading.market",
                    ),
                ),
            ],
            options={
                "permissions": [("issue_forecast", "Can issue price forecasts")],
            },
        ),
        migrations.CreateModel(
            name="CurveSnapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("method", models.CharField(max_length=40)),
                ("method_version", models.CharField(max_length=16)),
                (
                    "quote_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("conflicts", models.JSONField(default=list)),
                ("content_hash", models.CharField(max_length=64)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="curves",
                        to="trading.market",
                    ),
                ),
            ],
            options={
                "permissions": [("build_curve", "Can build forward curves")],
            },
        ),
        migrations.CreateModel(
            name="Quote",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("contract", models.CharField(max_length=16)),
                (
                    "load_type",
                    models.CharField(choices=[("BASE", "Base")], default="BASE", max_length=8),
                ),
                ("delivery_start", models.DateTimeField()),
                ("delivery_end", models.DateTimeField()),
                ("value", models.DecimalField(decimal_places=6, max_digits=18)),
                ("valid_from", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("source", models.CharField(max_length=120)),
                (
                    "quality",
                    models.CharField(
                        choices=[
                            ("SETTLEMENT", "Settlement price"),
                            ("INDICATIVE", "Indicative"),
                            ("SIMULATED", "Simulated"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quotes",
                        to="trading.market",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CurvePoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("price", models.FloatField()),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="points",
                        to="trading.curvesnapshot",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("snapshot"), models.F("start"), name="curve_point_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))),
                        name="curve_point_interval",
                    ),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(PARTITIONS, DROP_PARTITIONED),
                PartitionByMonth("trading_price", key="period_start", **SINCE),
                PartitionByMonth("trading_actual", key="period_start", **SINCE),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Actual",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "organization",
                                "asset_id",
                                "flow",
                                "period_start",
                                "version",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("asset_id", models.CharField(max_length=80)),
                        (
                            "flow",
                            models.CharField(
                                choices=[
                                    ("IMPORT", "Taken from the grid"),
                                    ("EXPORT", "Fed into the grid"),
                                ],
                                max_length=6,
                            ),
                        ),
                        ("period_start", models.DateTimeField()),
                        ("period_minutes", models.PositiveSmallIntegerField()),
                        ("version", models.PositiveSmallIntegerField()),
                        ("energy_kwh", models.DecimalField(decimal_places=6, max_digits=18)),
                        ("source", models.CharField(max_length=120)),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        (
                            "organization",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="accounts.organization",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                db_index=False,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="accounts.site",
                            ),
                        ),
                        (
                            "market",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="trading.market",
                            ),
                        ),
                    ],
                    options={
                        "permissions": [("book_actuals", "Can book metered volumes")],
                    },
                ),
                migrations.CreateModel(
                    name="Price",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "market",
                                "series",
                                "period_start",
                                "recorded_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("series", models.CharField(max_length=64)),
                        ("period_start", models.DateTimeField()),
                        ("period_minutes", models.PositiveSmallIntegerField()),
                        ("value", models.DecimalField(decimal_places=12, max_digits=30)),
                        ("available_at", models.DateTimeField()),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now()
                            ),
                        ),
                        (
                            "import_run",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="trading.importrun",
                            ),
                        ),
                        (
                            "market",
                            models.ForeignKey(
                                db_index=False,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="trading.market",
                            ),
                        ),
                    ],
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["market", "-id"], name="import_run_market"),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="import_run_interval"
            ),
        ),
        migrations.AddIndex(
            model_name="forecast",
            index=models.Index(
                fields=["market", "delivery_date", "-issued_at"], name="forecast_latest"
            ),
        ),
        migrations.AddConstraint(
            model_name="forecast",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("delivery_date"),
                models.F("model_name"),
                models.F("model_version"),
                models.F("issued_at"),
                name="forecast_issued_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="forecast",
            constraint=models.CheckConstraint(
                condition=models.Q(("inputs_until__lte", models.F("issued_at"))),
                name="forecast_uses_the_past",
            ),
        ),
        migrations.AddIndex(
            model_name="curvesnapshot",
            index=models.Index(fields=["market", "-as_of", "-id"], name="curve_latest"),
        ),
        migrations.AddConstraint(
            model_name="curvesnapshot",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("as_of"),
                models.F("content_hash"),
                name="curve_snapshot_content_once",
            ),
        ),
        migrations.AddIndex(
            model_name="quote",
            index=models.Index(
                fields=["market", "contract", "valid_from"], name="quote_contract_history"
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("valid_from"),
                models.F("contract"),
                models.F("load_type"),
                models.F("source"),
                models.F("recorded_at"),
                name="quote_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(("delivery_end__gt", models.F("delivery_start"))),
                name="quote_delivery_interval",
            ),
        ),
    ]
