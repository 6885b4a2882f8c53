"""Book what a trade version adds to positions: the deltas and the running totals, together."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from energyopti.foundation.calendars import tzdata_version
from trading.deals import MonthDelivery, PowerForward
from trading.models import PositionDelta, PositionTotal, TradeVersion

_ADD_TO_TOTAL = f"""
    INSERT INTO {PositionTotal._meta.db_table} AS total
        (book_id, market_id, currency, load_type, month, start, "end", calendar_zone, mw, mw_price)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (book_id, market_id, currency, load_type, start, "end")
    DO UPDATE SET mw = total.mw + excluded.mw, mw_price = total.mw_price + excluded.mw_price
"""  # noqa: S608 - the table's own name, no input


def add_deltas(
    *, version: TradeVersion, terms: PowerForward, deliveries: Sequence[MonthDelivery]
) -> list[PositionDelta]:
    """
    Write a version's deltas and add them to the totals, in the caller's transaction.

    The caller holds the locks of the book's limit scopes, so totals are changed one by one.
    """
    mw, zone = terms.signed_mw, terms.area.zone_key
    deltas = [
        PositionDelta(
            trade_version=version,
            book_id=version.trade.book_id,
            market_id=version.market_id,
            currency=terms.currency,
            load_type=terms.load_type.value,
            month=delivery.month,
            start=delivery.interval.start,
            end=delivery.interval.end,
            calendar_zone=zone,
            tzdata_version=tzdata_version(),
            mw=mw,
            mw_price=_exact_product(mw, terms.price),
        )
        for delivery in deliveries
    ]
    PositionDelta.objects.bulk_create(deltas)
    with connection.cursor() as cursor:
        cursor.executemany(
            _ADD_TO_TOTAL,
            [
                (
                    d.book_id, d.market_id, d.currency, d.load_type, d.month, d.start, d.end,
                    d.calendar_zone, d.mw, d.mw_price,
                )
                for d in deltas
            ],
        )  # fmt: skip
    return deltas


def _exact_product(mw: Decimal, price: Decimal) -> Decimal:
    # Three and six decimals of at most 12 and 16 digits: within Decimal's 28 by the terms' bounds.
    return mw * price
