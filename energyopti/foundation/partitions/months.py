"""Months of partitioned tables, made ahead by a function of the owner that the app may call."""

from datetime import date

from django.db import connection


def ensure_months(*, table: str, first: date, last: date) -> int:
    """
    Make the monthly partitions (UTC months) that hold some days; return how many were missing.

    The database refuses a table that no migration declared (`operations.PartitionByMonth`), and
    days outside of what was declared for it. Safe to call at any time, from several processes. A
    month is visible to others only when the transaction that made it commits, so call it before a
    long transaction, not inside.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT partitions_ensure_months(%s, %s, %s)", [table, first, last])
        return int(cursor.fetchone()[0])
