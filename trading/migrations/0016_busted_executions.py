"""An execution that the venue has taken back is told from one that stands."""

from django.db import migrations, models

BUSTED = """
UPDATE trading_dropcopymessage AS original SET state = 'BUSTED'
FROM trading_dropcopymessage AS cancel
WHERE cancel.venue_id = original.venue_id AND cancel.refers_to = original.exec_id
  AND cancel.exec_type = 'H' AND cancel.state = 'BOOKED' AND original.state = 'BOOKED'
  AND original.exec_type <> 'H' AND cancel.trade_ref = original.trade_ref
"""
STANDS = "UPDATE trading_dropcopymessage SET state = 'BOOKED' WHERE state = 'BUSTED'"
STATES = [
    ("BOOKED", "Booked"),
    ("BUSTED", "Taken back by the venue"),
    ("UNMATCHED", "Waits for a mapping"),
    ("BY_HAND", "To do by hand"),
    ("VOID", "Not booked, and not to be"),
    ("NO_TRADE", "No execution"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0014_curve_fit_and_holidays"),
        ("trading", "0015_fill_end_of_days"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="dropcopymessage",
            name="drop_copy_booked_has_a_trade",
        ),
        migrations.AlterField(
            model_name="dropcopymessage",
            name="state",
            field=models.CharField(choices=STATES, max_length=10),
        ),
        migrations.RunSQL(BUSTED, STANDS),
        migrations.AddConstraint(
            model_name="dropcopymessage",
            constraint=models.CheckConstraint(
                condition=~models.Q(state__in=["BOOKED", "BUSTED"]) | ~models.Q(trade_ref=""),
                name="drop_copy_booked_has_a_trade",
            ),
        ),
    ]
