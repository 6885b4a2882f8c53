"""The panel of the home page: the newest month's carbon, organization by organization."""

from typing import Any

from compliance.esg.queries.reports import newest_reports
from energyopti.accounts.actors import Actor


def carbon_panel(actor: Actor) -> dict[str, Any]:
    """Return the newest report of each organization, and their sums."""
    reports = newest_reports(actor)
    return {
        "reports": reports,
        "month": reports[0].month if reports else None,
        "built_at": max((report.built_at for report in reports), default=None),
        "energy_mwh": sum(report.energy_kwh for report in reports) / 1000,
        "emissions_t": sum(report.emissions_t for report in reports),
    }
