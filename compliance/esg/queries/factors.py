"""Emission factors in their latest versions, each until the next one begins."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from compliance.carbon import EmissionFactor
from energyopti.foundation.intervals import Interval

from ..models import Factor


def factors_for(zones: Iterable[str], interval: Interval) -> list[EmissionFactor]:
    """
    Return the factors that hold in zones during an interval, by zone and start; one query.

    Where validities overlap, the one that begins later holds from its start on, so that the
    latest published year stands until the next is published.
    """
    rows = (
        Factor.objects.filter(zone__in=set(zones), valid_from__lt=interval.end)
        .order_by("zone", "valid_from", "-version")
        .distinct("zone", "valid_from")
    )
    factors = [row.emission_factor() for row in rows]
    held = []
    for factor, following in zip_longest(factors, factors[1:]):
        end = factor.valid.end
        if following is not None and following.zone == factor.zone:
            end = min(end, following.valid.start)
        valid = Interval(factor.valid.start, end)
        if valid.overlaps(interval):
            held.append(replace(factor, valid=valid))
    return held


def factor_rows() -> list[dict[str, Any]]:
    """Return every factor in its latest version, as the page lists them."""
    return [
        {
            "zone": factor.zone,
            "value": factor.value,
            "unit": factor.unit,
            "valid_from": factor.valid_from,
            "valid_until": factor.valid_until,
            "version": factor.version,
            "source": factor.source,
        }
        for factor in Factor.objects.order_by("zone", "valid_from", "-version").distinct(
            "zone", "valid_from"
        )
    ]
