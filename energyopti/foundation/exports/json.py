"""JSON for programs: the description, then the rows, written one by one."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .tables import Table, plain

_ROWS_A_CHUNK = 500


def write_json(table: Table) -> Iterator[bytes]:
    """Yield one JSON object; decimals and money as strings, moments in UTC, nothing as null."""
    description = {
        "title": table.title,
        "as_of": _json(table.as_of),
        "time_zone": table.time_zone,
        "filters": dict(table.filters),
        "columns": [
            {"key": c.key, "label": c.label, "kind": str(c.kind), "unit": c.unit}
            for c in table.columns
        ],
    }
    yield json.dumps(description)[:-1].encode() + b', "rows": ['
    keys = [column.key for column in table.columns]
    pieces: list[str] = []
    separator = "\n"
    for row in table.values():
        cells = {key: _json(value) for key, value in zip(keys, row, strict=True)}
        pieces.append(separator + json.dumps(cells))
        separator = ",\n"
        if len(pieces) >= _ROWS_A_CHUNK:
            yield "".join(pieces).encode()
            pieces.clear()
    yield "".join(pieces).encode() + b"\n]}\n"


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value
