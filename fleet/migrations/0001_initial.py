"""Dispatch runs, the plan of each device, and settlements of metered energy."""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("devices", "0001_initial"),
        ("trading", "0001_markets"),
    ]

    operations = [
        migrations.CreateModel(
            name="DispatchRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("delivery_date", models.DateField()),
                ("number", models.PositiveIntegerField()),
                ("planned_at", models.DateTimeField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("device_count", models.PositiveIntegerField()),
                ("refused_count", models.PositiveIntegerField()),
                ("expected_value", models.FloatField()),
                ("currency", models.CharField(max_length=3)),
                ("solver", models.CharField(max_length=80)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "forecast",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.forecast",
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
            ],
            options={
                "permissions": [("dispatch_fleet", "Can plan the fleet and send schedules")],
            },
        ),
        migrations.CreateModel(
            name="DevicePlan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("schedule_id", models.UUIDField()),
                ("end", models.DateTimeField()),
                ("initial_soc", models.FloatField()),
                ("final_soc", models.FloatField()),
                ("expected_value", models.FloatField()),
                ("refusal", models.CharField(blank=True, max_length=200)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="devices.device",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="plans",
                        to="fleet.dispatchrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EnergySettlement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("delivery_date", models.DateField()),
                ("settled_at", models.DateTimeField()),
                ("device_count", models.PositiveIntegerField()),
                ("import_kwh", models.DecimalField(decimal_places=3, max_digits=18)),
                ("export_kwh", models.DecimalField(decimal_places=3, max_digits=18)),
                ("consumption_kwh", models.DecimalField(decimal_places=3, max_digits=18)),
                ("moved_kwh", models.DecimalField(decimal_places=3, max_digits=18)),
                ("acknowledged_kwh", models.DecimalField(decimal_places=6, max_digits=18)),
                (
                    "tolerance",
                    models.DecimalField(decimal_places=4, default=Decimal("0.01"), max_digits=5),
                ),
                ("booked_rows", models.PositiveIntegerField()),
                ("missing_periods", models.PositiveIntegerField()),
                ("estimated_periods", models.PositiveIntegerField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
            ],
            options={
                "permissions": [("settle_energy", "Can settle metered energy of the fleet")],
            },
        ),
        migrations.AddConstraint(
            model_name="dispatchrun",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("delivery_date"),
                models.F("number"),
                name="dispatch_run_numbered",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatchrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("refused_count__lte", models.F("device_count"))),
                name="dispatch_run_refused_of_all",
            ),
        ),
        migrations.AddIndex(
            model_name="deviceplan",
            index=models.Index(fields=["device", "-end"], name="device_plan_newest"),
        ),
        migrations.AddConstraint(
            model_name="deviceplan",
            constraint=models.UniqueConstraint(
                models.F("run"), models.F("device"), name="device_plan_once"
            ),
        ),
        migrations.AddIndex(
            model_name="energysettlement",
            index=models.Index(
                fields=["market", "delivery_date", "-id"], name="energy_settlement_newest"
            ),
        ),
    ]
