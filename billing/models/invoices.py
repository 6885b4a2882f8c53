"""Invoices: facts from the moment they exist. A draft is a computation that nobody stored."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now

from billing.rating import LineKind
from energyopti.accounts.models.ownership import OwnedQuerySet


class InvoiceSequence(models.Model):
    """The latest number of an issuer's year; its row lock makes numbers gapless."""

    issuer = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    latest = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint("issuer", "year", name="invoice_sequence_once"),
        ]

    def __str__(self) -> str:
        return f"{self.issuer_id} {self.year}: {self.latest}"


class Invoice(models.Model):
    """
    What a customer owes for the local days `[period_first, period_after)` of a contract.

    Issued is the only state that is a row; what changes later is another document beside it.
    No two invoices of a contract share a day. Numbers are gapless by issuer and year.

    data_cut_at     nothing that the database recorded later went into it.
    content         canonical data: parties, terms, metered intervals, prices and lines; every
                    number a string.
    content_hash    SHA-256 of its RFC 8785 form; documents are renderings of this data.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(max_length=100, unique=True)
    issuer = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    contract = models.ForeignKey("billing.Contract", models.PROTECT, related_name="invoices")
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="invoices"
    )
    period_first = models.DateField()
    period_after = models.DateField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    currency = models.CharField(max_length=3)
    energy_kwh = models.DecimalField(max_digits=18, decimal_places=6)
    net = models.DecimalField(max_digits=18, decimal_places=4)
    tax = models.DecimalField(max_digits=18, decimal_places=4)
    gross = models.DecimalField(max_digits=18, decimal_places=4)
    issued_at = models.DateTimeField()
    due_date = models.DateField()
    data_cut_at = models.DateTimeField()
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [("issue_invoice", "Can issue invoices")]
        constraints = [
            models.UniqueConstraint("issuer", "year", "sequence", name="invoice_number_gapless"),
            models.CheckConstraint(
                condition=models.Q(period_after__gt=models.F("period_first")),
                name="invoice_period",
            ),
            models.CheckConstraint(
                condition=models.Q(gross=models.F("net") + models.F("tax")),
                name="invoice_adds_up",
            ),
            # The contract's id as a range of one: GiST then needs no extension for integers.
            ExclusionConstraint(
                name="invoice_days_once",
                expressions=[
                    (
                        models.Func(
                            models.F("period_first"),
                            models.F("period_after"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        models.Func(
                            models.F("contract_id"),
                            models.F("contract_id"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-issued_at", "-id"], name="invoice_organization"),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceLine(models.Model):
    """
    One line of an invoice: payable amount, and the exact one it was rounded from.

    unit_price    per unit, where there is one price for the whole line.
    """

    append_only = True

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=[(k.value, k.value) for k in LineKind])
    description = models.CharField(max_length=240)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit = models.CharField(max_length=8, blank=True)
    unit_price = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    exact_amount = models.DecimalField(max_digits=40, decimal_places=21)
    amount = models.DecimalField(max_digits=18, decimal_places=4)

    class Meta:
        constraints = [
            models.UniqueConstraint("invoice", "position", name="invoice_line_position"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"


class InvoiceDocument(models.Model):
    """A rendering of an invoice, kept as first made, so that a second download is the same file."""

    append_only = True

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="documents")
    media_type = models.CharField(max_length=60)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    rendered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("invoice", "media_type", name="invoice_document_once"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id} {self.media_type}"
