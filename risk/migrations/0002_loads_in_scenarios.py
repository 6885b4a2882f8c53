"""Scenarios and snapshots hold a row for each load: base, and those quoted beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("risk", "0001_limits_and_vectors"),
        ("trading", "0006_curve_versions"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="scenarioshocks",
            name="scenario_shocks_once",
        ),
        migrations.RemoveConstraint(
            model_name="snapshotcurve",
            name="snapshot_curve_once",
        ),
        migrations.AddField(
            model_name="scenarioshocks",
            name="load",
            field=models.CharField(default="BASE", max_length=16),
        ),
        migrations.AddField(
            model_name="snapshotcurve",
            name="hours",
            field=models.BinaryField(default=bytes),
        ),
        migrations.AddField(
            model_name="snapshotcurve",
            name="load",
            field=models.CharField(default="BASE", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="scenarioshocks",
            constraint=models.UniqueConstraint(
                models.F("scenario_set"),
                models.F("market"),
                models.F("load"),
                name="scenario_shocks_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="snapshotcurve",
            constraint=models.UniqueConstraint(
                models.F("snapshot"),
                models.F("market"),
                models.F("load"),
                name="snapshot_curve_once",
            ),
        ),
    ]
