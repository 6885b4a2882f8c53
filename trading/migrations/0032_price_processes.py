"""Price processes with their calibrations, and what simulations of structures were."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0031_contract_year_ends"),
    ]

    operations = [
        migrations.AddField(
            model_name="structurevalue",
            name="simulation",
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name="ProcessCalibration",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SPOT_NORMAL", "Mean-reverting spot, normal"),
                            ("SPOT_LOGNORMAL", "Mean-reverting spot, lognormal"),
                            ("TWO_FACTOR", "Two-factor forwards, lognormal"),
                            ("CORRELATION", "Correlation of two markets"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("FIXINGS", "History of fixings"),
                            ("QUOTES", "History of quoted contracts"),
                            ("VOLATILITIES", "Quoted volatilities"),
                        ],
                        max_length=12,
                    ),
                ),
                ("minutes", models.PositiveSmallIntegerField(default=1440)),
                ("first_date", models.DateField(null=True)),
                ("until_date", models.DateField()),
                ("vol_source", models.CharField(blank=True, max_length=80)),
                ("as_of", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("parameters", models.JSONField()),
                ("days", models.PositiveIntegerField()),
                ("observations", models.PositiveIntegerField()),
                ("figures", models.JSONField(default=list)),
                ("columns", models.JSONField(default=list)),
                ("rows", models.JSONField(default=list)),
                ("findings", models.JSONField(default=list)),
                ("content_hash", models.CharField(max_length=64)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calibrations",
                        to="trading.market",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PriceProcess",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SPOT_NORMAL", "Mean-reverting spot, normal"),
                            ("SPOT_LOGNORMAL", "Mean-reverting spot, lognormal"),
                            ("TWO_FACTOR", "Two-factor forwards, lognormal"),
                            ("CORRELATION", "Correlation of two markets"),
                        ],
                        max_length=16,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("parameters", models.JSONField()),
                ("reason", models.CharField(max_length=400)),
                ("proposed_by", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waits for approval"),
                            ("APPROVED", "Approved"),
                            ("DECLINED", "Declined"),
                        ],
                        default="PENDING",
                        max_length=8,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=400)),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="price_processes",
                        to="trading.market",
                    ),
                ),
                (
                    "second_market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "calibration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="processes",
                        to="trading.processcalibration",
                    ),
                ),
            ],
            options={
                "permissions": [
                    (
                        "propose_price_process",
                        "Can calibrate and propose how the prices of a market move",
                    ),
                    ("approve_price_process", "Can decide on price processes that others proposed"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="processcalibration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("first_date__isnull", True),
                    ("first_date__lt", models.F("until_date")),
                    _connector="OR",
                ),
                name="process_calibration_days_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceprocess",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("second_market"),
                models.F("number"),
                name="price_process_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="priceprocess",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("calibration__isnull", True),
                        ("kind", "CORRELATION"),
                        ("second_market__isnull", False),
                    ),
                    models.Q(
                        models.Q(("kind", "CORRELATION"), _negated=True),
                        ("second_market__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="price_process_correlation_is_of_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceprocess",
            constraint=models.CheckConstraint(
                condition=models.Q(("second_market", models.F("market")), _negated=True),
                name="price_process_two_markets",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceprocess",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decided_by", ""), ("status", "PENDING")
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("status__in", ["APPROVED", "DECLINED"]),
                        models.Q(("decided_by", ""), _negated=True),
                        models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="price_process_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceprocess",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="price_process_has_a_reason"
            ),
        ),
    ]
