"""The panel of the home page: how the fleet is, and which batteries need somebody."""

from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from fleet.queries.health import FINE, NEEDS, devices_by_need, fleet_counts
from fleet.queries.runs import latest_plan, latest_settlement

from .lists import silent_since

SHOWN_IN_NEED = 5


def fleet_panel(actor: Actor, site: str | None = None) -> dict[str, Any]:
    """
    Return counts and power now, the newest plan and settlement, and the devices in need; of the
    chosen site, or of all.
    """
    since = silent_since()
    in_need = devices_by_need(actor, silent_since=since, site=site).exclude(need=FINE)
    return {
        "counts": fleet_counts(actor, silent_since=since, site=site),
        "now": clock.now(),
        "plan": latest_plan(actor, site=site) if actor.may("fleet.view_dispatchrun") else None,
        "settlement": latest_settlement(actor, site=site)
        if actor.may("fleet.view_energysettlement")
        else None,
        "in_need": [
            {"device": device, "need": NEEDS[device.need]}
            for device in in_need.order_by("need", "code")[:SHOWN_IN_NEED]
        ],
    }
