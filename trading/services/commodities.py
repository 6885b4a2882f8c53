"""Add and amend commodities, which all organizations share."""

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import Commodity

POWER = {"name": "Power", "kind": "POWER", "delivery": "FLOW", "quantity_unit": "MW"}


def power(*, actor: Actor) -> Commodity:
    """Return the commodity of bidding zones; it is added with the first market that needs it."""
    with transaction.atomic():
        commodity, is_new = Commodity.objects.get_or_create(code="POWER", defaults=POWER)
        if is_new:
            record_event(
                type="commodity.added",
                actor=actor,
                aggregate_type="commodity",
                aggregate_id=commodity.code,
                organization_id=None,
                payload={"code": commodity.code, **POWER},
            )
    return commodity
