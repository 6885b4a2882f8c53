"""What people keep of a list page: named views of it, and their own choice of columns."""

import uuid

from django.db import models


class SavedView(models.Model):
    """
    A named state of a list page: filters, sort and columns.

    Private to its owner, or shared with the members of one organization. An owner has at most
    one default per table. Owner and organization are opaque here (DESIGN §3).
    """

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        SHARED = "shared", "My organization"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.CharField(max_length=80)
    name = models.CharField(max_length=80)
    owner_id = models.CharField(max_length=80)
    organization_id = models.UUIDField(null=True, blank=True)
    visibility = models.CharField(
        max_length=8, choices=Visibility.choices, default=Visibility.PRIVATE
    )
    is_default = models.BooleanField(default=False)
    query = models.TextField(blank=True, help_text="Filters and sort as a query string.")
    columns = models.JSONField(default=list, help_text="Names of the shown columns, in order.")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("owner_id", "table", "name", name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["owner_id", "table"],
                condition=models.Q(is_default=True),
                name="saved_view_one_default",
            ),
            models.CheckConstraint(
                condition=models.Q(visibility="private") | models.Q(organization_id__isnull=False),
                name="saved_view_shared_with_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["table", "organization_id"],
                condition=models.Q(visibility="shared"),
                name="saved_view_shared",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.table})"


class ColumnChoice(models.Model):
    """The columns that a person wants to see in one table, in order."""

    owner_id = models.CharField(max_length=80)
    table = models.CharField(max_length=80)
    columns = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint("owner_id", "table", name="column_choice_once"),
        ]

    def __str__(self) -> str:
        return f"Columns of {self.table} for {self.owner_id}"
