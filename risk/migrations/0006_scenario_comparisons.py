import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0005_scenario_definitions"),
        ("trading", "0032_price_processes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScenarioComparison",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("valued_at", models.DateTimeField()),
                ("currency", models.CharField(max_length=3)),
                ("sides", models.JSONField()),
                ("findings", models.JSONField(default=list)),
                ("asked_by", models.CharField(max_length=120)),
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
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="risk.scenariodefinition",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="risk.scenariodefinition",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first", models.F("second")), _negated=True),
                        name="scenario_comparison_of_two",
                    )
                ],
            },
        ),
    ]
