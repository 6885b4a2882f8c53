"""What hedges of contracts with choices are by full revaluation."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0028_correlation_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="StructureHedgeCheck",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("price_step", models.FloatField()),
                ("vol_step", models.FloatField(null=True)),
                ("rows", models.JSONField()),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "value",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hedge_check",
                        to="trading.structurevalue",
                    ),
                ),
            ],
        ),
    ]
