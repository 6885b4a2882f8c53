"""How an app declares, in its migration, that one of its tables has monthly partitions."""

from datetime import date
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation


class PartitionByMonth(Operation):
    """
    Let `ensure_months` make months of a table that is PARTITION BY RANGE of a timestamptz.

    Comes after the statement that creates the table, in a migration that depends on
    ("partitions", "0001_months"). Taking it back leaves the months there are: they go with their
    table.

    key             the column that the table is partitioned by
    earliest        first day that a month is made for
    longest_days    most days that one call may span: more is an error of the caller's
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, table: str, *, key: str, earliest: date, longest_days: int) -> None:
        self.table = table
        self.key = key
        self.earliest = earliest
        self.longest_days = longest_days

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (
            type(self).__qualname__,
            [self.table],
            {"key": self.key, "earliest": self.earliest, "longest_days": self.longest_days},
        )

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know how their rows are stored."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        schema_editor.execute(
            "INSERT INTO partitions.monthly_table (parent, key_column, earliest, longest_days)"
            " VALUES (%s, %s, %s, %s)",
            (self.table, self.key, self.earliest, self.longest_days),
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        schema_editor.execute(
            "DELETE FROM partitions.monthly_table WHERE parent = %s", (self.table,)
        )

    def describe(self) -> str:
        return f"Partition {self.table} by month of {self.key}"

    @property
    def migration_name_fragment(self) -> str:
        return f"{self.table}_by_month"
