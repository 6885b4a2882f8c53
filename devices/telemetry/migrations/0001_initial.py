"""Telemetry batches in monthly partitions."""

from datetime import date

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from energyopti.foundation.partitions.operations import PartitionByMonth

CREATE_PARTITIONED = """
CREATE TABLE telemetry_telemetryrecord (
    device_id uuid NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    interval_seconds integer NOT NULL CHECK (interval_seconds > 0),
    soc double precision[] NOT NULL,
    power_kw double precision[] NOT NULL,
    import_wh bigint[] NOT NULL,
    export_wh bigint[] NOT NULL,
    consumption_wh bigint[] NOT NULL,
    state varchar(12) NOT NULL,
    fault varchar(300) NOT NULL,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (device_id, started_at),
    CHECK (cardinality(soc) > 0 AND cardinality(soc) = ALL (ARRAY[cardinality(power_kw),
           cardinality(import_wh), cardinality(export_wh), cardinality(consumption_wh)]))
) PARTITION BY RANGE (started_at);
"""

DROP_PARTITIONED = "DROP TABLE telemetry_telemetryrecord"
# A device that tells of other decades is wrong about its clock.
SINCE = {"earliest": date(2000, 1, 1), "longest_days": 1200}


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("devices", "0001_initial"),
        ("partitions", "0001_months"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(CREATE_PARTITIONED, DROP_PARTITIONED),
                PartitionByMonth("telemetry_telemetryrecord", key="started_at", **SINCE),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="TelemetryRecord",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "device",
                                "started_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("started_at", models.DateTimeField()),
                        ("ended_at", models.DateTimeField()),
                        ("interval_seconds", models.PositiveIntegerField()),
                        (
                            "soc",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.FloatField(), size=None
                            ),
                        ),
                        (
                            "power_kw",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.FloatField(), size=None
                            ),
                        ),
                        (
                            "import_wh",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), size=None
                            ),
                        ),
                        (
                            "export_wh",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), size=None
                            ),
                        ),
                        (
                            "consumption_wh",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.BigIntegerField(), size=None
                            ),
                        ),
                        ("state", models.CharField(max_length=12)),
                        ("fault", models.CharField(blank=True, max_length=300)),
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
                        "permissions": [("read_telemetry", "Can read what devices measured")],
                    },
                ),
            ],
        ),
    ]
