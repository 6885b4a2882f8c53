"""Runs that value trades, reports that explain a day, adjustments, and closed days."""

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("trading", "0009_blotter_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="ValuationRun",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("as_of", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("inputs", models.JSONField()),
                ("input_hash", models.CharField(max_length=64)),
                ("result_hash", models.CharField(max_length=64)),
                ("findings", models.JSONField(default=list)),
                ("trades", models.PositiveIntegerField()),
                ("unvalued", models.PositiveIntegerField()),
                ("tzdata", models.CharField(max_length=16)),
                ("code", models.CharField(max_length=40)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("value_books", "Can value all books of the organization and explain the day")
                ],
            },
        ),
        migrations.CreateModel(
            name="TradeValue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("product_kind", models.CharField(max_length=20)),
                ("currency", models.CharField(max_length=3)),
                ("realised", models.DecimalField(decimal_places=2, max_digits=20)),
                ("unrealised", models.DecimalField(decimal_places=2, max_digits=20)),
                ("fees", models.DecimalField(decimal_places=2, max_digits=20)),
                ("reporting_currency", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=12, max_digits=24)),
                ("realised_reporting", models.DecimalField(decimal_places=2, max_digits=20)),
                ("unrealised_reporting", models.DecimalField(decimal_places=2, max_digits=20)),
                ("is_valued", models.BooleanField()),
                (
                    "book",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.book",
                    ),
                ),
                (
                    "counterparty",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.counterparty",
                    ),
                ),
                (
                    "trade",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.trade",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.tradeversion",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values",
                        to="trading.valuationrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PnlReport",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("FLASH", "Flash"),
                            ("OFFICIAL", "Official"),
                            ("RESTATED", "Restated"),
                        ],
                        max_length=8,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("opening_value", models.DecimalField(decimal_places=2, max_digits=20)),
                ("closing_value", models.DecimalField(decimal_places=2, max_digits=20)),
                ("total", models.DecimalField(decimal_places=2, max_digits=20)),
                ("content_hash", models.CharField(max_length=64)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.book",
                    ),
                ),
                (
                    "restates",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="restated_by",
                        to="trading.pnlreport",
                    ),
                ),
                (
                    "closing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.valuationrun",
                    ),
                ),
                (
                    "opening",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.valuationrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EndOfDay",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("number", models.PositiveIntegerField()),
                ("as_of", models.DateTimeField()),
                ("is_restatement", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("RUNNING", "Running"),
                            ("FAILED", "Failed"),
                            ("READY", "Ready for sign-off"),
                            ("SIGNED", "Signed off"),
                        ],
                        default="RUNNING",
                        max_length=8,
                    ),
                ),
                ("job_id", models.UUIDField(null=True)),
                ("checks", models.JSONField(default=list)),
                ("steps", models.JSONField(default=list)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("requested_by", models.CharField(max_length=120)),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("signed_by", models.CharField(blank=True, max_length=120)),
                ("signed_at", models.DateTimeField(null=True)),
                ("signed_reason", models.CharField(blank=True, max_length=400)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.valuationrun",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("run_end_of_day", "Can close a day and run it again"),
                    ("sign_end_of_day", "Can sign off a day that another person closed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PnlAdjustment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=400)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waits for approval"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                        ],
                        default="PENDING",
                        max_length=8,
                    ),
                ),
                ("requested_by", models.CharField(max_length=120)),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=400)),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.book",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("adjust_pnl", "Can ask for an adjustment of a day's P&L"),
                    ("approve_pnl", "Can decide on adjustments that others asked for"),
                ],
                "indexes": [models.Index(fields=["book", "day"], name="pnl_adjustment_of_day")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", 0), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                        ),
                        name="pnl_adjustment_says_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None), ("decided_by", ""), ("status", "PENDING")
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("status__in", ["APPROVED", "REJECTED"]),
                                models.Q(("decided_by", ""), _negated=True),
                                models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="pnl_adjustment_decided_by_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PnlStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("name", models.CharField(blank=True, max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("realised", models.DecimalField(decimal_places=2, max_digits=20)),
                ("reporting", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="trading.pnlreport",
                    ),
                ),
                (
                    "trade",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.trade",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("report"),
                        models.F("trade"),
                        models.F("currency"),
                        models.F("kind"),
                        models.F("name"),
                        name="pnl_step_once",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="valuationrun",
            index=models.Index(
                fields=["organization", "-as_of", "-id"], name="valuation_run_latest"
            ),
        ),
        migrations.AddConstraint(
            model_name="tradevalue",
            constraint=models.UniqueConstraint(
                models.F("run"), models.F("trade"), models.F("currency"), name="trade_value_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="tradevalue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("currency__regex", "^[A-Z]{3}$"), ("reporting_currency__regex", "^[A-Z]{3}$")
                ),
                name="trade_value_currency_codes",
            ),
        ),
        migrations.AddConstraint(
            model_name="pnlreport",
            constraint=models.UniqueConstraint(
                models.F("book"),
                models.F("day"),
                models.F("kind"),
                models.F("number"),
                name="pnl_report_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="pnlreport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(
                            models.F("closing_value"), "-", models.F("opening_value")
                        ),
                    )
                ),
                name="pnl_report_total_is_the_change",
            ),
        ),
        migrations.AddConstraint(
            model_name="endofday",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                models.F("day"),
                models.F("number"),
                name="end_of_day_number_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="endofday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("run__isnull", False),
                        ("signed_at__isnull", False),
                        ("state", "SIGNED"),
                        models.Q(("signed_by", ""), _negated=True),
                        models.Q(("signed_by", models.F("requested_by")), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "SIGNED"), _negated=True),
                        ("signed_at", None),
                        ("signed_by", ""),
                    ),
                    _connector="OR",
                ),
                name="end_of_day_signed_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="endofday",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                models.F("day"),
                condition=models.Q(("is_restatement", False), ("state", "SIGNED")),
                name="end_of_day_signed_once",
            ),
        ),
    ]
