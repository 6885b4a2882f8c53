"""Trades become headers with versions of legs, and positions hold any product."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# What was booked so far were power forwards at a fixed price: two legs each, live since capture.
FILL = """
UPDATE trading_tradeversion version
SET book_id = trade.book_id, counterparty_id = trade.counterparty_id,
    effective_at = version.traded_at, quantity = version.quantity_mw, volume = version.energy_mwh
FROM trading_trade trade WHERE trade.id = version.trade_id;
UPDATE trading_positiondelta SET physical = exposure;
UPDATE trading_positiontotal SET physical = exposure;
INSERT INTO trading_leg
    (version_id, number, direction, kind, settlement, market_id, index_code, shape, shape_version,
     first_date, after_date, start, "end", quantity, unit, frequency, quantity_mw, price,
     multiplier, price_unit, currency, terms)
SELECT version.id, leg.number,
       CASE WHEN (version.side = 'BUY') = (leg.number = 1) THEN 'RECEIVE' ELSE 'PAY' END,
       leg.kind, leg.settlement, version.market_id, '', version.shape, 1, version.first_date,
       version.after_date, version.delivery_start, version.delivery_end, version.quantity_mw, 'MW',
       'HOUR', version.quantity_mw, CASE leg.number WHEN 2 THEN version.price END, 1, 'MWh',
       version.currency, '{}'
