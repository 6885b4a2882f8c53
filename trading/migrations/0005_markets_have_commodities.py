"""Every market was one of power so far: say so, then ask it of every market."""

import django.db.models.deletion
from django.db import migrations, models


def name_power(apps, schema_editor):
    market = apps.get_model("trading", "Market")
    if not market.objects.filter(commodity=None).exists():
        return
    power, _ = apps.get_model("trading", "Commodity").objects.get_or_create(
        code="POWER",
        defaults={"name": "Power", "kind": "POWER", "delivery": "FLOW", "quantity_unit": "MW"},
    )
    market.objects.filter(commodity=None).update(commodity=power)


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_reference_data")]

    operations = [
        migrations.RunPython(name_power, migrations.RunPython.noop),
        # The foreign key is deferred; a table with unchecked rows cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="market",
            name="commodity",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="markets",
                to="trading.commodity",
            ),
        ),
    ]
