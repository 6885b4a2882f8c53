"""Devices, their tokens, and how each was when it was last heard."""

import uuid
from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=64)),
                (
                    "transport",
                    models.CharField(
                        choices=[("http", "HTTP poll"), ("mqtt", "MQTT")],
                        default="http",
                        max_length=8,
                    ),
                ),
                ("capacity_kwh", models.DecimalField(decimal_places=3, max_digits=10)),
                ("max_charge_kw", models.DecimalField(decimal_places=3, max_digits=9)),
                ("max_discharge_kw", models.DecimalField(decimal_places=3, max_digits=9)),
                (
                    "charge_efficiency",
                    models.DecimalField(decimal_places=4, default=Decimal("0.9500"), max_digits=5),
                ),
                (
                    "discharge_efficiency",
                    models.DecimalField(decimal_places=4, default=Decimal("0.9500"), max_digits=5),
                ),
                (
                    "min_soc",
                    models.DecimalField(decimal_places=4, default=Decimal("0.0500"), max_digits=5),
                ),
                (
                    "max_soc",
                    models.DecimalField(decimal_places=4, default=Decimal("0.9500"), max_digits=5),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="accounts.organization",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="devices",
                        to="accounts.site",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("register_device", "Can register devices and hand out their credentials"),
                    ("publish_schedule", "Can publish schedules to devices"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeviceCredential",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credentials",
                        to="devices.device",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeviceStatus",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="status_row",
                        serialize=False,
                        to="devices.device",
                    ),
                ),
                ("last_seen_at", models.DateTimeField()),
                ("sampled_at", models.DateTimeField(null=True)),
                ("state", models.CharField(blank=True, max_length=12)),
                ("fault", models.CharField(blank=True, max_length=300)),
                ("soc", models.FloatField(null=True)),
                ("power_kw", models.FloatField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["last_seen_at"], name="device_status_seen")],
            },
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.UniqueConstraint(
                models.F("organization"), models.F("code"), name="device_code_in_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity_kwh__gt", 0)), name="device_capacity"
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_charge_kw__gte", 0),
                    ("max_charge_kw__lte", 1000),
                    ("max_discharge_kw__gte", 0),
                    ("max_discharge_kw__lte", 1000),
                ),
                name="device_power_0_to_1000",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("charge_efficiency__gt", 0),
                    ("charge_efficiency__lte", 1),
                    ("discharge_efficiency__gt", 0),
                    ("discharge_efficiency__lte", 1),
                ),
                name="device_efficiency_0_to_1",
            ),
        ),
        migrations.AddConstraint(
            model_name="device",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_soc__lte", 1), ("min_soc__gte", 0), ("min_soc__lt", models.F("max_soc"))
                ),
                name="device_soc_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="devicecredential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("device",),
                name="device_credential_in_force_once",
            ),
        ),
    ]
