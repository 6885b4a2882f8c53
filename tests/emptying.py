"""
Empty the database after a test that commits: the rows that there are, not every table.

Django truncates all its tables and writes content types, permissions and roles anew, 0.7 s of
processor time after each such test; most leave a dozen rows in five tables.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.test import TransactionTestCase

_REFERENCES = """
SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'
"""
# Rows that no role may delete; their tables can be truncated by the owner.
_APPEND_ONLY = """
SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger
WHERE NOT tgisinternal AND tgtype & 2 = 2 AND tgtype & 8 = 8
"""


class Emptying:
    """
    What a migrated database holds, and how to come back to it.

    kept    tables that have rows after the migrations: content types, permissions, roles, the site
    """

    def __init__(self) -> None:
        self.tables = connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        with connection.cursor() as cursor:
            cursor.execute(_REFERENCES)
            self._references = [row for row in cursor.fetchall() if row[0] in self.tables]
            cursor.execute(_APPEND_ONLY)
            self._append_only = {name for (name,) in cursor.fetchall()}
            self._remember(cursor)

    def _remember(self, cursor: Any) -> None:
        self.kept = self._with_rows(cursor, self.tables)
        self._contents = self._read(cursor)

    def empty(self, case: TransactionTestCase) -> None:
        """Delete what a test has left; as Django does it, where that does not bring it back."""
        with connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    is_done = self._delete(cursor)
            except DatabaseError:
                is_done = False  # a rule that is checked at once: only all tables together go
            if not is_done:
                _of_django(case)
                self._remember(cursor)

    def _delete(self, cursor: Any) -> bool:
        # Whoever still writes comes to its end first, as before a TRUNCATE.
        cursor.execute(
            f"LOCK TABLE {', '.join(map(_quoted, self.tables))} IN SHARE ROW EXCLUSIVE MODE"
        )
        if self._read(cursor) != self._contents:
            return False
        left = self._with_rows(cursor, [name for name in self.tables if name not in self.kept])
        truncated = self._referring(self._append_only & set(left))
        if truncated & set(self.kept):
            return False
        if truncated:
            cursor.execute("TRUNCATE " + ", ".join(map(_quoted, sorted(truncated))))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for name in left:
            if name not in truncated:
                cursor.execute(f"DELETE FROM {_quoted(name)}")
        return True

    def _referring(self, names: set[str]) -> set[str]:
        """Return tables with all that refer to them, as TRUNCATE wants them named."""
        found = set(names)
        while more := {one for one, other in self._references if other in found} - found:
            found |= more
        return found

    def _with_rows(self, cursor: Any, names: Sequence[str]) -> list[str]:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM {_quoted(name)})" for name in names
            )
        )
        return [name for (name,) in cursor.fetchall()]

    def _read(self, cursor: Any) -> list[str]:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name} ' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))"
                f" FROM {_quoted(name)} t"
                for name in self.kept
            )
        )
        return sorted(line for (line,) in cursor.fetchall())


def install() -> Emptying:
    """Let every test case that commits end so; the database has just been migrated."""
    emptying = Emptying()

    def teardown(self: TransactionTestCase) -> None:
        if self.available_apps is not None or self.serialized_rollback:
            _of_django(self)
        else:
            emptying.empty(self)

    TransactionTestCase._fixture_teardown = teardown  # type: ignore[method-assign]
    return emptying


_of_django = TransactionTestCase._fixture_teardown


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
