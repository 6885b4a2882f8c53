"""Shared reference data, agreements and collateral, and what a book may deal in."""

import datetime
import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import trading.models.commodities
import trading.models.countries


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("trading", "0003_metering_points"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ISDA", "ISDA Master Agreement"),
                            ("EFET", "EFET General Agreement"),
                            ("NAESB", "NAESB Base Contract"),
                            ("GTMA", "Grid Trade Master Agreement"),
                        ],
                        max_length=5,
                    ),
                ),
                ("reference", models.CharField(max_length=40)),
                ("signed_date", models.DateField()),
                ("effective_date", models.DateField()),
                ("ended_date", models.DateField(blank=True, null=True)),
                ("governing_law", models.CharField(max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name="ApprovedProduct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "product_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("PHYSICAL_FORWARD", "Physical forward"),
                            ("INDEX_FORWARD", "Physical forward on an index"),
                            ("PROFILE_FORWARD", "Physical forward of a profile"),
                            ("AS_GENERATED", "Share of an asset as generated"),
                            ("FUTURE", "Future"),
                            ("FINANCIAL_FORWARD", "Financial forward"),
                            ("SWAP", "Fixed for floating swap"),
                            ("BASIS_SWAP", "Basis swap"),
                            ("CERTIFICATE", "Certificates or allowances"),
                            ("OPTION", "Option"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "load_shapes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=16),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("maximum_tenor_months", models.PositiveSmallIntegerField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Commodity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("POWER", "Power"),
                            ("GAS", "Natural gas"),
                            ("OIL", "Oil"),
                            ("COAL", "Coal"),
                            ("CARBON", "Emission allowance"),
                            ("CERTIFICATE", "Certificate of origin"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "delivery",
                    models.CharField(
                        choices=[("FLOW", "Rate over time"), ("LOT", "Whole units")], max_length=4
                    ),
                ),
                (
                    "quantity_unit",
                    models.CharField(
                        max_length=12, validators=[trading.models.commodities.check_unit]
                    ),
                ),
            ],
            options={
                "permissions": [
                    (
                        "view_reference_data",
                        "Can see shared reference data: commodities, markets, shapes, indices, rates",
                    ),
                    (
                        "manage_reference_data",
                        "Can change shared reference data: commodities, markets, shapes, indices, rates",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditSupportAnnex",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                (
                    "threshold_ours",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True),
                ),
                (
                    "threshold_theirs",
                    models.DecimalField(blank=True, decimal_places=2, max_digits=20, null=True),
                ),
                ("minimum_transfer", models.DecimalField(decimal_places=2, max_digits=20)),
                ("rounding", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "independent_amount",
                    models.DecimalField(decimal_places=2, default=0, max_digits=20),
                ),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="EligibleCollateral",
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
                            ("CASH", "Cash"),
                            ("GOVERNMENT_BOND", "Government bond"),
                            ("LETTER_OF_CREDIT", "Letter of credit"),
                            ("GUARANTEE", "Parent company guarantee"),
                            ("ALLOWANCE", "Emission allowance"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                ("haircut", models.DecimalField(decimal_places=5, max_digits=6)),
            ],
        ),
        migrations.CreateModel(
            name="FxRate",
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
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("valid_from", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("source", models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date", models.DateField()),
                ("name", models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="HolidayCalendar",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name="HolidayCalendarVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("covers_first", models.DateField()),
                ("covers_after", models.DateField()),
                ("source", models.CharField(max_length=200)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LoadShape",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=16)),
                ("version", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=80)),
                ("valid_from", models.DateField()),
                ("weekdays", models.CharField(max_length=7)),
                ("from_minute", models.PositiveSmallIntegerField(default=0)),
                ("to_minute", models.PositiveSmallIntegerField(default=1440)),
                (
                    "holiday_rule",
                    models.CharField(
                        choices=[
                            ("IGNORE", "Like any other day"),
                            ("EXCLUDE", "No delivery"),
                            ("INCLUDE", "Delivers, whatever the weekday"),
                        ],
                        default="IGNORE",
                        max_length=8,
                    ),
                ),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NettingSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=24)),
                ("name", models.CharField(max_length=120)),
            ],
        ),
        migrations.CreateModel(
            name="PriceIndex",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=32)),
                ("name", models.CharField(max_length=120)),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                (
                    "price_unit",
                    models.CharField(
                        max_length=12, validators=[trading.models.commodities.check_unit]
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("PERIOD", "Each period"),
                            ("DAY", "Each day"),
                            ("MONTH", "Each month"),
                        ],
                        max_length=6,
                    ),
                ),
                ("load_shape", models.CharField(blank=True, max_length=16)),
                ("publication_days", models.SmallIntegerField(default=-1)),
                ("publication_time", models.TimeField()),
                ("source", models.CharField(max_length=120)),
                ("is_active", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="ShapeCalendar",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=120)),
                ("day_start", models.DurationField(default=datetime.timedelta(0))),
            ],
        ),
        migrations.AddField(
            model_name="counterparty",
            name="country",
            field=models.CharField(
                blank=True, max_length=2, validators=[trading.models.countries.check_country]
            ),
        ),
        migrations.AddField(
            model_name="counterparty",
            name="is_internal",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="counterparty",
            name="legal_name",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="counterparty",
            name="status",
            field=models.CharField(
                choices=[
                    ("PROSPECT", "Not yet approved"),
                    ("ACTIVE", "Active"),
                    ("SUSPENDED", "Suspended"),
                    ("CLOSED", "Closed"),
                ],
                default="ACTIVE",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="country",
            field=models.CharField(
                blank=True, max_length=2, validators=[trading.models.countries.check_country]
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="day_start",
            field=models.DurationField(default=datetime.timedelta(0)),
        ),
        migrations.AddField(
            model_name="market",
            name="kind",
            field=models.CharField(
                choices=[
                    ("BIDDING_ZONE", "Bidding zone"),
                    ("HUB", "Hub"),
                    ("NODE", "Zone or node of a hub"),
                    ("VIRTUAL_TRADING_POINT", "Virtual trading point"),
                    ("TERMINAL", "Terminal or port"),
                    ("REGISTRY", "Registry"),
                ],
                default="BIDDING_ZONE",
                max_length=24,
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="parent",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="children",
                to="trading.market",
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="price_unit",
            field=models.CharField(
                default="MWh", max_length=12, validators=[trading.models.commodities.check_unit]
            ),
        ),
        migrations.AddConstraint(
            model_name="counterparty",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_active", True), ("status", "ACTIVE")),
                    models.Q(("is_active", False), models.Q(("status", "ACTIVE"), _negated=True)),
                    _connector="OR",
                ),
                name="counterparty_active_is_a_status",
            ),
        ),
        migrations.AddField(
            model_name="agreement",
            name="counterparty",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="agreements",
                to="trading.counterparty",
            ),
        ),
        migrations.AddField(
            model_name="approvedproduct",
            name="book",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="approved_products",
                to="trading.book",
            ),
        ),
        migrations.AddField(
            model_name="approvedproduct",
            name="market",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.market",
            ),
        ),
        migrations.AddConstraint(
            model_name="commodity",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("code"), name="commodity_code_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="commodity",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="commodity_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="commodity",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivery", "FLOW"), ("quantity_unit", "MW")),
                    models.Q(("delivery", "LOT"), models.Q(("quantity_unit", "MW"), _negated=True)),
                    _connector="OR",
                ),
                name="commodity_flow_is_in_mw",
                violation_error_message="What flows has its size in MW, what comes in lots not.",
            ),
        ),
        migrations.AddField(
            model_name="approvedproduct",
            name="commodity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.commodity",
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="commodity",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="markets",
                to="trading.commodity",
            ),
        ),
        migrations.AddField(
            model_name="eligiblecollateral",
            name="annex",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="collateral",
                to="trading.creditsupportannex",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.UniqueConstraint(
                models.F("base"),
                models.F("quote"),
                models.F("source"),
                models.F("valid_from"),
                models.F("recorded_at"),
                name="fx_rate_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base__regex", "^[A-Z]{3}$"), ("quote__regex", "^[A-Z]{3}$")),
                name="fx_rate_currency_codes",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base", models.F("quote")), _negated=True),
                name="fx_rate_two_currencies",
                violation_error_message="A rate is between two different currencies.",
            ),
        ),
        migrations.AddConstraint(
            model_name="fxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("rate__gt", 0)),
                name="fx_rate_positive",
                violation_error_message="A rate is more than zero.",
            ),
        ),
        migrations.AddConstraint(
            model_name="holidaycalendar",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("code"), name="holiday_calendar_code_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="holidaycalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="holiday_calendar_code_is_one_word",
            ),
        ),
        migrations.AddField(
            model_name="holidaycalendarversion",
            name="calendar",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="trading.holidaycalendar",
            ),
        ),
        migrations.AddField(
            model_name="holiday",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="holidays",
                to="trading.holidaycalendarversion",
            ),
        ),
        migrations.AddField(
            model_name="loadshape",
            name="complement_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.loadshape",
            ),
        ),
        migrations.AddField(
            model_name="loadshape",
            name="holiday_calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.holidaycalendar",
            ),
        ),
        migrations.AddField(
            model_name="nettingset",
            name="agreement",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="netting_sets",
                to="trading.agreement",
            ),
        ),
        migrations.AddField(
            model_name="nettingset",
            name="commodities",
            field=models.ManyToManyField(blank=True, related_name="+", to="trading.commodity"),
        ),
        migrations.AddField(
            model_name="creditsupportannex",
            name="netting_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="annexes",
                to="trading.nettingset",
            ),
        ),
        migrations.AddField(
            model_name="priceindex",
            name="market",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="indices",
                to="trading.market",
            ),
        ),
        migrations.AddConstraint(
            model_name="shapecalendar",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("code"), name="shape_calendar_code_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="shapecalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="shape_calendar_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="shapecalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("day_start__gt", datetime.timedelta(days=-1)),
                    ("day_start__lt", datetime.timedelta(days=1)),
                ),
                name="shape_calendar_day_start_within_a_day",
            ),
        ),
        migrations.AddField(
            model_name="loadshape",
            name="calendar",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="shapes",
                to="trading.shapecalendar",
            ),
        ),
        migrations.AddField(
            model_name="market",
            name="shape_calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="markets",
                to="trading.shapecalendar",
            ),
        ),
        migrations.AddConstraint(
            model_name="market",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("day_start__gt", datetime.timedelta(days=-1)),
                    ("day_start__lt", datetime.timedelta(days=1)),
                ),
                name="market_day_start_within_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="market",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True),
                name="market_not_its_own_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.UniqueConstraint(
                models.F("counterparty"),
                django.db.models.functions.text.Upper("reference"),
                name="agreement_reference_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_date", None),
                    ("ended_date__gt", models.F("effective_date")),
                    _connector="OR",
                ),
                name="agreement_ends_after_start",
                violation_error_message="An agreement ends after it took effect.",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvedproduct",
            constraint=models.UniqueConstraint(
                fields=("book", "commodity", "market", "product_kind"),
                name="approved_product_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="approvedproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("maximum_tenor_months", None), ("maximum_tenor_months__gt", 0), _connector="OR"
                ),
                name="approved_product_tenor",
                violation_error_message="A tenor is at least one month.",
            ),
        ),
        migrations.AddConstraint(
            model_name="eligiblecollateral",
            constraint=models.UniqueConstraint(
                models.F("annex"), models.F("kind"), models.F("currency"), name="collateral_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="eligiblecollateral",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="collateral_currency_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="eligiblecollateral",
            constraint=models.CheckConstraint(
                condition=models.Q(("haircut__gte", 0), ("haircut__lt", 1)),
                name="collateral_haircut",
                violation_error_message="A haircut is a fraction from 0 to below 1.",
            ),
        ),
        migrations.AddConstraint(
            model_name="holidaycalendarversion",
            constraint=models.UniqueConstraint(
                models.F("calendar"), models.F("version"), name="holiday_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="holidaycalendarversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="holiday_version_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="holidaycalendarversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("covers_after__gt", models.F("covers_first"))),
                name="holiday_covers_some_dates",
            ),
        ),
        migrations.AddConstraint(
            model_name="holiday",
            constraint=models.UniqueConstraint(
                models.F("version"), models.F("date"), name="holiday_date_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="nettingset",
            constraint=models.UniqueConstraint(
                models.F("agreement"),
                django.db.models.functions.text.Upper("code"),
                name="netting_set_code_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="nettingset",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="netting_set_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=models.UniqueConstraint(
                models.F("netting_set"), models.F("valid_from"), name="csa_start_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="csa_currency_code"
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("threshold_ours", None), ("threshold_ours__gte", 0), _connector="OR"),
                    models.Q(
                        ("threshold_theirs", None), ("threshold_theirs__gte", 0), _connector="OR"
                    ),
                ),
                name="csa_thresholds_not_negative",
                violation_error_message="A threshold is not less than zero.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum_transfer__gte", 0), ("rounding__gt", 0)),
                name="csa_transfer_and_rounding",
                violation_error_message="The minimum transfer is not less than zero, the rounding more than zero.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to", None), ("valid_to__gt", models.F("valid_from")), _connector="OR"
                ),
                name="csa_ends_after_start",
                violation_error_message="An annex ends after it starts.",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditsupportannex",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.F("valid_to"),
                            function="daterange",
                            output_field=django.contrib.postgres.fields.ranges.DateRangeField(),
                        ),
                        "&&",
                    ),
                    ("netting_set", "="),
                ],
                name="csa_one_at_a_time",
                violation_error_message="Another annex of the netting set is valid in that time.",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceindex",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("code"), name="price_index_code_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="priceindex",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_.-]*$")),
                name="price_index_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceindex",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="price_index_currency_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="priceindex",
            constraint=models.CheckConstraint(
                condition=models.Q(("publication_days__gte", -31), ("publication_days__lte", 62)),
                name="price_index_publication_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.UniqueConstraint(
                models.F("calendar"),
                models.F("code"),
                models.F("version"),
                name="load_shape_version_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.UniqueConstraint(
                models.F("calendar"),
                models.F("code"),
                models.F("valid_from"),
                name="load_shape_valid_from_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z0-9][A-Z0-9_-]*$")),
                name="load_shape_code_upper_case",
                violation_error_message="A shape's code is one word in capitals.",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="load_shape_version_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("weekdays__regex", "^1?2?3?4?5?6?7?$"),
                    models.Q(("weekdays", ""), _negated=True),
                ),
                name="load_shape_weekdays",
                violation_error_message="Weekdays are digits from 1 (Monday) to 7, in order.",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to_minute__gt", models.F("from_minute")), ("to_minute__lte", 1440)
                ),
                name="load_shape_window",
                violation_error_message="A shape ends after it starts, within one delivery day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="loadshape",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("holiday_calendar", None), ("holiday_rule", "IGNORE")),
                    models.Q(
                        models.Q(("holiday_rule", "IGNORE"), _negated=True),
                        ("holiday_calendar__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="load_shape_holiday_rule",
                violation_error_message="A rule for holidays needs a calendar of them.",
            ),
        ),
    ]
