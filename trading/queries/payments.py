"""When a trade's last cash is due, and by which rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from energyopti.foundation.calendars import HolidaySet
from trading.deals import PaymentRule, ProductKind, payment_rule
from trading.models import Agreement

from .load_shapes import holidays_of


@dataclass(frozen=True, slots=True)
class PaymentDue:
    """
    The local date at the delivery point, its start, and the rule that sets it.

    calendar    code and version of the holidays that were left out, empty where none are known
    """

    date: date
    at: datetime
    rule: PaymentRule
    calendar: str


class Agreed:
    """The agreements of counterparties and the calendars of banks, read once for many trades."""

    def __init__(self, counterparty_ids: Collection[UUID]) -> None:
        self._rows: dict[UUID, list[tuple[str, date, date | None]]] = {}
        for counterparty_id, *row in Agreement.objects.filter(
            counterparty_id__in=counterparty_ids
        ).values_list("counterparty_id", "kind", "effective_date", "ended_date"):
            self._rows.setdefault(counterparty_id, []).append((row[0], row[1], row[2]))
        self._holidays: dict[str, HolidaySet | None] = {"": None}

    def due(self, version: Any) -> PaymentDue:
        """
        Return when the last cash of a trade is due: never before its delivery has ended.

        What was in force on the day of the trade, at the delivery point, holds for it.
        """
        calendar, rule = version.market.calendar, self.rule(version)
        holidays = self._holidays_of(rule.calendar_for(version.currency))
        day = self.day(version, date.fromordinal(version.after_date.toordinal() - 1))
        by = ""
        if holidays is not None and holidays.covers.first <= day < holidays.covers.after:
            by = f"{holidays.name} {holidays.version}"
        return PaymentDue(day, max(calendar.day(day).start, version.delivery_end), rule, by)

    def day(self, version: Any, last: date) -> date:
        """Return the date on which cash of a trade for what ended on a day is due."""
        rule = self.rule(version)
        return rule.due(last, self._holidays_of(rule.calendar_for(version.currency)))

    def rule(self, version: Any) -> PaymentRule:
        """Return the rule that was in force on the day of the trade, at the delivery point."""
        traded = version.market.calendar.date_of(version.traded_at)
        kinds = frozenset(
            kind
            for kind, first, ended in self._rows.get(version.counterparty_id, ())
            if first <= traded and (ended is None or traded < ended)
        )
        return payment_rule(ProductKind(version.product_kind), kinds)

    def _holidays_of(self, code: str) -> HolidaySet | None:
        if code not in self._holidays:
            self._holidays[code] = holidays_of(code)
        return self._holidays[code]


def payment_due(version: Any) -> PaymentDue:
    """Return when the last cash of one trade is due; two queries."""
    return Agreed([version.counterparty_id]).due(version)
