"""The European desk of the documentation, imported once for a module."""

from pathlib import Path

import pytest

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from trading.services.reference_files import import_reference

DESK = Path(__file__).resolve().parents[3] / "docs" / "reference-data" / "europe"


@pytest.fixture(scope="module")
def european_desk(rows_of_module: None) -> Organization:
    """An organization with the rows of all the desk's files: a second of work."""
    organization = make_organization()
    import_reference(
        actor=Actor.for_user(make_user(Role.RISK_OFFICER, organization=organization)),
        organization_id=organization.pk,
        files={path.name: path.read_bytes() for path in DESK.glob("*.csv")},
    )
    return organization
