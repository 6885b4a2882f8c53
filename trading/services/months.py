"""Months of partitioned tables, made ahead by a function of the owner that the app may call."""

from datetime import date

from django.db import connection

PARTITIONED = ("trading_price", "trading_actual")


def ensure_months(*, table: str, first: date, last: date) -> int:
    """
    Make the monthly partitions (UTC months) that hold some days; return how many were missing.

    Safe to call at any time, from several processes. Call it before a long transaction, not
    inside: a month is visible to others only when the transaction that made it commits.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT trading_ensure_months(%s, %s, %s)", [table, first, last])
        return int(cursor.fetchone()[0])
