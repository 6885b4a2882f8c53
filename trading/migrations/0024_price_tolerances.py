"""How far other sources may be off a curve: versions by curve."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0023_metered_versions"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceTolerance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "amount",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=9,
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                ("recorded_by", models.CharField(max_length=120)),
                ("recorded_at", models.DateTimeField()),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="price_tolerances",
                        to="trading.curvedefinition",
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("definition"),
                        models.F("version"),
                        name="price_tolerance_version_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("percent__range", (0, 100))),
                        name="price_tolerance_range",
                    ),
                ],
            },
        ),
    ]
