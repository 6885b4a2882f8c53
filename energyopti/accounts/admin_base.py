"""
Base classes of every admin page: nothing is written past the services and their events.

`ReadOnlyAdmin` for facts (trades, documents, events, readings) and for third-party tables that
services maintain; `EopModelAdmin` for reference data that people edit in the admin itself.
"""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.forms.models import model_to_dict
from django.http import HttpRequest

from energyopti.foundation.events.services import record_event

from .models import User
from .requests import actor_of


class ReadOnlyAdmin(admin.ModelAdmin):
    """Show and search, never write: no add, no change, no delete, no action."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EopModelAdmin(admin.ModelAdmin):
    """
    Write in one transaction with the event that tells of it.

    A subclass with a service overrides `save_with_service`, which replaces the plain save; the
    service then writes its own event. Deleting is off unless `may_delete` says otherwise.
    """

    may_delete = False
    list_per_page = 50

    def save_with_service(self, request: HttpRequest, obj: Any, form: Any, *, is_new: bool) -> bool:
        """Save through a service and return True; the default returns False: save plainly."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            if self.save_with_service(request, obj, form, is_new=not change):
                return
            before = {}
            if change:
                stored = type(obj)._default_manager.select_for_update().get(pk=obj.pk)
                before = model_to_dict(stored, fields=form.changed_data)
            super().save_model(request, obj, form, change)
            # Many-to-many fields are written after the row, from the same form.
            after = {
                **model_to_dict(obj, fields=form.changed_data),
                **{
                    field.name: list(form.cleaned_data[field.name])
                    for field in obj._meta.many_to_many
                    if field.name in form.changed_data
                },
            }
            self._record(
                request,
                obj,
                "changed" if change else "added",
                {name: (str(before.get(name, "")), str(after.get(name, ""))) for name in after},
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self._record(request, obj, "deleted", {})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and super().has_delete_permission(request, obj)

    def _record(
        self, request: HttpRequest, obj: Any, verb: str, changes: dict[str, tuple[str, str]]
    ) -> None:
        assert isinstance(request.user, User)  # the admin site lets nobody else in
        record_event(
            type=f"admin.{obj._meta.model_name}_{verb}",
            actor=actor_of(request),
            aggregate_type=obj._meta.model_name,
            aggregate_id=obj.pk,
            organization_id=getattr(obj, "organization_id", None),
            changes=changes,
        )
