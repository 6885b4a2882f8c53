"""What holders of contracts with choices nominated, and what such contracts were worth."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0026_option_greeks"),
    ]

    operations = [
        migrations.CreateModel(
            name="StructureNomination",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("leg", models.PositiveSmallIntegerField()),
                ("day", models.DateField()),
                ("quantities", models.JSONField()),
                ("nominated_at", models.DateTimeField()),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "trade",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="nominations",
                        to="trading.trade",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.tradeversion",
                    ),
                ),
            ],
            options={
                "permissions": [
                    (
                        "nominate_structure",
                        "Can nominate days of contracts with choices",
                    )
                ],
                "indexes": [
                    models.Index(
                        fields=["trade", "leg", "day", "-id"], name="structure_nominated_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StructureValue",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("leg", models.PositiveSmallIntegerField()),
                ("as_of", models.DateTimeField()),
                ("known_at", models.DateTimeField()),
                ("currency", models.CharField(max_length=3)),
                ("realised", models.DecimalField(decimal_places=2, max_digits=20)),
                ("unrealised", models.DecimalField(decimal_places=2, max_digits=20)),
                ("time_value", models.DecimalField(decimal_places=2, max_digits=20)),
                ("method", models.CharField(blank=True, max_length=32)),
                ("gap", models.FloatField()),
                ("standard_error", models.FloatField(null=True)),
                ("chosen", models.PositiveIntegerField()),
                ("starts", models.BinaryField()),
                ("quantity", models.BinaryField()),
                ("level", models.BinaryField()),
                ("price", models.BinaryField()),
                ("cash", models.BinaryField()),
                ("hedge", models.JSONField(default=list)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("findings", models.JSONField(default=list)),
                ("content_hash", models.CharField(max_length=64)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.pricingmodel",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="structures",
                        to="trading.valuationrun",
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
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.tradeversion",
                    ),
                ),
            ],
            options={
                "permissions": [("value_structure", "Can value a contract with choices by itself")],
                "indexes": [
                    models.Index(fields=["trade", "-as_of", "-id"], name="structure_value_latest")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("run"),
                        models.F("trade"),
                        models.F("leg"),
                        name="structure_value_once",
                    )
                ],
            },
        ),
    ]
