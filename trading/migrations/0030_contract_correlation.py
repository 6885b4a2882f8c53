"""How contracts of a market move together, where a volatility is composed of those of parts."""

from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0029_structure_hedge_checks"),
    ]

    operations = [
        migrations.AddField(
            model_name="pricingmodel",
            name="contract_correlation",
            field=models.DecimalField(decimal_places=6, default=Decimal(1), max_digits=7),
        ),
        migrations.AddConstraint(
            model_name="pricingmodel",
            constraint=models.CheckConstraint(
                condition=models.Q(("contract_correlation__range", (0, 1))),
                name="pricing_model_contract_correlation",
            ),
        ),
    ]
