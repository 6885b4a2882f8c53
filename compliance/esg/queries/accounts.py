"""The carbon account of an organization's month: consumption × factors, as canonical data."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from compliance.carbon import CarbonError, Consumption, Footprint, location_based
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, Site
from energyopti.foundation.calendars import Calendar, tzdata_version
from energyopti.foundation.intervals import Interval
from energyopti.foundation.units import Quantity, exact_decimal
from trading.enums import Flow
from trading.queries.actuals import KnownActual, actuals, metered_organizations, uncontained

from .factors import factors_for
from .storage import StorageBalance, storage_balances


class NothingMetered(CarbonError):
    """An organization has no metered consumption in a month."""


@dataclass(frozen=True)
class CarbonAccount:
    """
    A month's account, computed and not stored.

    is_complete    every meter covers the whole month
    content        canonical data of the report: every number a string
    """

    interval: Interval
    footprint: Footprint
    is_complete: bool
    content: dict[str, Any]


def carbon_account(organization: Organization, month: date) -> CarbonAccount:
    """
    Compute the location-based scope 2 account of a local month from metered consumption.

    Consumed is what sites took: at their grid connection, or by their loads where no meter sits
    there. A battery behind the connection is inside of that. One that no connection's meter
    contains consumed what it lost: what it took less what it gave back.

    month    its first day, in the organization's zone

    :raises NothingMetered: if there is no consumption in the month.
    :raises CarbonError: if a reading has no site, or a zone no factor.
    """
    interval = Calendar(organization.time_zone).month(month.year, month.month)
    sites = {site.pk: site for site in Site.objects.filter(organization=organization)}
    hours: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    consumed: list[tuple[Site, Interval, Decimal]] = []
    stored: dict[Site, list[KnownActual]] = defaultdict(list)
    for volume in _volumes(organization, interval):
        site = sites.get(volume.site_id)
        if site is None:
            raise CarbonError(
                f"site: the reading of {volume.asset_id} at {volume.interval} names no site, so "
                "its grid is unknown."
            )
        if volume.flow == Flow.IMPORT:
            hours[site.name, volume.asset_id] += volume.interval.hours
        if volume.is_storage:
            stored[site].append(volume)
        else:
            consumed.append((site, volume.interval, volume.energy_kwh))
    balances = storage_balances(stored)
    for balance in balances:
        consumed += [(balance.site, at, lost_kwh) for at, lost_kwh in balance.losses()]
    consumptions = [
        Consumption(
            place=site.name,
            zone=site.market_zone,
            interval=at,
            energy=Quantity.of(energy_kwh, "kWh"),
        )
        for site, at, energy_kwh in consumed
    ]
    if not consumptions:
        raise NothingMetered(
            f"month: nothing was metered for {organization.name} in {month:%Y-%m}."
        )
    footprint = location_based(
        consumptions, factors_for({consumption.zone for consumption in consumptions}, interval)
    )
    return CarbonAccount(
        interval=interval,
        footprint=footprint,
        is_complete=all(metered == interval.hours for metered in hours.values()),
        content=_content(organization, month, interval, footprint, hours, balances),
    )


def organizations_with_consumption(interval: Interval) -> list[Organization]:
    """Return active organizations for which something was metered in an interval, by name."""
    organizations = list(Organization.objects.filter(is_active=True).order_by("name"))
    metered = metered_organizations(
        actor=Actor.system("esg"),
        interval=interval,
        organization_ids=[organization.pk for organization in organizations],
        flow=Flow(Flow.IMPORT),
    )
    return [organization for organization in organizations if organization.pk in metered]


def _volumes(organization: Organization, interval: Interval) -> list[KnownActual]:
    """
    Return what sites took, and what storage took and gave, each kWh once.

    What a site fed in is left out: it does not reduce scope 2.
    """
    volumes = actuals(
        actor=Actor.system("esg"),
        interval=interval,
        organization_ids=[organization.pk],
    )
    return [volume for volume in uncontained(volumes) if volume.is_supply or volume.is_storage]


def _content(
    organization: Organization,
    month: date,
    interval: Interval,
    footprint: Footprint,
    hours: dict[tuple[str, str], Fraction],
    balances: list[StorageBalance],
) -> dict[str, Any]:
    factors = sorted({line.factor for line in footprint.lines}, key=lambda f: (f.zone, f.version))
    return {
        "schema": "energyopti.carbon-report.1",
        "organization": {"id": str(organization.pk), "name": organization.name},
        "month": f"{month:%Y-%m}",
        "period": {"start": interval.start.isoformat(), "end": interval.end.isoformat()},
        "time_zone": organization.time_zone,
        "method": "GHG Protocol scope 2, location-based",
        "meters": [
            {
                "place": place,
                "meter": meter,
                "metered_hours": _written(metered),
                "hours_in_month": _written(interval.hours),
            }
            for (place, meter), metered in sorted(hours.items())
        ],
        "storage": [
            {
                "place": balance.site.name,
                "imported_kwh": _written(Fraction(balance.imported_kwh)),
                "exported_kwh": _written(Fraction(balance.exported_kwh)),
                "losses_kwh": _written(Fraction(balance.losses_kwh)),
            }
            for balance in balances
        ],
        "factors": [
            {
                "zone": factor.zone,
                "version": str(factor.version),
                "value": f"{factor.value.normalize():f}",
                "unit": factor.unit,
                "valid_from": factor.valid.start.isoformat(),
                "valid_until": factor.valid.end.isoformat(),
                "source": factor.source,
            }
            for factor in factors
        ],
        "lines": [
            {
                "place": line.place,
                "zone": line.zone,
                "factor": line.factor.name,
                "energy_kwh": _written(line.energy_kwh),
                "emissions_t": _written(line.emissions_t),
            }
            for line in footprint.lines
        ],
        "energy_kwh": _written(footprint.energy_kwh),
        "emissions_t": _written(footprint.emissions_t),
        "versions": {"tzdata": tzdata_version()},
    }


def _written(value: Fraction) -> str:
    """Return an exact decimal as text; quantities here are finite decimals by their inputs."""
    decimal: Decimal = exact_decimal(value)
    return f"{decimal.normalize():f}" if decimal else "0"
