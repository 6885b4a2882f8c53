"""What was agreed with a counterparty: master agreements, what nets, and collateral for it."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from energyopti.accounts.models import OwnedQuerySet

from .commodities import CODE_IS_ONE_WORD, CURRENCY_CODE, check_currency


class AgreementQuerySet(OwnedQuerySet):
    organization_path = "counterparty__organization_id"


class NettingSetQuerySet(OwnedQuerySet):
    organization_path = "agreement__counterparty__organization_id"


class AnnexQuerySet(OwnedQuerySet):
    organization_path = "netting_set__agreement__counterparty__organization_id"


class AgreementKind(models.TextChoices):
    """Whose form the master agreement follows."""

    ISDA = "ISDA", "ISDA Master Agreement"
    EFET = "EFET", "EFET General Agreement"
    NAESB = "NAESB", "NAESB Base Contract"
    GTMA = "GTMA", "Grid Trade Master Agreement"


class Agreement(models.Model):
    """
    A master agreement with a counterparty, in force from `effective_date` to before `ended_date`.

    reference   as both sides file it; unique with the counterparty whatever its case.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    counterparty = models.ForeignKey(
        "trading.Counterparty", models.PROTECT, related_name="agreements"
    )
    kind = models.CharField(max_length=5, choices=AgreementKind)
    reference = models.CharField(max_length=40)
    signed_date = models.DateField()
    effective_date = models.DateField()
    ended_date = models.DateField(null=True, blank=True)
    governing_law = models.CharField(max_length=60)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "counterparty", models.functions.Upper("reference"), name="agreement_reference_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_date=None)
                | models.Q(ended_date__gt=models.F("effective_date")),
                name="agreement_ends_after_start",
                violation_error_message="An agreement ends after it took effect.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class NettingSet(models.Model):
    """
    The deals under an agreement whose claims are netted if it is closed out.

    commodities     that it is for; none is all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="netting_sets")
    code = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    commodities = models.ManyToManyField("trading.Commodity", blank=True, related_name="+")

    objects = NettingSetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "agreement", models.functions.Upper("code"), name="netting_set_code_once"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="netting_set_code_is_one_word",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class CreditSupportAnnex(models.Model):
    """
    What collateral a netting set needs, from `valid_from` to before `valid_to`.

    threshold_ours, threshold_theirs   exposure that we, and they, may leave uncovered; None is
                        without limit: that side never posts.
    minimum_transfer    below it nothing moves.
    rounding            amounts that move are multiples of it.
    independent_amount  posted whatever the exposure: positive by them to us, negative by us.

    No two annexes of a netting set are valid on one day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    netting_set = models.ForeignKey(NettingSet, models.PROTECT, related_name="annexes")
    currency = models.CharField(max_length=3, validators=[check_currency])
    threshold_ours = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    threshold_theirs = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    minimum_transfer = models.DecimalField(max_digits=20, decimal_places=2)
    rounding = models.DecimalField(max_digits=20, decimal_places=2)
    independent_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    objects = AnnexQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("netting_set", "valid_from", name="csa_start_once"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=CURRENCY_CODE), name="csa_currency_code"
            ),
            models.CheckConstraint(
                condition=(models.Q(threshold_ours=None) | models.Q(threshold_ours__gte=0))
                & (models.Q(threshold_theirs=None) | models.Q(threshold_theirs__gte=0)),
                name="csa_thresholds_not_negative",
                violation_error_message="A threshold is not less than zero.",
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_transfer__gte=0, rounding__gt=0),
                name="csa_transfer_and_rounding",
                violation_error_message=(
                    "The minimum transfer is not less than zero, the rounding more than zero."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="csa_ends_after_start",
                violation_error_message="An annex ends after it starts.",
            ),
            ExclusionConstraint(
                name="csa_one_at_a_time",
                expressions=[
                    (
                        models.Func(
                            models.F("valid_from"),
                            models.F("valid_to"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("netting_set", RangeOperators.EQUAL),
                ],
                violation_error_message="Another annex of the netting set is valid in that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.netting_set_id} from {self.valid_from}"


class CollateralKind(models.TextChoices):
    """What may be posted."""

    CASH = "CASH", "Cash"
    GOVERNMENT_BOND = "GOVERNMENT_BOND", "Government bond"
    LETTER_OF_CREDIT = "LETTER_OF_CREDIT", "Letter of credit"
    GUARANTEE = "GUARANTEE", "Parent company guarantee"
    ALLOWANCE = "ALLOWANCE", "Emission allowance"


class EligibleCollateral(models.Model):
    """
    What an annex takes as collateral, and how much of its value it leaves off.

    haircut     a fraction, 0.02 for 2 %; from 0 to below 1.
    """

    annex = models.ForeignKey(CreditSupportAnnex, models.CASCADE, related_name="collateral")
    kind = models.CharField(max_length=16, choices=CollateralKind)
    currency = models.CharField(max_length=3, validators=[check_currency])
    haircut = models.DecimalField(max_digits=6, decimal_places=5)

    class Meta:
        constraints = [
            models.UniqueConstraint("annex", "kind", "currency", name="collateral_once"),
            models.CheckConstraint(
                condition=models.Q(currency__regex=CURRENCY_CODE), name="collateral_currency_code"
            ),
            models.CheckConstraint(
                condition=models.Q(haircut__gte=0, haircut__lt=1),
                name="collateral_haircut",
                violation_error_message="A haircut is a fraction from 0 to below 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.currency}"
