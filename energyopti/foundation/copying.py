"""Write many new rows of a model by PostgreSQL's COPY, which costs a fraction of INSERT."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault

_Text = Callable[[Any], str]
# What stands for itself in COPY's text format must not be taken for the end of a cell or a row.
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_BYTES_PER_WRITE = 1 << 20


def next_ids(model: type[models.Model], count: int) -> list[int]:
    """Return the ids that the next rows of a model get, ascending; nobody else gets them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return sorted(row[0] for row in cursor.fetchall())


def copy_rows(rows: Sequence[models.Model]) -> None:
    """
    Write new rows of one model, in their order, as `bulk_create` does.

    Ids and fields with a default of the database's are left to it where the first row has none.
    No signals are sent, and the instances do not learn ids that the database gives.

    :raises django.db.Error: as an INSERT of the rows.
    """
    if not rows:
        return
    first, meta = rows[0], rows[0]._meta
    kept = [field for field in meta.concrete_fields if _is_written(first, field)]
    names = ", ".join(f'"{field.column}"' for field in kept)
    cells = [(field.attname, _text_of(field)) for field in kept]
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{meta.db_table}" ({names}) FROM STDIN') as copy,
    ):
        lines: list[str] = []
        size = 0
        for row in rows:
            values = row.__dict__
            line = "\t".join(
                [_NULL if (value := values[name]) is None else text(value) for name, text in cells]
            )
            lines.append(line)
            size += len(line)
            if size > _BYTES_PER_WRITE:
                copy.write("\n".join([*lines, ""]))
                lines, size = [], 0
        if lines:
            copy.write("\n".join([*lines, ""]))


def _is_written(row: models.Model, field: Any) -> bool:
    value = getattr(row, field.attname)
    if isinstance(value, DatabaseDefault):
        return False
    return not (value is None and isinstance(field, models.AutoField | models.BigAutoField))


def _text_of(field: Any) -> _Text:
    """Return how values of a field that are not None are written."""
    while getattr(field, "remote_field", None) is not None and field.remote_field:
        field = field.target_field
    kind = field.get_internal_type()
    if kind == "JSONField":
        encoder = field.encoder
        return lambda value: json.dumps(value, cls=encoder).translate(_ESCAPED)
    if kind == "BinaryField":
        return lambda value: "\\\\x" + bytes(value).hex()
    if kind == "ArrayField":
        return _array
    if kind in {"CharField", "TextField"}:
        return lambda value: str(value).translate(_ESCAPED)
    return str


def _array(values: Sequence[object]) -> str:
    """Return a list of scalars as PostgreSQL writes an array, each quoted."""
    inside = ",".join(
        "NULL"
        if value is None
        else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in values
    )
    return ("{" + inside + "}").translate(_ESCAPED)
