"""Fill what closings and reports now keep beside them: openings, structured checks, step totals."""

from django.db import migrations

_OPENINGS = """
UPDATE trading_endofday AS day SET opening_id = report.opening_id
FROM trading_pnlreport AS report
WHERE report.closing_id = day.run_id AND report.kind <> 'FLASH'
"""
_CHECKS = """
UPDATE trading_endofday SET checks = (
    SELECT jsonb_agg(
        jsonb_build_object(
            'step', split_part(said, ': ', 1), 'text', substr(said, strpos(said, ': ') + 2),
            'about', 'VALUES', 'key', '', 'figures', '{}'::jsonb
        ) ORDER BY place
    )
    FROM jsonb_array_elements_text(checks) WITH ORDINALITY AS found(said, place)
)
WHERE checks <> '[]'::jsonb
"""
_WORDS = """
UPDATE trading_endofday SET checks = (
    SELECT jsonb_agg((finding ->> 'step') || ': ' || (finding ->> 'text') ORDER BY place)
    FROM jsonb_array_elements(checks) WITH ORDINALITY AS found(finding, place)
)
WHERE checks <> '[]'::jsonb
"""
_TOTALS = """
INSERT INTO trading_pnlsteptotal (report_id, kind, name, amount)
SELECT report_id, kind, name, sum(reporting) FROM trading_pnlstep
GROUP BY report_id, kind, name ORDER BY report_id, kind, name
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0014_end_of_days")]

    operations = [
        migrations.RunSQL(_OPENINGS, migrations.RunSQL.noop),
        migrations.RunSQL(_CHECKS, _WORDS),
        migrations.RunSQL(_TOTALS, migrations.RunSQL.noop),
    ]
