"""When a trade's last cash is due, and by which rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from trading.deals import PaymentRule, ProductKind, payment_rule
from trading.models import Agreement


@dataclass(frozen=True, slots=True)
class PaymentDue:
    """The local date at the delivery point, its start, and the rule that sets it."""

    date: date
    at: datetime
    rule: PaymentRule


class Agreed:
    """The agreements of counterparties, read once for many trades."""

    def __init__(self, counterparty_ids: Collection[UUID]) -> None:
        self._rows: dict[UUID, list[tuple[str, date, date | None]]] = {}
        for counterparty_id, *row in Agreement.objects.filter(
            counterparty_id__in=counterparty_ids
        ).values_list("counterparty_id", "kind", "effective_date", "ended_date"):
            self._rows.setdefault(counterparty_id, []).append((row[0], row[1], row[2]))

    def due(self, version: Any) -> PaymentDue:
        """
        Return when the last cash of a trade is due: never before its delivery has ended.

        What was in force on the day of the trade, at the delivery point, holds for it.
        """
        calendar = version.market.calendar
        rule = self.rule(version)
        day = rule.due(date.fromordinal(version.after_date.toordinal() - 1))
        return PaymentDue(day, max(calendar.day(day).start, version.delivery_end), rule)

    def rule(self, version: Any) -> PaymentRule:
        """Return the rule that was in force on the day of the trade, at the delivery point."""
        traded = version.market.calendar.date_of(version.traded_at)
        kinds = frozenset(
            kind
            for kind, first, ended in self._rows.get(version.counterparty_id, ())
            if first <= traded and (ended is None or traded < ended)
        )
        return payment_rule(ProductKind(version.product_kind), kinds)


def payment_due(version: Any) -> PaymentDue:
    """Return when the last cash of one trade is due; one query."""
    return Agreed([version.counterparty_id]).due(version)
