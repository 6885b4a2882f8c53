"""Jobs for operators: shown, never edited; people stop them on their page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Job


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):
    list_display = ("title", "kind", "state", "done", "total", "requested_by", "queued_at")
    list_filter = ("state", "kind")
    search_fields = ("title", "=requested_by", "=request_id")
    ordering = ("-queued_at",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
