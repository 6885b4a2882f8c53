"""Limits of every measure and scope by version, temporary increases, and the life of a breach."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# What was set before is in force by its officer's word; what it replaced is history.
_FILL = """
UPDATE risk_limit SET
    organization_id = book.organization_id,
    status = 'APPROVED',
    reason = 'set before limits had versions',
    decided_by = 'system:limits',
    decided_at = risk_limit.recorded_at,
    number = counted.number
FROM trading_book book, (
    SELECT id, row_number() OVER (PARTITION BY book_id, measure, confidence ORDER BY id) AS number
    FROM risk_limit
) counted
WHERE book.id = risk_limit.book_id AND counted.id = risk_limit.id;
SET CONSTRAINTS ALL IMMEDIATE
"""
_STEPS = """
INSERT INTO risk_breachstep (breach_id, kind, actor_id, owner, note, recorded_at)
SELECT id, 'DETECTED', '', '', '', detected_at FROM risk_limitbreach;
SET CONSTRAINTS ALL IMMEDIATE
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("risk", "0007_stresses"),
        ("trading", "0034_traders"),
    ]

    operations = [
        migrations.CreateModel(
            name="BreachStep",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("DETECTED", "Detected"),
                            ("ACKNOWLEDGED", "Acknowledged"),
                            ("ASSIGNED", "Handed over"),
                            ("ACTION", "Action"),
                            ("NOTE", "Note"),
                            ("ESCALATED", "Escalated"),
                            ("RESOLVED", "Resolved"),
                        ],
                        max_length=12,
                    ),
                ),
                ("actor_id", models.CharField(max_length=120)),
                ("owner", models.CharField(blank=True, max_length=120)),
                ("note", models.CharField(blank=True, max_length=1000)),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LimitIncrease",
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
                ("amount", models.DecimalField(decimal_places=2, max_digits=20)),
                ("start_at", models.DateTimeField()),
                ("end_at", models.DateTimeField()),
            ],
        ),
        migrations.AlterModelOptions(
            name="limit",
            options={
                "permissions": [
                    ("set_limit", "Can propose limits and temporary increases"),
                    ("approve_limit", "Can decide on limits that others proposed"),
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="limitbreach",
            options={
                "permissions": [
                    ("acknowledge_breach", "Can acknowledge and resolve limit breaches")
                ]
            },
        ),
        migrations.RemoveConstraint(
            model_name="limit",
            name="limit_confidence",
        ),
        migrations.RemoveConstraint(
            model_name="limit",
            name="limit_active_once",
        ),
        migrations.RenameField(
            model_name="limit",
            old_name="currency",
            new_name="unit",
        ),
        migrations.AlterField(
            model_name="limit",
            name="unit",
            field=models.CharField(max_length=12),
        ),
        migrations.RenameField(
            model_name="limit",
            old_name="set_by",
            new_name="proposed_by",
        ),
        migrations.AddField(
            model_name="limit",
            name="commodity",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.commodity",
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="counterparty",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.counterparty",
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="decided_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="limit",
            name="decided_by",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="limit",
            name="decision_reason",
            field=models.CharField(blank=True, max_length=400),
        ),
        migrations.AddField(
            model_name="limit",
            name="dimension",
            field=models.CharField(
                blank=True,
                choices=[
                    ("COUNTERPARTY", "Counterparty"),
                    ("MARKET", "Market"),
                    ("TENOR", "Delivery year"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="excess",
            field=models.CharField(
                choices=[("WARN", "Is told"), ("SOFT", "Needs a reason"), ("HARD", "Is stopped")],
                default="HARD",
                max_length=4,
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="is_removal",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="limit",
            name="market",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.market",
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="number",
            field=models.PositiveIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="limit",
            name="organization",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="period",
            field=models.CharField(
                blank=True,
                choices=[("DAY", "Day"), ("MONTH", "Month to date"), ("YEAR", "Year to date")],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="reason",
            field=models.CharField(default="", max_length=400),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="limit",
            name="scope",
            field=models.CharField(
                choices=[("BOOK", "Book"), ("TRADER", "Trader"), ("COUNTERPARTY", "Counterparty")],
                default="BOOK",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="status",
            field=models.CharField(
                choices=[
                    ("PENDING", "Waits for approval"),
                    ("APPROVED", "Approved"),
                    ("DECLINED", "Declined"),
                ],
                default="PENDING",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="limit",
            name="trader",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="limit",
            name="warn_share",
            field=models.DecimalField(decimal_places=3, default="0.8", max_digits=4),
        ),
        migrations.AddField(
            model_name="limitbreach",
            name="caused_by",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="limitbreach",
            name="is_escalated",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="limitbreach",
            name="owner",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="limitbreach",
            name="state",
            field=models.CharField(
                choices=[
                    ("DETECTED", "Detected"),
                    ("ACKNOWLEDGED", "Acknowledged"),
                    ("ACTION", "Being acted on"),
                    ("RESOLVED", "Resolved"),
                ],
                default="DETECTED",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="limit",
            name="book",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.book",
            ),
        ),
        migrations.AlterField(
            model_name="limit",
            name="confidence",
            field=models.DecimalField(decimal_places=5, max_digits=6, null=True),
        ),
        migrations.AlterField(
            model_name="limit",
            name="is_active",
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name="limit",
            name="measure",
            field=models.CharField(
                choices=[
                    ("VAR", "Value at risk"),
                    ("ES", "Expected shortfall"),
                    ("NET_VOLUME", "Net volume of a month"),
                    ("GROSS_VOLUME", "Gross volume of a month"),
                    ("DELTA", "Delta"),
                    ("VEGA", "Vega"),
                    ("LOSS", "Loss"),
                    ("CONCENTRATION", "Concentration"),
                    ("STRESS", "Worst stress"),
                    ("CREDIT_NOTIONAL", "Credit: open notional"),
                    ("CREDIT_TENOR", "Credit: tenor"),
                ],
                default="VAR",
                max_length=16,
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="limit",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AlterField(
            model_name="limitbreach",
            name="before",
            field=models.FloatField(null=True),
        ),
        migrations.AddIndex(
            model_name="limit",
            index=models.Index(fields=["organization", "is_active"], name="limit_of_organization"),
        ),
        migrations.AddIndex(
            model_name="limitbreach",
            index=models.Index(fields=["limit", "state"], name="limit_breach_of_limit"),
        ),
        migrations.AddIndex(
            model_name="limitbreach",
            index=models.Index(
                condition=models.Q(("is_escalated", False), ("state", "DETECTED")),
                fields=["detected_at"],
                name="limit_breach_unseen",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("confidence__gt", 0), ("confidence__lt", 1), ("measure__in", ["VAR", "ES"])
                    ),
                    models.Q(
                        models.Q(("measure__in", ["VAR", "ES"]), _negated=True),
                        ("confidence", None),
                    ),
                    _connector="OR",
                ),
                name="limit_confidence",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("book__isnull", False),
                        ("counterparty", None),
                        ("scope", "BOOK"),
                        ("trader", ""),
                    ),
                    models.Q(
                        ("book", None),
                        ("counterparty", None),
                        ("scope", "TRADER"),
                        models.Q(("trader", ""), _negated=True),
                    ),
                    models.Q(
                        ("book", None),
                        ("counterparty__isnull", False),
                        ("scope", "COUNTERPARTY"),
                        ("trader", ""),
                    ),
                    _connector="OR",
                ),
                name="limit_has_one_scope",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(("warn_share__gt", 0), ("warn_share__lte", 1)),
                name="limit_warn_share",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decided_by", ""), ("status", "PENDING")
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("status__in", ["APPROVED", "DECLINED"]),
                        models.Q(("decided_by", ""), _negated=True),
                        models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="limit_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="limit_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), ("status", "APPROVED"), _connector="OR"),
                name="limit_in_force_is_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=(
                    "organization",
                    "scope",
                    "book",
                    "trader",
                    "counterparty",
                    "measure",
                    "confidence",
                    "period",
                    "dimension",
                    "market",
                    "commodity",
                ),
                name="limit_in_force_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="limit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "PENDING")),
                fields=(
                    "organization",
                    "scope",
                    "book",
                    "trader",
                    "counterparty",
                    "measure",
                    "confidence",
                    "period",
                    "dimension",
                    "market",
                    "commodity",
                ),
                name="limit_pending_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddField(
            model_name="breachstep",
            name="breach",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="risk.limitbreach",
            ),
        ),
        migrations.RunSQL(_STEPS, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="limitincrease",
            name="limit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="increases",
                to="risk.limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitincrease",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="limit_increase_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="limitincrease",
            constraint=models.CheckConstraint(
                condition=models.Q(("end_at__gt", models.F("start_at"))),
                name="limit_increase_interval",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitincrease",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_at__isnull", True), ("decided_by", ""), ("status", "PENDING")
                    ),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("status__in", ["APPROVED", "DECLINED"]),
                        models.Q(("decided_by", ""), _negated=True),
                        models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="limit_increase_decided_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="limitincrease",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="limit_increase_has_a_reason",
            ),
        ),
    ]
