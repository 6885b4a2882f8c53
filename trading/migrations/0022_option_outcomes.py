"""What became of options, the verbs that decide them, and who may."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0021_pricing_models"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="trade",
            options={
                "permissions": [
                    ("capture_trade", "Can capture orders"),
                    ("book_fill", "Can book executed fills"),
                    ("release_trade", "Can release or send back what another person captured"),
                    ("amend_trade", "Can amend, correct, novate and terminate trades"),
                    ("cancel_trade", "Can cancel trades"),
                    ("exercise_option", "Can record the exercise of options"),
                    ("override_check", "Can let a trade pass a check that stops it, with a reason"),
                ]
            },
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="event",
            field=models.CharField(
                choices=[
                    ("DRAFT", "Drafted"),
                    ("CAPTURE", "Captured"),
                    ("SUBMIT", "Submitted"),
                    ("RELEASE", "Released"),
                    ("REJECT", "Sent back"),
                    ("AMEND", "Amended"),
                    ("PROPOSE", "Amendment proposed"),
                    ("APPROVE", "Amendment approved"),
                    ("DECLINE", "Amendment refused"),
                    ("CORRECT", "Corrected"),
                    ("NOVATE", "Novated"),
                    ("TERMINATE", "Terminated"),
                    ("CANCEL", "Cancelled"),
                    ("EXERCISE", "Exercised"),
                    ("EXPIRE", "Expired"),
                    ("MATURE", "Matured"),
                    ("SETTLE", "Settled"),
                ],
                default="CAPTURE",
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="OptionOutcome",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("leg", models.PositiveSmallIntegerField()),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("EXERCISED", "Exercised"),
                            ("FIXED", "Fixed and paid"),
                            ("LAPSED", "Lapsed"),
                        ],
                        max_length=9,
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("prices", models.JSONField(default=list)),
                ("source", models.CharField(blank=True, max_length=120)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=24)),
                ("unit", models.CharField(max_length=12)),
                ("payoff", models.DecimalField(decimal_places=6, max_digits=18, null=True)),
                ("cash", models.DecimalField(decimal_places=4, max_digits=24)),
                ("currency", models.CharField(max_length=3)),
                ("due_date", models.DateField(null=True)),
                ("actor_id", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "result",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exercised_from",
                        to="trading.trade",
                    ),
                ),
                (
                    "trade",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outcomes",
                        to="trading.trade",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.tradeversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("trade"),
                        models.F("leg"),
                        models.F("start"),
                        name="option_period_decided_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))),
                        name="option_outcome_interval",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("result__isnull", True),
                            models.Q(("cash", 0), ("kind", "EXERCISED")),
                            _connector="OR",
                        ),
                        name="option_outcome_delivers_or_pays",
                    ),
                ],
            },
        ),
    ]
