"""Books, the tree in which positions are kept, and counterparties, with whom they are traded."""

import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from energyopti.accounts.models import OwnedQuerySet

from .countries import check_country


def check_lei(code: str) -> None:
    """
    Refuse a legal entity identifier whose form or check digits are wrong (ISO 17442).

    :raises ValidationError: naming the code.
    """
    from stdnum import lei

    if not lei.is_valid(code) or len(code) != 20:
        raise ValidationError(f"LEI: “{code}” is not a legal entity identifier (ISO 17442).")


class Book(models.Model):
    """
    Where deals are kept: a node of a tree, in one organization, with a reporting currency.

    code    as traders write it ("EU"), unique in the organization whatever its case.
    Access is by grant on the book (guardian); a grant on a parent reaches its children.
    A parent reports in the same currency, because its numbers are sums of its children's; once
    curves convert money, `services.books._check_parent` is the one place where this changes.
    four_eyes_from  notional in the reporting currency from which an order waits for a second
                    person; None follows the book above, and at the top asks for nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="trading_books"
    )
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    reporting_currency = models.CharField(max_length=3, default="EUR")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="owned_books"
    )
    four_eyes_from = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    is_active = models.BooleanField(default=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("trade_book", "Can trade in a book (granted on the book)"),
            ("access_every_book", "Can see every book of the organization"),
        ]
        constraints = [
            models.UniqueConstraint(
                "organization", models.functions.Upper("code"), name="book_code_in_organization"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
                name="book_code_is_one_word",
            ),
            models.CheckConstraint(
                condition=models.Q(reporting_currency__regex="^[A-Z]{3}$"),
                name="book_currency_code",
            ),
            models.CheckConstraint(
                condition=~models.Q(parent=models.F("id")), name="book_not_its_own_parent"
            ),
            models.CheckConstraint(
                condition=models.Q(four_eyes_from=None) | models.Q(four_eyes_from__gte=0),
                name="book_four_eyes_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class CounterpartyStatus(models.TextChoices):
    """Whether new deals are made with a counterparty: only with an active one."""

    PROSPECT = "PROSPECT", "Not yet approved"
    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"
    CLOSED = "CLOSED", "Closed"


class Counterparty(models.Model):
    """
    A company that an organization trades with, known by its LEI where it has one.

    code            as traders write it ("ACME"), unique in the organization whatever its case.
    legal_name      as the register of its country has it, where it differs from `name`.
    is_internal     a part of the own organization, for mirror deals between books.
    is_active       says the same as the status ACTIVE; a constraint holds them together.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="counterparties"
    )
    code = models.CharField(max_length=16)
    name = models.CharField(max_length=160)
    legal_name = models.CharField(max_length=200, blank=True)
    lei = models.CharField("LEI", max_length=20, blank=True, validators=[check_lei])
    country = models.CharField(max_length=2, blank=True, validators=[check_country])
    is_internal = models.BooleanField(default=False)
    status = models.CharField(
        max_length=10, choices=CounterpartyStatus, default=CounterpartyStatus.ACTIVE
    )
    is_active = models.BooleanField(default=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                models.functions.Upper("code"),
                name="counterparty_code_in_organization",
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"),
                name="counterparty_code_is_one_word",
            ),
            models.UniqueConstraint(
                "organization", "lei", condition=~models.Q(lei=""), name="counterparty_lei_once"
            ),
            models.CheckConstraint(
                condition=models.Q(is_active=True, status="ACTIVE")
                | (models.Q(is_active=False) & ~models.Q(status="ACTIVE")),
                name="counterparty_active_is_a_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"

    def clean_fields(self, exclude: Any = None) -> None:
        self.lei = self.lei.upper()
        super().clean_fields(exclude=exclude)
