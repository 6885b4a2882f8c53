"""
The function that makes the months of partitioned device tables.

The application's role may not create tables, so it asks the owner's function, which makes months
of these three tables and nothing else. Each month lives in a schema where that role holds nothing:
it reaches the rows through the parent only, whose facts it can add but not change.
"""

from django.db import migrations

ENSURE_MONTHS = """
CREATE SCHEMA IF NOT EXISTS partitions;

CREATE FUNCTION devices_ensure_months(parent text, first_day date, last_day date)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    key_column text := CASE parent
        WHEN 'telemetry_telemetryrecord' THEN 'started_at'
        WHEN 'schedules_acknowledgement' THEN 'command_start'
        WHEN 'schedules_pastschedule' THEN 'published_at'
    END;
    month date := date_trunc('month', first_day)::date;
    child text;
    opens timestamptz;
    closes timestamptz;
    made integer := 0;
BEGIN
    IF key_column IS NULL THEN
        RAISE EXCEPTION 'parent: % has no monthly partitions', parent
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF first_day < date '2000-01-01' OR last_day >= date '2200-01-01' OR last_day < first_day
       OR last_day - first_day > 1200 THEN
        RAISE EXCEPTION 'days: % to % must be at most 1200 days within 2000 to 2199',
            first_day, last_day USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WHILE month <= last_day LOOP
        child := parent || to_char(month, '"_y"YYYY"m"MM');
        opens := month::timestamptz;
        closes := (month + interval '1 month')::timestamptz;
        IF to_regclass('partitions.' || child) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('devices_ensure_months'));
            IF to_regclass('partitions.' || child) IS NULL THEN
                -- The check lets ATTACH skip its scan; attaching blocks no reader or writer.
                EXECUTE format(
                    'CREATE TABLE partitions.%1$I (LIKE public.%2$I INCLUDING ALL,'
                    ' CONSTRAINT %3$I CHECK (%4$I >= %5$L AND %4$I < %6$L))',
                    child, parent, child || '_month', key_column, opens, closes);
                EXECUTE format(
                    'ALTER TABLE public.%1$I ATTACH PARTITION partitions.%2$I'
                    ' FOR VALUES FROM (%3$L) TO (%4$L)', parent, child, opens, closes);
                EXECUTE format(
                    'ALTER TABLE partitions.%1$I DROP CONSTRAINT %2$I', child, child || '_month');
                made := made + 1;
            END IF;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial")]

    operations = [
        migrations.RunSQL(ENSURE_MONTHS, "DROP FUNCTION devices_ensure_months(text, date, date)"),
    ]
