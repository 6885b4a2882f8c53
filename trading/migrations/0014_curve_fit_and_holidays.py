import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0013_plants"),
    ]

    operations = [
        migrations.AddField(
            model_name="curvedefinition",
            name="fit",
            field=models.CharField(
                choices=[("MIDS", "Prices exactly"), ("BANDS", "Within bid and ask")],
                default="MIDS",
                max_length=5,
            ),
        ),
        migrations.AddField(
            model_name="curvedefinition",
            name="holiday_calendar",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="trading.holidaycalendar",
            ),
        ),
        migrations.AddField(
            model_name="curvesnapshot",
            name="moved",
            field=models.JSONField(default=list),
        ),
    ]
