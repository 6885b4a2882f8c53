"""Generating assets whose output is sold as generated."""

from django.db import models

from .commodities import CODE_IS_ONE_WORD


class Technology(models.TextChoices):
    """What turns into power."""

    SOLAR_PV = "SOLAR_PV", "Solar PV"
    WIND_ONSHORE = "WIND_ONSHORE", "Wind onshore"
    WIND_OFFSHORE = "WIND_OFFSHORE", "Wind offshore"
    HYDRO = "HYDRO", "Hydro, run of river"
    BIOMASS = "BIOMASS", "Biomass"
    OTHER = "OTHER", "Other"


class Plant(models.Model):
    """
    A plant that deals name by its code. Shared by all organizations.

    code                as it stands in a line, after `asset:`; unique whatever its case.
    installed_mwp       peak power, MW.
    capacity_factors    expected share of it: one number from 0 to 1, or twelve from January on,
                        with a space between.
    metering_asset_id   under which its metered volumes are kept; empty where none are.
    """

    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="plants")
    technology = models.CharField(max_length=16, choices=Technology)
    installed_mwp = models.DecimalField("Installed MWp", max_digits=12, decimal_places=6)
    capacity_factors = models.CharField(max_length=120)
    metering_asset_id = models.CharField(max_length=80, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(models.functions.Upper("code"), name="plant_code_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="plant_code_is_one_word",
                violation_error_message="A plant's code is one word.",
            ),
            models.CheckConstraint(
                condition=models.Q(installed_mwp__gt=0),
                name="plant_has_power",
                violation_error_message="A plant has more than 0 MWp.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"
