"""Rows of the log are facts: no role may change or delete one, whatever its privileges."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only: % of event % refused', TG_OP, OLD.id
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION events_refuse_change();
-- ALWAYS: also in sessions that set session_replication_role to skip ordinary triggers.
ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_append_only;
"""
# TRUNCATE is a privilege the application's role lacks; the owner keeps it for emptying test
# databases.
BACKWARD = """
DROP TRIGGER events_append_only ON events_event;
DROP FUNCTION events_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0002_followers")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
