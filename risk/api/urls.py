"""Routes of /api/v1/risk/."""

from typing import Any

urlpatterns: list[Any] = []
