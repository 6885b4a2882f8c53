"""How many trading days a correlation of a pricing model was estimated from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0027_structure_values"),
    ]

    operations = [
        migrations.AddField(
            model_name="pricingmodel",
            name="correlation_days",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="pricingmodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("correlation_days__isnull", True),
                    models.Q(
                        ("correlation__isnull", False), ("correlation_days__range", (20, 1000))
                    ),
                    _connector="OR",
                ),
                name="pricing_model_correlation_days",
            ),
        ),
    ]
