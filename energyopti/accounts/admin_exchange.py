"""Export from the admin by django-import-export; import goes through the apps' own commands."""

from typing import Any

from django.http import HttpRequest
from import_export.admin import ExportMixin

from .admin_base import ReadOnlyAdmin


class ExportAdmin(ExportMixin, ReadOnlyAdmin):
    """
    A read-only list that can be exported; formulas in cells are neutralized by the settings.

    There is no import: django-import-export would write rows past the services. An app that
    takes files offers a command or a page that calls its service row by row.
    """

    def has_export_permission(self, request: HttpRequest, *_: Any) -> bool:
        return self.has_view_permission(request)