FROM trading_tradeversion version
CROSS JOIN (VALUES (1, 'DELIVERY', 'PHYSICAL'), (2, 'FIXED', 'CASH')) AS leg(number, kind, settlement);
"""
# Rows of numbers do not compress, and trying costs more than it saves.
PLAIN_BYTES = """
ALTER TABLE trading_profilemonth ALTER COLUMN micro_mw SET STORAGE EXTERNAL;
ALTER TABLE trading_positiondelta ALTER COLUMN physical_profile SET STORAGE EXTERNAL;
ALTER TABLE trading_positiondelta ALTER COLUMN exposure_profile SET STORAGE EXTERNAL;
ALTER TABLE trading_positiontotal ALTER COLUMN physical_profile SET STORAGE EXTERNAL;
ALTER TABLE trading_positiontotal ALTER COLUMN exposure_profile SET STORAGE EXTERNAL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("trading", "0006_curve_versions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Fee",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "direction",
                    models.CharField(
                        choices=[("PAY", "We pay"), ("RECEIVE", "We receive")], max_length=7
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("BROKER", "Broker"),
                            ("EXCHANGE", "Exchange"),
                            ("CLEARING", "Clearing"),
                            ("TERMINATION", "Termination"),
                        ],
                        max_length=12,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=6, max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                ("basis", models.CharField(default="FLAT", max_length=8)),
                ("payee", models.CharField(blank=True, max_length=40)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Leg",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "direction",
                    models.CharField(
                        choices=[("PAY", "We pay"), ("RECEIVE", "We receive")], max_length=7
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("DELIVERY", "Delivery"),
                            ("FIXED", "Fixed price"),
                            ("FLOATING", "Index"),
                            ("OPTION", "Option"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "settlement",
                    models.CharField(
                        choices=[("PHYSICAL", "Physical"), ("CASH", "Cash")], max_length=8
                    ),
                ),
                ("index_code", models.CharField(blank=True, max_length=40)),
                ("shape", models.CharField(max_length=16)),
                ("shape_version", models.PositiveIntegerField(default=1)),
                ("first_date", models.DateField()),
                ("after_date", models.DateField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("quantity", models.DecimalField(decimal_places=6, max_digits=18)),
                ("unit", models.CharField(max_length=12)),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("HOUR", "Hour"),
                            ("DAY", "Day"),
                            ("MONTH", "Month"),
                            ("TOTAL", "Total"),
                        ],
                        max_length=8,
                    ),
                ),
                ("lots", models.DecimalField(decimal_places=0, max_digits=12, null=True)),
                ("quantity_mw", models.DecimalField(decimal_places=6, max_digits=18, null=True)),
                ("price", models.DecimalField(decimal_places=6, max_digits=16, null=True)),
                ("multiplier", models.DecimalField(decimal_places=6, default=1, max_digits=12)),
                ("price_unit", models.CharField(max_length=12)),
                ("currency", models.CharField(max_length=3)),
                ("terms", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Profile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("minutes", models.PositiveSmallIntegerField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("intervals", models.PositiveIntegerField()),
                ("content_hash", models.CharField(max_length=64)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProfileMonth",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("micro_mw", models.BinaryField()),
            ],
        ),
        migrations.AlterModelOptions(
            name="trade",
            options={
                "permissions": [
                    ("capture_trade", "Can capture orders"),
                    ("book_fill", "Can book executed fills"),
                    ("release_trade", "Can release or send back what another person captured"),
                    ("amend_trade", "Can amend, correct, novate and terminate trades"),
                    ("cancel_trade", "Can cancel trades"),
                    ("override_check", "Can let a trade pass a check that stops it, with a reason"),
                ]
            },
        ),
        migrations.RemoveConstraint(
            model_name="positiontotal",
            name="position_total_once",
        ),
        migrations.RemoveConstraint(
            model_name="tradeversion",
            name="trade_quantity_positive",
        ),
        migrations.AddField(
            model_name="book",
            name="four_eyes_from",
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="basis",
            field=models.CharField(
                choices=[
                    ("HOUR", "An hour of the shape"),
                    ("DAY", "A delivery day of the shape"),
                    ("AMOUNT", "The whole interval"),
                    ("PROFILE", "The whole interval, by the interval"),
                ],
                default="HOUR",
                max_length=8,
            ),
        ),
        migrations.RenameField("positiondelta", "mw", "exposure"),
        migrations.AlterField(
            model_name="positiondelta",
            name="exposure",
            field=models.DecimalField(decimal_places=15, max_digits=38),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="exposure_profile",
            field=models.BinaryField(default=b""),
        ),
        migrations.RenameField("positiondelta", "mw_price", "fixed"),
        migrations.AlterField(
            model_name="positiondelta",
            name="fixed",
            field=models.DecimalField(decimal_places=15, max_digits=40),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="minutes",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="physical",
            field=models.DecimalField(decimal_places=15, default=0, max_digits=38),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="physical_profile",
            field=models.BinaryField(default=b""),
        ),
        migrations.RenameField("positiondelta", "load_type", "shape"),
        migrations.AlterField(
            model_name="positiondelta",
            name="shape",
            field=models.CharField(max_length=16),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="shape_version",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="stage",
            field=models.CharField(
                choices=[("LIVE", "Held"), ("PENDING", "Waits for release")],
                default="LIVE",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="positiondelta",
            name="unit",
            field=models.CharField(default="MWh", max_length=12),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="basis",
            field=models.CharField(
                choices=[
                    ("HOUR", "An hour of the shape"),
                    ("DAY", "A delivery day of the shape"),
                    ("AMOUNT", "The whole interval"),
                    ("PROFILE", "The whole interval, by the interval"),
                ],
                default="HOUR",
                max_length=8,
            ),
        ),
        migrations.RenameField("positiontotal", "mw", "exposure"),
        migrations.AlterField(
            model_name="positiontotal",
            name="exposure",
            field=models.DecimalField(decimal_places=15, max_digits=38),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="exposure_profile",
            field=models.BinaryField(default=b""),
        ),
        migrations.RenameField("positiontotal", "mw_price", "fixed"),
        migrations.AlterField(
            model_name="positiontotal",
            name="fixed",
            field=models.DecimalField(decimal_places=15, max_digits=40),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="minutes",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="physical",
            field=models.DecimalField(decimal_places=15, default=0, max_digits=38),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="physical_profile",
            field=models.BinaryField(default=b""),
        ),
        migrations.RenameField("positiontotal", "load_type", "shape"),
        migrations.AlterField(
            model_name="positiontotal",
            name="shape",
            field=models.CharField(max_length=16),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="shape_version",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="stage",
            field=models.CharField(
                choices=[("LIVE", "Held"), ("PENDING", "Waits for release")],
                default="LIVE",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="positiontotal",
            name="unit",
            field=models.CharField(default="MWh", max_length=12),
        ),
        migrations.AddField(
            model_name="trade",
            name="external_id",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="trade",
            name="mirror",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="mirrored_by",
                to="trading.trade",
            ),
        ),
        migrations.AddField(
            model_name="trade",
            name="package_id",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="trade",
            name="product_kind",
            field=models.CharField(
                choices=[
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
                ],
                default="PHYSICAL_FORWARD",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="trade",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replaced_by",
                to="trading.trade",
            ),
        ),
        migrations.AddField(
            model_name="trade",
            name="source",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="book",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.book",
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="broker",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="clearing_account",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="counterparty",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.counterparty",
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="effective_at",
            field=models.DateTimeField(
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="event",
            field=models.CharField(
                choices=[
                    ("DRAFT", "Drafted"),
                    ("CAPTURE", "Captured"),
                    ("SUBMIT", "Submitted"),
                    ("RELEASE", "Released"),
                    ("REJECT", "Sent back"),
                    ("AMEND", "Amended"),
                    ("CORRECT", "Corrected"),
                    ("NOVATE", "Novated"),
                    ("TERMINATE", "Terminated"),
                    ("CANCEL", "Cancelled"),
                    ("MATURE", "Matured"),
                    ("SETTLE", "Settled"),
                ],
                default="CAPTURE",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="frequency",
            field=models.CharField(default="HOUR", max_length=8),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="mic",
            field=models.CharField(blank=True, max_length=4),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="price_unit",
            field=models.CharField(default="MWh", max_length=12),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="product_kind",
            field=models.CharField(
                choices=[
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
                ],
                default="PHYSICAL_FORWARD",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="quantity",
            field=models.DecimalField(null=True, decimal_places=6, max_digits=18),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="quantity_unit",
            field=models.CharField(default="MW", max_length=12),
        ),
        migrations.RenameField("tradeversion", "load_type", "shape"),
        migrations.AlterField(
            model_name="tradeversion",
            name="shape",
            field=models.CharField(max_length=16),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="status",
            field=models.CharField(
                choices=[
                    ("DRAFT", "Draft"),
                    ("PENDING", "Waits for release"),
                    ("LIVE", "Live"),
                    ("NOVATED", "Novated"),
                    ("TERMINATED", "Terminated"),
                    ("MATURED", "Matured"),
                    ("SETTLED", "Settled"),
                    ("CANCELLED", "Cancelled"),
                ],
                default="LIVE",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="terms",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.tradeversion",
            ),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="volume",
            field=models.DecimalField(decimal_places=6, default=0, max_digits=24),
        ),
        migrations.AddField(
            model_name="tradeversion",
            name="volume_unit",
            field=models.CharField(default="MWh", max_length=12),
        ),
        migrations.AlterField(
            model_name="approvedproduct",
            name="product_kind",
            field=models.CharField(
                blank=True,
                choices=[
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
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="positiondelta",
            name="recorded_at",
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name="trade",
            name="status",
            field=models.CharField(
                choices=[
                    ("DRAFT", "Draft"),
                    ("PENDING", "Waits for release"),
                    ("LIVE", "Live"),
                    ("NOVATED", "Novated"),
                    ("TERMINATED", "Terminated"),
                    ("MATURED", "Matured"),
                    ("SETTLED", "Settled"),
                    ("CANCELLED", "Cancelled"),
                ],
                default="LIVE",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="energy_mwh",
            field=models.DecimalField(decimal_places=6, max_digits=24, null=True),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="hours",
            field=models.DecimalField(decimal_places=4, max_digits=14, null=True),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="notional",
            field=models.DecimalField(decimal_places=4, max_digits=24, null=True),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="price",
            field=models.DecimalField(decimal_places=6, max_digits=16, null=True),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="quantity_mw",
            field=models.DecimalField(decimal_places=6, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="fee",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="fees",
                to="trading.tradeversion",
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="index",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.priceindex",
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="market",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trading.market"
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="legs",
                to="trading.tradeversion",
            ),
        ),
        migrations.AddField(
            model_name="leg",
            name="profile",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.profile",
            ),
        ),
        migrations.AddField(
            model_name="profilemonth",
            name="profile",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="months",
                to="trading.profile",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        # Foreign keys are deferred; a table with unchecked rows cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(PLAIN_BYTES, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="tradeversion",
            name="book",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trading.book"
            ),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="counterparty",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.counterparty",
            ),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="effective_at",
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="quantity",
            field=models.DecimalField(decimal_places=6, max_digits=18),
        ),
        migrations.AddIndex(
            model_name="trade",
            index=models.Index(
                condition=models.Q(("package_id", ""), _negated=True),
                fields=["package_id"],
                name="trade_of_package",
            ),
        ),
        migrations.AddIndex(
            model_name="tradeversion",
            index=models.Index(fields=["book", "recorded_at"], name="trade_version_of_book_at"),
        ),
        migrations.AddConstraint(
            model_name="book",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("four_eyes_from", None), ("four_eyes_from__gte", 0), _connector="OR"
                ),
                name="book_four_eyes_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="positiontotal",
            constraint=models.UniqueConstraint(
                models.F("book"),
                models.F("stage"),
                models.F("market"),
                models.F("currency"),
                models.F("basis"),
                models.F("unit"),
                models.F("shape"),
                models.F("shape_version"),
                models.F("start"),
                models.F("end"),
                models.F("minutes"),
                name="position_total_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                models.F("source"),
                models.F("external_id"),
                condition=models.Q(("external_id", ""), _negated=True),
                name="trade_external_id_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="trade",
            constraint=models.CheckConstraint(
                condition=models.Q(("mirror", models.F("id")), _negated=True),
                name="trade_not_its_own_mirror",
            ),
        ),
        migrations.AddConstraint(
            model_name="tradeversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="trade_quantity_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="profile",
            constraint=models.CheckConstraint(
                condition=models.Q(("minutes__in", [15, 30, 60])), name="profile_minutes_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="profile",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="profile_interval"
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.UniqueConstraint(
                models.F("version"), models.F("number"), name="fee_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="fee",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="fee_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="leg",
            constraint=models.UniqueConstraint(
                models.F("version"), models.F("number"), name="leg_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="leg",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="leg_interval"
            ),
        ),
        migrations.AddConstraint(
            model_name="leg",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="leg_currency_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="leg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("index_code__gt", ""), ("kind__in", ["FLOATING", "OPTION"])),
                    models.Q(("index_code", ""), ("kind__in", ["DELIVERY", "FIXED"])),
                    _connector="OR",
                ),
                name="leg_floats_on_an_index",
            ),
        ),
        migrations.AddConstraint(
            model_name="profilemonth",
            constraint=models.UniqueConstraint(
                models.F("profile"), models.F("start"), name="profile_month_once"
            ),
        ),
    ]
