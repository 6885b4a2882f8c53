"""Pricing models: versions by market and family of options, decided by a second person."""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0020_hedge_targets"),
    ]

    operations = [
        migrations.CreateModel(
            name="PricingModel",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "family",
                    models.CharField(
                        choices=[
                            ("VANILLA", "On a forward"),
                            ("SPREAD", "On the spread of two forwards"),
                            ("AVERAGE", "On an average of fixings"),
                        ],
                        max_length=8,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "formula",
                    models.CharField(
                        choices=[
                            ("BLACK76", "Black-76, lognormal"),
                            ("BACHELIER", "Bachelier, normal"),
                            (
                                "DISPLACED_BLACK",
                                "Displaced Black, lognormal of price + displacement",
                            ),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "displacement",
                    models.DecimalField(decimal_places=6, default=Decimal("0"), max_digits=12),
                ),
                (
                    "correlation",
                    models.DecimalField(blank=True, decimal_places=6, max_digits=7, null=True),
                ),
                (
                    "discounting",
                    models.CharField(
                        choices=[
                            ("CURVE", "The currency's discount curve to the payment date"),
                            ("NONE", "None, as of options with daily margin"),
                        ],
                        default="CURVE",
                        max_length=5,
                    ),
                ),
                ("vol_source", models.CharField(blank=True, max_length=80)),
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
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pricing_models",
                        to="trading.market",
                    ),
                ),
                (
                    "second_market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
            ],
            options={
                "permissions": [
                    (
                        "propose_pricing_model",
                        "Can propose which formula values the options of a market",
                    ),
                    ("approve_pricing_model", "Can decide on pricing models that others proposed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("market"),
                        models.F("second_market"),
                        models.F("family"),
                        models.F("number"),
                        name="pricing_model_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("correlation__range", (-1, 1)),
                                ("family", "SPREAD"),
                                ("second_market__isnull", False),
                            ),
                            models.Q(
                                models.Q(("family", "SPREAD"), _negated=True),
                                ("correlation__isnull", True),
                                ("second_market__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="pricing_model_spread_is_of_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("second_market", models.F("market")), _negated=True),
                        name="pricing_model_two_markets",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("displacement__gt", 0), ("formula", "DISPLACED_BLACK")),
                            models.Q(
                                models.Q(("formula", "DISPLACED_BLACK"), _negated=True),
                                ("displacement", 0),
                            ),
                            _connector="OR",
                        ),
                        name="pricing_model_displacement",
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
                        name="pricing_model_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="pricing_model_has_a_reason",
                    ),
                ],
            },
        ),
    ]
