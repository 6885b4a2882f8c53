"""A venue says what one report of several legs is."""

from django.db import migrations, models

CHOICES = [
    ("WAIT", "Waits for a person"),
    ("PACKAGE", "A package of deals, one for each leg"),
    ("APART", "No execution: its legs come as reports of their own"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0016_busted_executions"),
    ]

    operations = [
        migrations.AddField(
            model_name="dropcopyvenue",
            name="multileg",
            field=models.CharField(choices=CHOICES, default="WAIT", max_length=8),
        ),
    ]
