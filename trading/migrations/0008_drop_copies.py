"""Drop copies: venues, what their words mean here, sessions and the inbox."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

import trading.models.commodities


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("trading", "0007_life_of_a_trade"),
    ]

    operations = [
        migrations.CreateModel(
            name="DropCopyVenue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=16)),
                ("name", models.CharField(max_length=120)),
                ("mic", models.CharField(blank=True, max_length=4, verbose_name="MIC")),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("host", models.CharField(max_length=255)),
                ("port", models.PositiveIntegerField()),
                ("use_tls", models.BooleanField(default=True)),
                ("sender_comp_id", models.CharField(max_length=64)),
                ("target_comp_id", models.CharField(max_length=64)),
                ("username", models.CharField(blank=True, max_length=64)),
                ("heartbeat_seconds", models.PositiveSmallIntegerField(default=30)),
                ("clock_skew_seconds", models.PositiveSmallIntegerField(default=120)),
                (
                    "sequence_reset",
                    models.CharField(
                        choices=[
                            ("REFUSE", "Refuse, and tell a person"),
                            ("ACCEPT", "Accept when the venue does it"),
                            ("REQUEST", "Ask for it with every Logon"),
                        ],
                        default="REFUSE",
                        max_length=8,
                    ),
                ),
                (
                    "clearing_house",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.counterparty",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drop_copy_venues",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("view_drop_copy", "Can see drop copies and their inbox"),
                    ("manage_drop_copy", "Can set up drop copies, their mappings and sessions"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DropCopyProduct",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("symbol", models.CharField(blank=True, max_length=64)),
                ("security_id", models.CharField(blank=True, max_length=64)),
                ("cfi", models.CharField(blank=True, max_length=6, verbose_name="CFI")),
                (
                    "product_kind",
                    models.CharField(
                        choices=[
                            ("FUTURE", "Future"),
                            ("FINANCIAL_FORWARD", "Financial forward"),
                            ("PHYSICAL_FORWARD", "Physical forward"),
                        ],
                        max_length=20,
                    ),
                ),
                ("shape", models.CharField(default="BASE", max_length=16)),
                (
                    "period_rule",
                    models.CharField(
                        choices=[
                            ("FIXED", "The period of the mapping"),
                            ("DAY", "Day"),
                            ("WEEK", "Week from Monday"),
                            ("MONTH", "Month"),
                            ("QUARTER", "Quarter"),
                            ("SEASON", "Season"),
                            ("GAS_YEAR", "Gas year"),
                            ("YEAR", "Calendar year"),
                        ],
                        max_length=10,
                    ),
                ),
                ("period", models.CharField(blank=True, max_length=24)),
                ("month_offset", models.SmallIntegerField(default=0)),
                ("lot_size", models.DecimalField(decimal_places=6, default=1, max_digits=18)),
                ("lot_unit", models.CharField(default="MW", max_length=12)),
                ("lot_frequency", models.CharField(default="HOUR", max_length=8)),
                ("price_scale", models.DecimalField(decimal_places=6, default=1, max_digits=12)),
                (
                    "currency",
                    models.CharField(
                        max_length=3, validators=[trading.models.commodities.check_currency]
                    ),
                ),
                (
                    "index",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.priceindex",
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
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="products",
                        to="trading.dropcopyvenue",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DropCopyParty",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("party_id", models.CharField(max_length=64)),
                (
                    "counterparty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.counterparty",
                    ),
                ),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parties",
                        to="trading.dropcopyvenue",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DropCopyMessage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("exec_id", models.CharField(blank=True, max_length=128)),
                ("trade_date", models.DateField(blank=True, null=True)),
                ("refers_to", models.CharField(blank=True, max_length=128)),
                ("exec_type", models.CharField(blank=True, max_length=1)),
                ("message_type", models.CharField(max_length=8)),
                ("sequence_number", models.PositiveBigIntegerField(blank=True, null=True)),
                ("content_hash", models.CharField(max_length=64)),
                ("is_conflict", models.BooleanField(default=False)),
                ("raw", models.BinaryField()),
                ("source", models.CharField(max_length=120)),
                ("received_at", models.DateTimeField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("times_seen", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("BOOKED", "Booked"),
                            ("UNMATCHED", "Waits for a mapping"),
                            ("BY_HAND", "To do by hand"),
                            ("VOID", "Cancelled before it was booked"),
                            ("NO_TRADE", "No execution"),
                        ],
                        max_length=10,
                    ),
                ),
                ("tag", models.PositiveIntegerField(default=0)),
                ("reason", models.CharField(blank=True, max_length=400)),
                ("remarks", models.CharField(blank=True, max_length=400)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("trade_ref", models.CharField(blank=True, max_length=16)),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="trading.dropcopyvenue",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DropCopyAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("account", models.CharField(max_length=64)),
                ("clearing_account", models.CharField(blank=True, max_length=40)),
                (
                    "book",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trading.book",
                    ),
                ),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="accounts",
                        to="trading.dropcopyvenue",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DropCopySession",
            fields=[
                (
                    "venue",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="session",
                        serialize=False,
                        to="trading.dropcopyvenue",
                    ),
                ),
                ("next_incoming", models.PositiveBigIntegerField(default=1)),
                ("next_outgoing", models.PositiveBigIntegerField(default=1)),
                ("connected_at", models.DateTimeField(blank=True, null=True)),
                ("disconnected_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("latest_alert", models.CharField(blank=True, max_length=400)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("next_incoming__gte", 1), ("next_outgoing__gte", 1)),
                        name="drop_copy_session_numbers_from_one",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="dropcopyvenue",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Upper("code"), name="drop_copy_venue_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyvenue",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9_-]*$")),
                name="drop_copy_venue_code_is_one_word",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyvenue",
            constraint=models.CheckConstraint(
                condition=models.Q(("mic", ""), ("mic__regex", "^[A-Z0-9]{4}$"), _connector="OR"),
                name="drop_copy_venue_mic",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyvenue",
            constraint=models.CheckConstraint(
                condition=models.Q(("heartbeat_seconds__gte", 1), ("heartbeat_seconds__lte", 3600)),
                name="drop_copy_venue_heartbeat",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyvenue",
            constraint=models.CheckConstraint(
                condition=models.Q(("port__gte", 1), ("port__lte", 65535)),
                name="drop_copy_venue_port",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyproduct",
            constraint=models.UniqueConstraint(
                models.F("venue"),
                models.F("symbol"),
                models.F("security_id"),
                models.F("cfi"),
                name="drop_copy_product_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("security_id", ""), ("symbol", ""), _negated=True),
                name="drop_copy_product_named",
                violation_error_message="A product has a symbol (55) or a security id (48).",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_rule", "FIXED"), ("period", ""), _connector="XOR"),
                name="drop_copy_product_period",
                violation_error_message="A period is named with the rule FIXED and only there.",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("lot_size__gt", 0), ("price_scale__gt", 0)),
                name="drop_copy_product_sizes",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyparty",
            constraint=models.UniqueConstraint(
                models.F("venue"), models.F("party_id"), name="drop_copy_party_once"
            ),
        ),
        migrations.AddIndex(
            model_name="dropcopymessage",
            index=models.Index(fields=["venue", "state", "-id"], name="drop_copy_inbox"),
        ),
        migrations.AddIndex(
            model_name="dropcopymessage",
            index=models.Index(
                condition=models.Q(("refers_to", ""), _negated=True),
                fields=["venue", "refers_to"],
                name="drop_copy_refers_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopymessage",
            constraint=models.UniqueConstraint(
                models.F("venue"),
                models.F("trade_date"),
                models.F("exec_id"),
                condition=models.Q(
                    ("is_conflict", False), models.Q(("exec_id", ""), _negated=True)
                ),
                name="drop_copy_execution_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopymessage",
            constraint=models.UniqueConstraint(
                models.F("venue"), models.F("content_hash"), name="drop_copy_content_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopymessage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "BOOKED"), _negated=True),
                    models.Q(("trade_ref", ""), _negated=True),
                    _connector="OR",
                ),
                name="drop_copy_booked_has_a_trade",
            ),
        ),
        migrations.AddConstraint(
            model_name="dropcopyaccount",
            constraint=models.UniqueConstraint(
                models.F("venue"), models.F("account"), name="drop_copy_account_once"
            ),
        ),
    ]
