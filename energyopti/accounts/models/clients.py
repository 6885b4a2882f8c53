"""The programs of partners that call the API, each acting as a service user of its own."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from .ownership import OwnedQuerySet


class ApiClient(models.Model):
    """
    What we know of an OAuth client beyond what the identity provider stores.

    `client_id` names the provider's client, which is deleted when the key is revoked; this row
    stays, so that events and old log lines still have a name. The secret itself is nowhere: the
    provider keeps its hash, we keep the last four characters so that people can tell keys apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=100)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="api_clients"
    )
    service_user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_client"
    )
    scopes = ArrayField(models.CharField(max_length=60))
    secret_hint = models.CharField(max_length=4)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    secret_rotated_at = models.DateTimeField(null=True)
    latest_use_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = [("manage_apiclient", "Can create, rotate and revoke API keys")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(scopes__len=0), name="api_client_has_a_scope"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.client_id})"

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None
