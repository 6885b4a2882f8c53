"""The operating company and its customers, their sites, and who belongs to them."""

import uuid

from django.conf import settings
from django.db import models

from .ownership import OwnedQuerySet


class Organization(models.Model):
    """
    A company: the operating company itself or a customer of it. Each owned row carries one.

    `lei` is checked by ISO 17442 where it is set. `parent` makes a customer visible to staff of
    the operating company that serves it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=160, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    lei = models.CharField("LEI", max_length=20, blank=True)
    reporting_currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="customers"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        permissions = [
            ("manage_organization", "Can manage members, access and settings"),
            ("view_customers", "Can see the customers of the own organization"),
        ]

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A place with a grid connection that belongs to one organization."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="sites")
    name = models.CharField(max_length=160)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin")
    market_zone = models.CharField(max_length=16, help_text="Bidding zone whose prices apply.")
    grid_connection_kw = models.DecimalField(max_digits=12, decimal_places=3)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [("operate_site", "Can operate what stands on the site")]
        constraints = [
            models.UniqueConstraint("organization", "name", name="site_name_in_organization"),
            models.CheckConstraint(
                condition=models.Q(grid_connection_kw__gt=0), name="site_connection_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.organization})"


class Membership(models.Model):
    """That a user belongs to an organization; roles say what the user may do there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    since_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("user", "organization", name="membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"
