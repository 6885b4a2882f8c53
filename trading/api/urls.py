"""Routes of /api/v1/trading/."""

from typing import Any

urlpatterns: list[Any] = []
