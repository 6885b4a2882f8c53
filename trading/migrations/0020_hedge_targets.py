"""Hedge targets: versions by book, delivery point and delivery month."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0019_value_run_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="HedgeTarget",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("version", models.PositiveIntegerField()),
                ("own_volume_mwh", models.DecimalField(decimal_places=3, max_digits=15)),
                ("ratio_percent", models.DecimalField(decimal_places=2, max_digits=5)),
                ("tolerance_points", models.DecimalField(decimal_places=2, max_digits=5)),
                ("is_withdrawn", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=400)),
                ("recorded_by", models.CharField(max_length=120)),
                ("recorded_at", models.DateTimeField()),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hedge_targets",
                        to="trading.book",
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
                "permissions": [("set_hedge_targets", "Can set and withdraw hedge targets")],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("book"),
                        models.F("market"),
                        models.F("month"),
                        models.F("version"),
                        name="hedge_target_version_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ratio_percent__range", (0, 150))),
                        name="hedge_target_ratio",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("tolerance_points__range", (0, 150))),
                        name="hedge_target_tolerance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="hedge_target_month"
                    ),
                ],
            },
        ),
    ]
