"""
The function that makes the months of partitioned tables, and the tables that it may make them of.

The application's role may not create tables, so it asks the owner's function, which makes months
of declared tables and nothing else (`operations.PartitionByMonth` declares one). Each month lives
in a schema where that role holds nothing: it reaches the rows through the parent only, whose facts
it can add but not change.
"""

from django.db import migrations

SCHEMA = """
CREATE SCHEMA partitions;

CREATE TABLE partitions.monthly_table (
    parent name PRIMARY KEY,
    key_column name NOT NULL,
    earliest date NOT NULL,
    longest_days integer NOT NULL CHECK (longest_days > 0)
);
"""

# Building the table apart and attaching it takes no lock that readers or writers of the parent
# would wait for. One advisory lock for all tables: two processes that need months of two tables in
# opposite order cannot lock each other out.
ENSURE_MONTHS = """
CREATE FUNCTION partitions_ensure_months(parent text, first_day date, last_day date)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
AS $$
DECLARE
    declared partitions.monthly_table;
    month date := date_trunc('month', first_day)::date;
    child text;
    opens timestamptz;
    closes timestamptz;
    made integer := 0;
BEGIN
    SELECT * INTO declared FROM partitions.monthly_table t WHERE t.parent::text = $1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'parent: % has no monthly partitions', $1
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF first_day IS NULL OR last_day IS NULL OR first_day < declared.earliest
       OR last_day >= date '2200-01-01' OR last_day < first_day
       OR last_day - first_day > declared.longest_days THEN
        RAISE EXCEPTION 'days: % to % must be at most % days within % to 2199-12-31',
            first_day, last_day, declared.longest_days, declared.earliest
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    WHILE month <= last_day LOOP
        child := $1 || to_char(month, '"_y"YYYY"m"MM');
        IF to_regclass('partitions.' || quote_ident(child)) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('partitions_ensure_months'));
            IF to_regclass('partitions.' || quote_ident(child)) IS NULL THEN
                opens := month::timestamptz;
                closes := (month + interval '1 month')::timestamptz;
                -- The check lets ATTACH skip its scan; attaching blocks no reader or writer.
                EXECUTE format(
                    'CREATE TABLE partitions.%1$I (LIKE public.%2$I INCLUDING ALL,'
                    ' CONSTRAINT %3$I CHECK (%4$I >= %5$L AND %4$I < %6$L))',
                    child, $1, child || '_month', declared.key_column, opens, closes);
                EXECUTE format(
                    'ALTER TABLE public.%1$I ATTACH PARTITION partitions.%2$I'
                    ' FOR VALUES FROM (%3$L) TO (%4$L)', $1, child, opens, closes);
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

# Without CASCADE: a month that is still there stops it.
DROP = """
DROP FUNCTION partitions_ensure_months(text, date, date);
DROP TABLE partitions.monthly_table;
DROP SCHEMA partitions;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.RunSQL(SCHEMA, DROP),
        migrations.RunSQL(ENSURE_MONTHS, migrations.RunSQL.noop),
    ]
