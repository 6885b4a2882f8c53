"""A venue with mappings for the desk of the tests."""

from energyopti.accounts.actors import Actor
from tests.factories.trades import make_desk
from trading.services.drop_copy_setup import VenueTerms, configure_venue

from .reports import US, VENUE

MONTH = {
    "symbol": "DEBM", "market": "DE", "product_kind": "FUTURE", "period_rule": "MONTH",
    "currency": "EUR",
}  # fmt: skip
FORWARD = {**MONTH, "symbol": "DEFWD", "product_kind": "PHYSICAL_FORWARD", "lot_size": "5"}


def system() -> Actor:
    """An actor remembers what it may reach, so each call has its own."""
    return Actor.system("drop-copy:TEST")


def terms(*, products=(MONTH, FORWARD), accounts=None, parties=(), **venue):
    return VenueTerms(
        venue={
            "code": "TEST", "name": "Test venue", "mic": "XEEE", "time_zone": "Europe/Berlin",
            "host": "127.0.0.1", "port": 9, "use_tls": False, "sender_comp_id": US,
            "target_comp_id": VENUE, "heartbeat_seconds": 1, "clearing_house": "ACME", **venue,
        },
        products=tuple(products),
        accounts=tuple([{"account": "ACC1", "book": "EU"}] if accounts is None else accounts),
        parties=tuple(parties),
    )  # fmt: skip


def make_venue(desk=None, **changes):
    desk = desk or make_desk()
    return configure_venue(
        actor=system(), organization_id=desk.organization.pk, terms=terms(**changes)
    )
