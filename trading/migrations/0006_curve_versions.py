"""Curves get definitions, versions and loads; quotes shapes and bands; rates and vols tables."""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import trading.models.commodities

PARAMETERS = {
    "code": "FORWARD",
    "method": "FLAT",
    "minutes": 60,
    "tolerance": "0.01",
    "history_days": 730,
}


def name_what_was_built(apps, schema_editor):
    """Every curve so far was flat, automatic, and valued on from the moment it was recorded."""
    definitions = apps.get_model("trading", "CurveDefinition").objects
    snapshots = apps.get_model("trading", "CurveSnapshot").objects
    versions = apps.get_model("trading", "CurveVersion").objects
    for market_id in snapshots.order_by("market_id").values_list("market_id", flat=True).distinct():
        definition = definitions.create(
            market_id=market_id, code="FORWARD", method="FLAT", policy="AUTOMATIC"
        )
        rows = snapshots.filter(market_id=market_id)
        rows.update(definition=definition, parameters=PARAMETERS)
        latest = set(rows.order_by("as_of", "-id").distinct("as_of").values_list("id", flat=True))
        versions.bulk_create(
            versions.model(
                definition=definition,
                number=number,
                snapshot=row,
                status="PUBLISHED" if row.pk in latest else "SUPERSEDED",
                built_by="system:curves",
                decided_by="system:curves",
                decided_at=row.recorded_at,
                published_at=row.recorded_at,
            )
            for number, row in enumerate(rows.order_by("recorded_at", "id"), 1)
        )


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0005_markets_have_commodities"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CurveDefinition",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=24)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("FLAT", "Flat between contracts"),
                            ("MAXIMUM_SMOOTHNESS", "Maximum smoothness"),
                            ("HISTORY_SHAPED", "Shaped by spot history"),
                        ],
                        default="FLAT",
                        max_length=20,
                    ),
                ),
                ("minutes", models.PositiveSmallIntegerField(default=60)),
                (
                    "tolerance",
                    models.DecimalField(decimal_places=4, default=Decimal("0.01"), max_digits=9),
                ),
                ("history_days", models.PositiveSmallIntegerField(default=730)),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("AUTOMATIC", "Published when built"),
                            ("FOUR_EYES", "A second person approves"),
                        ],
                        default="FOUR_EYES",
                        max_length=10,
                    ),
                ),
                ("is_mark", models.BooleanField(default=True)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "permissions": [
                    ("define_curve", "Can say how forward curves are made and published")
                ],
            },
        ),
        migrations.CreateModel(
            name="CurveVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Draft"),
                            ("PENDING", "Waiting for approval"),
                            ("PUBLISHED", "Published"),
                            ("SUPERSEDED", "Published, then replaced"),
                            ("REJECTED", "Rejected"),
                        ],
                        default="DRAFT",
                        max_length=10,
                    ),
                ),
                ("built_by", models.CharField(max_length=120)),
                ("reason", models.CharField(blank=True, max_length=400)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("submitted_by", models.CharField(blank=True, max_length=120)),
                ("submitted_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, max_length=120)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_reason", models.CharField(blank=True, max_length=400)),
                ("published_at", models.DateTimeField(null=True)),
            ],
            options={
                "permissions": [
                    ("publish_curve", "Can approve or reject forward curves of others")
                ],
            },
        ),
        migrations.CreateModel(
            name="FxForwardQuote",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "base",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                (
                    "quote",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                ("settles_on", models.DateField()),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("valid_from", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("source", models.CharField(max_length=80)),
                ("actor_id", models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name="InterestQuote",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                ("matures_on", models.DateField()),
                ("rate", models.DecimalField(decimal_places=10, max_digits=14)),
                (
                    "compounding",
                    models.CharField(
                        choices=[
                            ("SIMPLE", "Simple, 1 / (1 + r t)"),
                            ("ANNUAL", "Annual, (1 + r)^-t"),
                            ("CONTINUOUS", "Continuous, e^(-r t)"),
                        ],
                        default="CONTINUOUS",
                        max_length=10,
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("source", models.CharField(max_length=80)),
                ("actor_id", models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name="VolQuote",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("contract", models.CharField(max_length=16)),
                ("expires_on", models.DateField()),
                ("moneyness", models.DecimalField(decimal_places=6, max_digits=9)),
                ("vol", models.DecimalField(decimal_places=8, max_digits=14)),
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
                ("valid_from", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("source", models.CharField(max_length=80)),
                ("actor_id", models.CharField(max_length=120)),
            ],
        ),
        migrations.AlterModelOptions(
            name="curvesnapshot",
            options={"permissions": [("build_curve", "Can build, edit and submit forward curves")]},
        ),
        migrations.RemoveConstraint(
            model_name="curvepoint",
            name="curve_point_once",
        ),
        migrations.AddField(
            model_name="curvepoint",
            name="hours",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="curvepoint",
            name="load",
            field=models.CharField(default="BASE", max_length=16),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="code",
            field=models.CharField(default="", max_length=40),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="edits",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="left_out",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="parameters",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="tzdata",
            field=models.CharField(default="", max_length=16),
        ),
        migrations.AddField(
            model_name="quote",
            name="actor_id",
            field=models.CharField(default="", max_length=120),
        ),
        migrations.AddField(
            model_name="quote",
            name="ask",
            field=models.DecimalField(decimal_places=6, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="quote",
            name="bid",
            field=models.DecimalField(decimal_places=6, max_digits=18, null=True),
        ),
        migrations.AlterField(
            model_name="quote",
            name="load_type",
            field=models.CharField(default="BASE", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="curvepoint",
            constraint=models.UniqueConstraint(
                models.F("snapshot"), models.F("load"), models.F("start"), name="curve_point_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="curvepoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("hours__gt", 0)), name="curve_point_hours"
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bid", None), ("bid__lte", models.F("value")), _connector="OR"),
                    models.Q(("ask", None), ("ask__gte", models.F("value")), _connector="OR"),
                ),
                name="quote_within_its_band",
                violation_error_message="A price lies between its bid and its ask.",
            ),
        ),
        migrations.AddField(
            model_name="curvedefinition",
            name="market",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="curve_definitions",
                to="trading.market",
            ),
        ),
        migrations.AddField(
            model_name="curvedefinition",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="definition",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="snapshots",
                to="trading.curvedefinition",
            ),
        ),
        migrations.AddField(
            model_name="curveversion",
            name="definition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="trading.curvedefinition",
            ),
        ),
        migrations.AddField(
            model_name="curveversion",
            name="edited_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="edits",
                to="trading.curveversion",
            ),
        ),
        migrations.AddField(
            model_name="curveversion",
            name="snapshot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="trading.curvesnapshot",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxforwardquote",
            constraint=models.UniqueConstraint(
                models.F("base"),
                models.F("quote"),
                models.F("settles_on"),
                models.F("source"),
                models.F("valid_from"),
                models.F("recorded_at"),
                name="fx_forward_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxforwardquote",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("base__regex", "^[A-Z]{3}$"),
                    ("quote__regex", "^[A-Z]{3}$"),
                    models.Q(("base", models.F("quote")), _negated=True),
                ),
                name="fx_forward_two_currencies",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxforwardquote",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)), name="fx_forward_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="interestquote",
            constraint=models.UniqueConstraint(
                models.F("currency"),
                models.F("matures_on"),
                models.F("source"),
                models.F("valid_from"),
                models.F("recorded_at"),
                name="interest_quote_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="interestquote",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="interest_quote_currency",
            ),
        ),
        migrations.AddField(
            model_name="volquote",
            name="market",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vol_quotes",
                to="trading.market",
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.UniqueConstraint(
                models.F("market"),
                django.db.models.functions.text.Upper("code"),
                name="curve_definition_code_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.UniqueConstraint(
                models.F("market"),
                condition=models.Q(("is_mark", True)),
                name="curve_definition_one_mark_a_market",
                violation_error_message="The market is valued on another curve already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="curve_definition_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("minutes__in", [15, 30, 60])), name="curve_definition_minutes"
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("tolerance__gte", 0)), name="curve_definition_tolerance"
            ),
        ),
        migrations.AddConstraint(
            model_name="curvedefinition",
            constraint=models.CheckConstraint(
                condition=models.Q(("history_days__gte", 1)), name="curve_definition_history"
            ),
        ),
        migrations.AddIndex(
            model_name="curveversion",
            index=models.Index(
                fields=["definition", "-published_at"], name="curve_version_published"
            ),
        ),
        migrations.AddConstraint(
            model_name="curveversion",
            constraint=models.UniqueConstraint(
                models.F("definition"), models.F("number"), name="curve_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="curveversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("published_at__isnull", False), ("status__in", ["PUBLISHED", "SUPERSEDED"])
                    ),
                    models.Q(
                        ("published_at", None), ("status__in", ["DRAFT", "PENDING", "REJECTED"])
                    ),
                    _connector="OR",
                ),
                name="curve_version_published_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="curveversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "REJECTED"), _negated=True),
                    models.Q(("decision_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="curve_version_rejected_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="volquote",
            constraint=models.UniqueConstraint(
                models.F("market"),
                models.F("contract"),
                models.F("expires_on"),
                models.F("moneyness"),
                models.F("kind"),
                models.F("source"),
                models.F("valid_from"),
                models.F("recorded_at"),
                name="vol_quote_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="volquote",
            constraint=models.CheckConstraint(
                condition=models.Q(("moneyness__gt", 0)), name="vol_quote_moneyness_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="volquote",
            constraint=models.CheckConstraint(
                condition=models.Q(("vol__gte", 0)), name="vol_quote_not_negative"
            ),
        ),
        migrations.RunSQL(
            'UPDATE trading_curvepoint SET hours = extract(epoch FROM "end" - start) / 3600',
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(name_what_was_built, migrations.RunPython.noop),
        # Foreign keys are deferred; a table with unchecked rows cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(model_name="curvepoint", name="hours", field=models.FloatField()),
        migrations.AlterField(
            model_name="curvesnapshot",
            name="definition",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="snapshots",
                to="trading.curvedefinition",
            ),
        ),
    ]
