"""What waits for release is reserved in a vector of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0002_loads_in_scenarios"),
    ]

    operations = [
        migrations.AddField(
            model_name="scopevector",
            name="pending_values",
            field=models.BinaryField(default=b""),
        ),
    ]
