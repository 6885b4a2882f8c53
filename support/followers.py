"""The durable follower that looks at prices again when there are new ones, or a new rule."""

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from energyopti.foundation.events.models import Event

from .services.alerting import evaluate_price_rules


def evaluate_on_event(event: Event) -> None:
    """Evaluate the rules of the market that an event is about; its actor is the system's."""
    market = event.aggregate_id if event.type == "prices.imported" else event.payload["market"]
    evaluate_price_rules(
        actor=Actor.system("alerts", request_id=event.request_id),
        evaluated_at=clock.now(),
        market_code=market,
    )
