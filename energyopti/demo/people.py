"""The companies and people of the demo, and what they are allowed."""

from dataclasses import dataclass

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, Site, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.members import add_person

COMPANY = "Northwind Energy Trading"
COLD_STORE = "Havn Cold Storage"
BREWERY = "Alte Mühle Brewery"


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, and where they belong."""

    email: str
    name: str
    organization: str
    role: Role


PEOPLE = [
    Person("trader@demo.example", "Tessa Trader", COMPANY, Role.TRADER),
    Person("structurer@demo.example", "Stella Structurer", COMPANY, Role.TRADER),
    Person("risk@demo.example", "Ravi Risk", COMPANY, Role.RISK_OFFICER),
    Person("quant@demo.example", "Quinn Quant", COMPANY, Role.RISK_OFFICER),
    Person("energy@demo.example", "Emil Energy", COMPANY, Role.ENERGY_MANAGER),
    Person("utility@demo.example", "Uma Utility", COMPANY, Role.UTILITY_OPERATOR),
    Person("operator@demo.example", "Otto Operator", COMPANY, Role.DEVICE_OPERATOR),
    Person("esg@demo.example", "Esra Green", COMPANY, Role.ESG_OFFICER),
    Person("compliance@demo.example", "Carl Compliance", COMPANY, Role.COMPLIANCE_OFFICER),
    Person("support@demo.example", "Sana Support", COMPANY, Role.SUPPORT_AGENT),
    Person("customer@demo.example", "Kaja Kunde", COLD_STORE, Role.ENERGY_MANAGER),
    Person("admin@demo.example", "Ada Admin", COMPANY, Role.ADMIN),
]
# Two parts of each customer: where its batteries stand, and how strong its connection is.
SITES = {
    COMPANY: [("Windpark Nord battery yard", "2400")],
    COLD_STORE: [("Hamburg warehouse", "900"), ("Bremen warehouse", "650")],
    BREWERY: [("Brewery and bottling", "420")],
}


def person(email: str) -> Actor:
    """Return somebody of the demo as who acts."""
    return Actor.for_user(User.objects.get(email=email))


def seed_people(*, password: str) -> dict[str, Organization]:
    """Open the companies with their sites and people; return the companies by name."""
    with transaction.atomic():
        company, _ = Organization.objects.get_or_create(
            name=COMPANY, defaults={"slug": "northwind", "lei": "5299000J2N45DDNE4Y28"}
        )
        companies = {COMPANY: company}
        for name, slug in ((COLD_STORE, "havn"), (BREWERY, "alte-muehle")):
            companies[name], _ = Organization.objects.get_or_create(
                name=name, defaults={"slug": slug, "parent": company}
            )
        for name, sites in SITES.items():
            for site, connection_kw in sites:
                Site.objects.get_or_create(
                    organization=companies[name],
                    name=site,
                    defaults={"market_zone": "DE", "grid_connection_kw": connection_kw},
                )
    actor = Actor.system("demo")
    for person in PEOPLE:
        if not User.objects.filter(email=person.email).exists():
            user = add_person(
                actor=actor,
                email=person.email,
                name=person.name,
                organization=companies[person.organization],
                roles={person.role},
                password=password,
            )
            if person.role is Role.ADMIN:
                user.is_staff = True
                user.save(update_fields=["is_staff"])
    return companies
