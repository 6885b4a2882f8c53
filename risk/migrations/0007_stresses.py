import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0006_scenario_comparisons"),
        ("trading", "0032_price_processes"),
    ]

    operations = [
        migrations.CreateModel(
            name="StressRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("value", models.FloatField()),
                ("results", models.JSONField()),
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
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="risk.marketsnapshot",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StressScenario",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=400)),
                ("proposed_by", models.CharField(max_length=120)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waits for approval"),
                            ("APPROVED", "Approved"),
                            ("DECLINED", "Declined"),
                        ],
                        default="PENDING",
                        max_length=8,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=400)),
                ("code", models.CharField(max_length=24)),
                ("name", models.CharField(max_length=80)),
                ("source", models.CharField(max_length=200)),
                ("owner", models.CharField(max_length=80)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("code"), models.F("number"), name="stress_scenario_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("name", ""), _negated=True),
                            models.Q(("source", ""), _negated=True),
                            models.Q(("owner", ""), _negated=True),
                        ),
                        name="stress_scenario_has_its_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by", ""),
                                ("status", "PENDING"),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("status__in", ["APPROVED", "DECLINED"]),
                                models.Q(("decided_by", ""), _negated=True),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="stress_scenario_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="stress_scenario_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StressShock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=80)),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("PRICE", "Prices"),
                            ("EVENT", "Prices, as between two past days"),
                            ("VOLATILITY", "Implied volatilities"),
                            ("RATE", "Exchange rate"),
                            ("VOLUME", "Volumes"),
                        ],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(blank=True, max_length=3)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("ABSOLUTE", "Amount, at any price"),
                            ("RELATIVE", "Share of the price"),
                            ("LOGARITHMIC", "Logarithm of the price"),
                            ("DISPLACED", "Logarithm above a displacement"),
                        ],
                        default="RELATIVE",
                        max_length=11,
                    ),
                ),
                ("displacement", models.FloatField(default=0.0)),
                ("size", models.FloatField(default=0.0)),
                ("event_from", models.DateField(blank=True, null=True)),
                ("event_until", models.DateField(blank=True, null=True)),
                ("first_tenor", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("last_tenor", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "scenario",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shocks",
                        to="risk.stressscenario",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("scenario"), models.F("position"), name="stress_shock_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("displacement__gt", 0), ("rule", "DISPLACED")),
                            models.Q(
                                models.Q(("rule", "DISPLACED"), _negated=True), ("displacement", 0)
                            ),
                            _connector="OR",
                        ),
                        name="stress_shock_displacement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("event_from__lt", models.F("event_until")),
                                ("size", 0),
                                ("target", "EVENT"),
                            ),
                            models.Q(
                                models.Q(("target", "EVENT"), _negated=True),
                                models.Q(("size", 0), _negated=True),
                                ("event_from__isnull", True),
                                ("event_until__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="stress_shock_size_or_event",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("market__isnull", True),
                                ("target", "RATE"),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            models.Q(models.Q(("target", "RATE"), _negated=True), ("currency", "")),
                            _connector="OR",
                        ),
                        name="stress_shock_rate_is_of_a_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_tenor__isnull", True),
                            ("last_tenor__isnull", True),
                            ("first_tenor__lte", models.F("last_tenor")),
                            _connector="OR",
                        ),
                        name="stress_shock_tenors_in_order",
                    ),
                ],
            },
        ),
    ]
