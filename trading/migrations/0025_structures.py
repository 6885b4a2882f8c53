"""Contracts with choices: their kinds of product, and a kind of leg for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0024_price_tolerances"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="leg",
            name="leg_floats_on_an_index",
        ),
        migrations.AlterField(
            model_name="approvedproduct",
            name="product_kind",
            field=models.CharField(
                blank=True,
                choices=[
                    ("PHYSICAL_FORWARD", "Physical forward"),
                    ("INDEX_FORWARD", "Physical forward on an index"),
                    ("PROFILE_FORWARD", "Physical forward of a profile"),
                    ("AS_GENERATED", "Share of an asset as generated"),
                    ("PPA", "Power purchase agreement"),
                    ("FUTURE", "Future"),
                    ("FINANCIAL_FORWARD", "Financial forward"),
                    ("SWAP", "Fixed for floating swap"),
                    ("BASIS_SWAP", "Basis swap"),
                    ("CERTIFICATE", "Certificates or allowances"),
                    ("OPTION", "Option"),
                    ("SWING", "Swing"),
                    ("STORAGE", "Storage"),
                    ("TOLLING", "Tolling of a plant"),
                    ("BATTERY_TOLLING", "Tolling of a battery"),
                    ("TRANSMISSION_RIGHT", "Transmission right"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="blotterrow",
            name="product_kind",
            field=models.CharField(
                choices=[
                    ("PHYSICAL_FORWARD", "Physical forward"),
                    ("INDEX_FORWARD", "Physical forward on an index"),
                    ("PROFILE_FORWARD", "Physical forward of a profile"),
                    ("AS_GENERATED", "Share of an asset as generated"),
                    ("PPA", "Power purchase agreement"),
                    ("FUTURE", "Future"),
                    ("FINANCIAL_FORWARD", "Financial forward"),
                    ("SWAP", "Fixed for floating swap"),
                    ("BASIS_SWAP", "Basis swap"),
                    ("CERTIFICATE", "Certificates or allowances"),
                    ("OPTION", "Option"),
                    ("SWING", "Swing"),
                    ("STORAGE", "Storage"),
                    ("TOLLING", "Tolling of a plant"),
                    ("BATTERY_TOLLING", "Tolling of a battery"),
                    ("TRANSMISSION_RIGHT", "Transmission right"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="leg",
            name="kind",
            field=models.CharField(
                choices=[
                    ("DELIVERY", "Delivery"),
                    ("FIXED", "Fixed price"),
                    ("FLOATING", "Index"),
                    ("OPTION", "Option"),
                    ("STRUCTURE", "Contract with choices"),
                ],
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="proposedamendment",
            name="product_kind",
            field=models.CharField(
                choices=[
                    ("PHYSICAL_FORWARD", "Physical forward"),
                    ("INDEX_FORWARD", "Physical forward on an index"),
                    ("PROFILE_FORWARD", "Physical forward of a profile"),
                    ("AS_GENERATED", "Share of an asset as generated"),
                    ("PPA", "Power purchase agreement"),
                    ("FUTURE", "Future"),
                    ("FINANCIAL_FORWARD", "Financial forward"),
                    ("SWAP", "Fixed for floating swap"),
                    ("BASIS_SWAP", "Basis swap"),
                    ("CERTIFICATE", "Certificates or allowances"),
                    ("OPTION", "Option"),
                    ("SWING", "Swing"),
                    ("STORAGE", "Storage"),
                    ("TOLLING", "Tolling of a plant"),
                    ("BATTERY_TOLLING", "Tolling of a battery"),
                    ("TRANSMISSION_RIGHT", "Transmission right"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="trade",
            name="product_kind",
            field=models.CharField(
                choices=[
                    ("PHYSICAL_FORWARD", "Physical forward"),
                    ("INDEX_FORWARD", "Physical forward on an index"),
                    ("PROFILE_FORWARD", "Physical forward of a profile"),
                    ("AS_GENERATED", "Share of an asset as generated"),
                    ("PPA", "Power purchase agreement"),
                    ("FUTURE", "Future"),
                    ("FINANCIAL_FORWARD", "Financial forward"),
                    ("SWAP", "Fixed for floating swap"),
                    ("BASIS_SWAP", "Basis swap"),
                    ("CERTIFICATE", "Certificates or allowances"),
                    ("OPTION", "Option"),
                    ("SWING", "Swing"),
                    ("STORAGE", "Storage"),
                    ("TOLLING", "Tolling of a plant"),
                    ("BATTERY_TOLLING", "Tolling of a battery"),
                    ("TRANSMISSION_RIGHT", "Transmission right"),
                ],
                default="PHYSICAL_FORWARD",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="tradeversion",
            name="product_kind",
            field=models.CharField(
                choices=[
                    ("PHYSICAL_FORWARD", "Physical forward"),
                    ("INDEX_FORWARD", "Physical forward on an index"),
                    ("PROFILE_FORWARD", "Physical forward of a profile"),
                    ("AS_GENERATED", "Share of an asset as generated"),
                    ("PPA", "Power purchase agreement"),
                    ("FUTURE", "Future"),
                    ("FINANCIAL_FORWARD", "Financial forward"),
                    ("SWAP", "Fixed for floating swap"),
                    ("BASIS_SWAP", "Basis swap"),
                    ("CERTIFICATE", "Certificates or allowances"),
                    ("OPTION", "Option"),
                    ("SWING", "Swing"),
                    ("STORAGE", "Storage"),
                    ("TOLLING", "Tolling of a plant"),
                    ("BATTERY_TOLLING", "Tolling of a battery"),
                    ("TRANSMISSION_RIGHT", "Transmission right"),
                ],
                default="PHYSICAL_FORWARD",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="leg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("index_code__gt", ""), ("kind__in", ["FLOATING", "OPTION", "STRUCTURE"])
                    ),
                    models.Q(("index_code", ""), ("kind__in", ["DELIVERY", "FIXED"])),
                    _connector="OR",
                ),
                name="leg_floats_on_an_index",
            ),
        ),
    ]
