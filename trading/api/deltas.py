"""What REST says of the deltas that positions count: of which runs, and what they lack."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.foundation.api.pagination import ListPage
from trading.queries.grid_columns import Column
from trading.queries.month_deltas import DeltaBasis, Deltas, month_deltas
from trading.queries.option_values import VIEW

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "nullable": True,
    "description": "What deltas are of; null where they were not asked for.",
    "required": ["runs", "unvalued", "changed", "ended"],
    "properties": {
        "runs": {
            "type": "array",
            "description": "The latest valuation of each organization; empty before the first.",
            "example": [{"run": 12, "as_of": "2026-11-20T19:00:00Z"}],
            "items": {
                "type": "object",
                "required": ["run", "as_of"],
                "properties": {
                    "run": {"type": "integer"},
                    "as_of": {"type": "string", "format": "date-time"},
                },
            },
        },
        "unvalued": {
            "type": "integer",
            "description": "Trades without a value in them; options among them add nothing.",
            "example": 0,
        },
        "changed": {
            "type": "integer",
            "description": "Options and choices traded or changed since, which count as before.",
            "example": 0,
        },
        "ended": {
            "type": "integer",
            "description": "Options and choices exercised, expired or ended since: left out.",
            "example": 0,
        },
    },
}


def asked_deltas(
    actor: Actor, asked: Mapping[str, Any], books: frozenset[UUID], columns: Sequence[Column]
) -> Deltas | None:
    """
    Return the deltas that a query asks for by `with_deltas`, None where it does not.

    :raises PermissionMissing: without `trading.view_tradevalue`.
    """
    if not asked["with_deltas"]:
        return None
    actor.require(VIEW)
    return month_deltas(books, columns=columns, cut=asked.get("as_of"))


class DeltaPage(ListPage):
    """A page of positions, with what its deltas are of."""

    basis: DeltaBasis | None = None

    def get_paginated_response(self, data: Any) -> Response:
        answer = super().get_paginated_response(data)
        answer.data["deltas"] = None if self.basis is None else _output(self.basis)
        return answer

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = super().get_paginated_response_schema(schema)
        found["required"].append("deltas")
        found["properties"]["deltas"] = _SCHEMA
        return found


def _output(basis: DeltaBasis) -> dict[str, Any]:
    return {
        "runs": [{"run": run.pk, "as_of": run.as_of} for run in basis.runs],
        "unvalued": basis.unvalued,
        "changed": basis.changed,
        "ended": len(basis.ended),
    }
