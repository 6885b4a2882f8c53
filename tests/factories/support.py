"""Alert rules and the prices that make them fire."""

from datetime import UTC, datetime
from decimal import Decimal

from energyopti.accounts.actors import Actor
from support.models import AlertRule, Metric, Severity
from support.services.rules import create_rule
from tests.factories.billing import Supply, book_hourly_prices

NOON = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)
"""After the publication of the next day's prices (13:00 in Berlin)."""


def make_rule(supply: Supply, **fields: object) -> AlertRule:
    return create_rule(
        **{  # type: ignore[arg-type]
            "actor": Actor.system("test"),
            "organization_id": supply.customer.pk,
            "name": "Expensive hours",
            "market": supply.market,
            "metric": Metric.PRICE_ABOVE,
            "threshold": Decimal(150),
            "severity": Severity.WARNING,
            "created_at": NOON,
            **fields,
        }
    )


def publish_prices(supply: Supply, peak: str, *, base: str = "60") -> None:
    """Book two days' prices of `base` with one hour of `peak`, 19:00 local on the second."""
    start = datetime(2027, 2, 28, 23, tzinfo=UTC)
    values = [base] * 48
    values[24 + 19] = peak
    book_hourly_prices(supply.market, start, values)
