"""Versions by which a trade on an asset's output takes the volumes that were metered."""

from django.db import migrations, models

EVENTS = [
    ("DRAFT", "Drafted"),
    ("CAPTURE", "Captured"),
    ("SUBMIT", "Submitted"),
    ("RELEASE", "Released"),
    ("REJECT", "Sent back"),
    ("AMEND", "Amended"),
    ("PROPOSE", "Amendment proposed"),
    ("APPROVE", "Amendment approved"),
    ("DECLINE", "Amendment refused"),
    ("CORRECT", "Corrected"),
    ("NOVATE", "Novated"),
    ("TERMINATE", "Terminated"),
    ("CANCEL", "Cancelled"),
    ("EXERCISE", "Exercised"),
    ("EXPIRE", "Expired"),
    ("METER", "Metered"),
    ("MATURE", "Matured"),
    ("SETTLE", "Settled"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0022_option_outcomes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="tradeversion",
            name="event",
            field=models.CharField(choices=EVENTS, default="CAPTURE", max_length=12),
        ),
    ]
