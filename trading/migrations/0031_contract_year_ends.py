"""Contract years of swing contracts settle beside their days, once each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0030_contract_correlation"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="optionoutcome",
            name="option_period_decided_once",
        ),
        migrations.AlterField(
            model_name="optionoutcome",
            name="kind",
            field=models.CharField(
                choices=[
                    ("EXERCISED", "Exercised"),
                    ("FIXED", "Fixed and paid"),
                    ("LAPSED", "Lapsed"),
                    ("SHORTFALL", "Short of the year’s minimum, paid"),
                    ("MADE_UP", "Made up, paid back"),
                ],
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            model_name="optionoutcome",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["SHORTFALL", "MADE_UP"]), _negated=True),
                fields=("trade", "leg", "start"),
                name="option_period_decided_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="optionoutcome",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["SHORTFALL", "MADE_UP"])),
                fields=("trade", "leg", "start"),
                name="contract_year_settled_once",
            ),
        ),
    ]
