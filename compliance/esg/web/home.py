"""The panel of the home page: the newest month's carbon, organization by organization."""

from typing import Any

from compliance.esg.queries.reports import newest_reports, site_share
from energyopti.accounts.actors import Actor


def carbon_panel(actor: Actor, site: str | None = None) -> dict[str, Any]:
    """Return the newest report of each organization and their sums, or a site's part of one."""
    if site:
        return _of_site(actor, site)
    reports = newest_reports(actor)
    return {
        "reports": reports,
        "month": reports[0].month if reports else None,
        "built_at": max((report.built_at for report in reports), default=None),
        "energy_mwh": sum(report.energy_kwh for report in reports) / 1000,
        "emissions_t": sum(report.emissions_t for report in reports),
    }


def _of_site(actor: Actor, site: str) -> dict[str, Any]:
    """Return the same of one site, from the lines of its organization's newest report."""
    share = site_share(actor, site)
    if share is None:
        return {"reports": [], "month": None, "site": site}
    return {
        "reports": [share.report],
        "month": share.report.month,
        "built_at": share.report.built_at,
        "energy_mwh": share.energy_kwh / 1000,
        "emissions_t": share.emissions_t,
        "site": site,
        "place": share.place,
    }
