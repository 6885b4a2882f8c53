"""Closing times, proofs of closed days, their openings, and P&L steps added up by report."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("trading", "0013_plants"),
    ]

    operations = [
        migrations.AddField(
            model_name="endofday",
            name="opening",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.valuationrun",
            ),
        ),
        migrations.CreateModel(
            name="ClosingTime",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("closes_at", models.TimeField()),
                ("is_active", models.BooleanField(default=True)),
                (
                    "holidays",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.holidaycalendar",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="closing_time",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EndOfDayProof",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("input_hash", models.CharField(max_length=64)),
                ("result_hash", models.CharField(max_length=64)),
                ("reports", models.JSONField(default=dict)),
                ("differences", models.JSONField(default=list)),
                ("tzdata", models.CharField(max_length=16)),
                ("code", models.CharField(max_length=40)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "end_of_day",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="trading.endofday",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PnlStepTotal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("name", models.CharField(blank=True, max_length=32)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="step_totals",
                        to="trading.pnlreport",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("report"),
                        models.F("kind"),
                        models.F("name"),
                        name="pnl_step_total_once",
                    )
                ],
            },
        ),
    ]
