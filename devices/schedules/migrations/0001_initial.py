"""Schedules and deliveries; past schedules and acknowledgements in monthly partitions."""

from datetime import date

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

from energyopti.foundation.partitions.operations import PartitionByMonth

CREATE_PARTITIONED = """
CREATE TABLE schedules_pastschedule (
    revision bigint NOT NULL,
    schedule_id uuid NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    device_id uuid NOT NULL,
    period tstzrange NOT NULL,
    origin timestamptz NOT NULL,
    start_seconds integer[] NOT NULL,
    end_seconds integer[] NOT NULL,
    modes smallint[] NOT NULL,
    rates_kw double precision[] NOT NULL,
    target_socs double precision[],
    source varchar(64) NOT NULL,
    published_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (revision, published_at)
) PARTITION BY RANGE (published_at);
CREATE INDEX past_schedule_device ON schedules_pastschedule (device_id, published_at DESC);
CREATE INDEX past_schedule_by_id ON schedules_pastschedule (schedule_id);

CREATE TABLE schedules_acknowledgement (
    device_id uuid NOT NULL,
    command_id uuid NOT NULL,
    sequence integer NOT NULL CHECK (sequence >= 0),
    command_start timestamptz NOT NULL,
    status varchar(10) NOT NULL CHECK (status IN ('NEW', 'ACCEPTED', 'REJECTED', 'STARTED',
                                                  'SUCCEEDED', 'ABORTED', 'REVOKED')),
    reason varchar(300) NOT NULL,
    energy_kwh numeric(14, 6) CHECK (energy_kwh >= 0),
    reported_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (device_id, command_id, sequence, command_start)
) PARTITION BY RANGE (command_start);
CREATE INDEX acknowledgement_start ON schedules_acknowledgement (command_start, status);
"""

DROP_PARTITIONED = "DROP TABLE schedules_acknowledgement, schedules_pastschedule"
# A device that tells of other decades is wrong about its clock.
SINCE = {"earliest": date(2000, 1, 1), "longest_days": 1200}


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("devices", "0001_initial"),
        ("partitions", "0001_months"),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name="ScheduleDelivery",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="devices.device",
                    ),
                ),
                ("revision", models.BigIntegerField()),
                ("schedule_id", models.UUIDField()),
                ("version", models.PositiveIntegerField()),
                ("published_at", models.DateTimeField()),
                ("transmitted_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField(null=True)),
                ("reception", models.CharField(blank=True, max_length=20)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("received_at__isnull", True)),
                        fields=["transmitted_at"],
                        name="schedule_delivery_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("schedule_id", models.UUIDField()),
                ("version", models.PositiveIntegerField()),
                ("period", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ("origin", models.DateTimeField()),
                (
                    "start_seconds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                (
                    "end_seconds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), size=None
                    ),
                ),
                (
                    "modes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), size=None
                    ),
                ),
                (
                    "rates_kw",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(), size=None
                    ),
                ),
                (
                    "target_socs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(null=True), null=True, size=None
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=64)),
                ("published_at", models.DateTimeField()),
                ("revision", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="devices.device",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["schedule_id"], name="schedule_by_id")],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("device", "="), ("period", "&&")], name="schedule_no_overlap"
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(CREATE_PARTITIONED, DROP_PARTITIONED),
                PartitionByMonth("schedules_pastschedule", key="published_at", **SINCE),
                PartitionByMonth("schedules_acknowledgement", key="command_start", **SINCE),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Acknowledgement",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "device",
                                "command_id",
                                "sequence",
                                "command_start",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("command_id", models.UUIDField()),
                        ("sequence", models.PositiveIntegerField()),
                        ("command_start", models.DateTimeField()),
                        ("status", models.CharField(max_length=10)),
                        ("reason", models.CharField(blank=True, max_length=300)),
                        (
                            "energy_kwh",
                            models.DecimalField(decimal_places=6, max_digits=14, null=True),
                        ),
                        ("reported_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                        (
                            "recorded_at",
                            models.DateTimeField(
                                db_default=django.db.models.functions.datetime.Now(), editable=False
                            ),
                        ),
                        (
                            "device",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="devices.device",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["command_start", "status"], name="acknowledgement_start"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="PastSchedule",
                    fields=[
                        ("schedule_id", models.UUIDField()),
                        ("version", models.PositiveIntegerField()),
                        ("period", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                        ("origin", models.DateTimeField()),
                        (
                            "start_seconds",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.IntegerField(), size=None
                            ),
                        ),
                        (
                            "end_seconds",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.IntegerField(), size=None
                            ),
                        ),
                        (
                            "modes",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.SmallIntegerField(), size=None
                            ),
                        ),
                        (
                            "rates_kw",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.FloatField(), size=None
                            ),
                        ),
                        (
                            "target_socs",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.FloatField(null=True), null=True, size=None
                            ),
                        ),
                        ("source", models.CharField(blank=True, max_length=64)),
                        ("published_at", models.DateTimeField()),
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "revision",
                                "published_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("revision", models.BigIntegerField()),
                        ("ended_at", models.DateTimeField()),
                        (
                            "device",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="devices.device",
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["device", "-published_at"], name="past_schedule_device"
                            ),
                            models.Index(fields=["schedule_id"], name="past_schedule_by_id"),
                        ],
                    },
                ),
            ],
        ),
    ]
