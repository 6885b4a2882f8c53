"""How option trades move, stored beside the values of a run."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0025_structures"),
    ]

    operations = [
        migrations.CreateModel(
            name="OptionGreek",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("shape", models.CharField(max_length=16)),
                ("unit", models.CharField(max_length=12)),
                ("currency", models.CharField(max_length=3)),
                ("delta", models.DecimalField(decimal_places=6, max_digits=26)),
                ("gamma", models.DecimalField(decimal_places=6, max_digits=26)),
                ("vega", models.DecimalField(decimal_places=6, max_digits=26)),
                ("theta", models.DecimalField(decimal_places=6, max_digits=26)),
                (
                    "market",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.pricingmodel",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="greeks",
                        to="trading.valuationrun",
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
            ],
            options={
                "indexes": [models.Index(fields=["run", "trade"], name="option_greek_of_run")],
            },
        ),
    ]
