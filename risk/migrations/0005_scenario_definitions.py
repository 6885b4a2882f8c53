import re

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SENTENCE = re.compile(r"month \+(\d+): (\d+) of \d+ scenarios")


def move_sentences(apps, schema_editor):
    """Make entries of the register from the sentences that sets had about months without quotes."""
    shocks = apps.get_model("risk", "ScenarioShocks")
    proxy = apps.get_model("risk", "ScenarioProxy")
    for row in shocks.objects.exclude(proxies=[]).defer("values").iterator():
        runs = []
        for sentence in row.proxies:
            found = SENTENCE.match(sentence)
            if found is None:
                continue
            tenor, count = (int(one) for one in found.groups())
            if runs and runs[-1][1] == tenor - 1 and runs[-1][2] == count:
                runs[-1][1] = tenor
            else:
                runs.append([tenor, tenor, count])
        proxy.objects.bulk_create(
            proxy(
                scenario_set_id=row.scenario_set_id, kind="TENOR", market_id=row.market_id,
                load=row.load, first_tenor=first, last_tenor=last, scenarios=count,
                stands_in="the next later month quoted that day, past the last the last",
                why="no contract of these months was quoted on both days",
            )
            for first, last, count in runs
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0004_exchange_rates_in_snapshots"),
        ("trading", "0032_price_processes"),
    ]

    operations = [
        migrations.AddField(
            model_name="scenarioshocks",
            name="displacement",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="scenarioshocks",
            name="rule",
            field=models.CharField(
                choices=[
                    ("ABSOLUTE", "Amount, at any price"),
                    ("RELATIVE", "Share of the price"),
                    ("LOGARITHMIC", "Logarithm of the price"),
                    ("DISPLACED", "Logarithm above a displacement"),
                ],
                default="ABSOLUTE",
                max_length=11,
            ),
        ),
        migrations.AlterField(
            model_name="scenarioset",
            name="method",
            field=models.CharField(max_length=400),
        ),
        migrations.CreateModel(
            name="ScenarioDefinition",
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
                ("code", models.CharField(max_length=16)),
                ("owner", models.CharField(max_length=80)),
                ("scenarios", models.PositiveSmallIntegerField()),
                ("horizon_days", models.PositiveSmallIntegerField(default=1)),
                ("window_from", models.DateField(blank=True, null=True)),
                ("window_until", models.DateField(blank=True, null=True)),
                (
                    "weighting",
                    models.CharField(
                        choices=[
                            ("NONE", "As they were"),
                            ("EWMA", "Filtered: at today's exponentially weighted volatility"),
                            ("GARCH", "Filtered: at today's GARCH(1,1) volatility"),
                        ],
                        default="NONE",
                        max_length=5,
                    ),
                ),
                ("decay", models.FloatField(blank=True, null=True)),
                ("garch_alpha", models.FloatField(blank=True, null=True)),
                ("garch_beta", models.FloatField(blank=True, null=True)),
            ],
            options={
                "permissions": [
                    ("propose_scenarios", "Can propose how scenarios and stresses are made"),
                    (
                        "approve_scenarios",
                        "Can decide on scenarios and stresses that others proposed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("code"), models.F("number"), name="scenario_definition_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("horizon_days__range", (1, 20)), ("scenarios__range", (100, 2000))
                        ),
                        name="scenario_definition_size",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code", "DESK"), ("horizon_days", 1)),
                            models.Q(("code", "DESK"), _negated=True),
                            _connector="OR",
                        ),
                        name="scenario_definition_desk_is_daily",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decay__isnull", True),
                                ("garch_alpha__isnull", True),
                                ("garch_beta__isnull", True),
                                ("weighting", "NONE"),
                            ),
                            models.Q(
                                ("decay__gt", 0),
                                ("decay__lt", 1),
                                ("garch_alpha__isnull", True),
                                ("garch_beta__isnull", True),
                                ("weighting", "EWMA"),
                            ),
                            models.Q(
                                ("decay__isnull", True),
                                ("garch_alpha__gt", 0),
                                ("garch_beta__gte", 0),
                                ("weighting", "GARCH"),
                            ),
                            _connector="OR",
                        ),
                        name="scenario_definition_weighting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("owner", ""), _negated=True),
                        name="scenario_definition_has_an_owner",
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
                        name="scenario_definition_decided_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="scenario_definition_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="scenarioset",
            name="definition",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sets",
                to="risk.scenariodefinition",
            ),
        ),
        migrations.CreateModel(
            name="ScenarioProxy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("MARKET", "Market"),
                            ("TENOR", "Delivery months"),
                            ("LOAD", "Load"),
                            ("VOLATILITY", "Implied volatility"),
                        ],
                        max_length=10,
                    ),
                ),
                ("load", models.CharField(default="BASE", max_length=16)),
                ("first_tenor", models.PositiveSmallIntegerField(null=True)),
                ("last_tenor", models.PositiveSmallIntegerField(null=True)),
                ("stands_in", models.CharField(max_length=200)),
                ("why", models.CharField(max_length=200)),
                ("scenarios", models.PositiveSmallIntegerField()),
                ("correlation", models.FloatField(null=True)),
                ("ratio", models.FloatField(null=True)),
                ("compared", models.PositiveIntegerField(default=0)),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "scenario_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proxies",
                        to="risk.scenarioset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("first_tenor__isnull", True), ("last_tenor__isnull", True)),
                            ("first_tenor__lte", models.F("last_tenor")),
                            _connector="OR",
                        ),
                        name="scenario_proxy_tenors_in_order",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScenarioRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("ABSOLUTE", "Amount, at any price"),
                            ("RELATIVE", "Share of the price"),
                            ("LOGARITHMIC", "Logarithm of the price"),
                            ("DISPLACED", "Logarithm above a displacement"),
                        ],
                        default="ABSOLUTE",
                        max_length=11,
                    ),
                ),
                ("displacement", models.FloatField(default=0.0)),
                (
                    "mapping",
                    models.CharField(
                        choices=[
                            ("TIME_TO_DELIVERY", "The one as far ahead"),
                            ("CONTRACT", "The same contract"),
                        ],
                        default="TIME_TO_DELIVERY",
                        max_length=16,
                    ),
                ),
                (
                    "proxy_rule",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("AS_IS", "The other's move as it is"),
                            (
                                "SCALED",
                                "The other's move by the ratio of volatilities on common days",
                            ),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="risk.scenariodefinition",
                    ),
                ),
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
                    "proxy_market",
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
                "constraints": [
                    models.UniqueConstraint(
                        models.F("definition"),
                        models.F("market"),
                        name="scenario_rule_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("displacement__gt", 0), ("rule", "DISPLACED")),
                            models.Q(
                                models.Q(("rule", "DISPLACED"), _negated=True), ("displacement", 0)
                            ),
                            _connector="OR",
                        ),
                        name="scenario_rule_displacement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proxy_market__isnull", True), ("proxy_rule", "")),
                            models.Q(
                                ("market__isnull", False),
                                ("proxy_market__isnull", False),
                                models.Q(("proxy_rule", ""), _negated=True),
                                models.Q(("proxy_market", models.F("market")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="scenario_rule_proxy_is_another",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScenarioVols",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("LOGNORMAL", "Lognormal, per year"),
                            ("NORMAL", "Normal, currency per unit and year"),
                        ],
                        max_length=10,
                    ),
                ),
                ("values", models.BinaryField()),
                ("held", models.PositiveSmallIntegerField(default=0)),
                (
                    "market",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.market",
                    ),
                ),
                (
                    "scenario_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="vols",
                        to="risk.scenarioset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("scenario_set"), models.F("market"), name="scenario_vols_once"
                    )
                ],
            },
        ),
        migrations.RunPython(move_sentences, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="scenarioshocks",
            name="proxies",
        ),
    ]
