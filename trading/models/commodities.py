"""Commodities: what is delivered, and whether it flows by the hour or comes in whole lots."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models

from energyopti.foundation.money import MoneyError
from energyopti.foundation.money import currency as known_currency
from energyopti.foundation.units import Dimension, UnitError, unit

CODE_IS_ONE_WORD = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
CURRENCY_CODE = "^[A-Z]{3}$"
ONE_DAY = timedelta(days=1)
CERTIFICATE_UNIT = "certificate"


def check_currency(code: str) -> None:
    """
    Refuse a currency that ISO 4217 does not know.

    :raises ValidationError: naming the code.
    """
    try:
        known_currency(code)
    except MoneyError:
        raise ValidationError(f"“{code}” is not a currency of ISO 4217, such as EUR.") from None


def check_unit(code: str) -> None:
    """
    Refuse a unit that neither the table of units nor a registry of certificates knows.

    :raises ValidationError: naming the code.
    """
    if code == CERTIFICATE_UNIT:
        return
    try:
        unit(code)
    except UnitError:
        raise ValidationError(f"“{code}” is not a unit, such as MWh, therm or tCO2.") from None


def check_price_unit(commodity: "Commodity", price_unit: str) -> None:
    """
    Refuse a price per a unit in which the commodity is not counted.

    :raises ValidationError: naming both.
    """
    if commodity.delivery == Delivery.FLOW:
        if price_unit != CERTIFICATE_UNIT and unit(price_unit).dimension is Dimension.ENERGY:
            return
        raise ValidationError(
            f"{commodity.code} flows: a price is per unit of energy, not per “{price_unit}”."
        )
    if price_unit != commodity.quantity_unit:
        raise ValidationError(
            f"{commodity.code} is counted in {commodity.quantity_unit}, not “{price_unit}”."
        )


class CommodityKind(models.TextChoices):
    """What kind of good it is; law and settlement follow it."""

    POWER = "POWER", "Power"
    GAS = "GAS", "Natural gas"
    OIL = "OIL", "Oil"
    COAL = "COAL", "Coal"
    CARBON = "CARBON", "Emission allowance"
    CERTIFICATE = "CERTIFICATE", "Certificate of origin"


class Delivery(models.TextChoices):
    """Whether a deal is a rate over time (MW × hours), or whole units in a delivery month."""

    FLOW = "FLOW", "Rate over time"
    LOT = "LOT", "Whole units"


class Commodity(models.Model):
    """
    A good that is traded. Shared by all organizations.

    code            "POWER", "EUA"; unique whatever its case.
    quantity_unit   of a deal's size: MW where it flows, else the unit that is counted.

    What flows has its size in MW.
    """

    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=CommodityKind)
    delivery = models.CharField(max_length=4, choices=Delivery)
    quantity_unit = models.CharField(max_length=12, validators=[check_unit])

    class Meta:
        permissions = [
            (
                "view_reference_data",
                "Can see shared reference data: commodities, markets, shapes, indices, rates",
            ),
            (
                "manage_reference_data",
                "Can change shared reference data: commodities, markets, shapes, indices, rates",
            ),
        ]
        constraints = [
            models.UniqueConstraint(models.functions.Upper("code"), name="commodity_code_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD), name="commodity_code_is_one_word"
            ),
            models.CheckConstraint(
                condition=(models.Q(delivery="FLOW") & models.Q(quantity_unit="MW"))
                | (models.Q(delivery="LOT") & ~models.Q(quantity_unit="MW")),
                name="commodity_flow_is_in_mw",
                violation_error_message="What flows has its size in MW, what comes in lots not.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"
