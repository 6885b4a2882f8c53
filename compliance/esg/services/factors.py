"""Publish emission factors, and the ones that the product brings along."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from django.db import connection, transaction

from compliance.carbon import EmissionFactor
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval

from ..models import Factor

SEED = Path(__file__).resolve().parents[1] / "factors.json"
# The latest published year holds until a later one is published.
_OPEN_YEAR = 2100


def publish_factor(*, actor: Actor, factor: EmissionFactor) -> Factor:
    """
    Publish a factor: the first version for its zone and start, or a correction of the latest.

    The latest version again changes nothing. Reports that used an earlier version keep it; the
    given `version` is not looked at.
    """
    actor.require("esg.publish_factor")
    with transaction.atomic():
        _lock(factor.zone)
        latest = (
            Factor.objects.filter(zone=factor.zone, valid_from=factor.valid.start)
            .order_by("-version")
            .first()
        )
        if latest is not None and _is_same(latest, factor):
            return latest
        published = Factor.objects.create(
            zone=factor.zone,
            version=latest.version + 1 if latest else 1,
            value=factor.value,
            unit=factor.unit,
            valid_from=factor.valid.start,
            valid_until=factor.valid.end,
            source=factor.source,
        )
        record_event(
            type="factor.published",
            actor=actor,
            aggregate_type="factor",
            aggregate_id=f"{factor.zone}:{factor.valid.start:%Y-%m-%d}",
            organization_id=None,
            payload={"version": published.version, "unit": factor.unit, "source": factor.source},
            changes={"value": (f"{latest.value:f}" if latest else None, f"{factor.value:f}")},
        )
    return published


def publish_seed_factors(*, actor: Actor) -> list[Factor]:
    """Publish the factors of `factors.json`; those that are there already stay as they are."""
    with transaction.atomic():
        return [publish_factor(actor=actor, factor=factor) for factor in seed_factors()]


def seed_factors() -> list[EmissionFactor]:
    """Return the factors of `factors.json`: each zone's are those of the country it names."""
    seed = json.loads(SEED.read_text())
    factors = []
    for zone, code in seed["zones"].items():
        country = seed["countries"][code]
        published = country["published"]
        ends = [later["year"] for later in published[1:]] + [_OPEN_YEAR]
        factors += [
            EmissionFactor(
                zone=zone,
                value=Decimal(entry["value"]),
                unit=seed["unit"],
                valid=Interval(_year(entry["year"]), _year(end)),
                source=seed["sources"][entry["source"]].format(
                    country=country["name"], year=entry["year"]
                ),
            )
            for entry, end in zip(published, ends, strict=True)
        ]
    return factors


def _is_same(row: Factor, factor: EmissionFactor) -> bool:
    return (row.value, row.unit, row.valid_until, row.source) == (
        factor.value,
        factor.unit,
        factor.valid.end,
        factor.source,
    )


def _year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _lock(zone: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"esg.factor:{zone}"]
        )
