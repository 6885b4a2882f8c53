"""What counts as consumed, with and without batteries, and the factors that the product brings."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from compliance.esg.models import CarbonReport
from compliance.esg.queries.storage import StorageBalance
from compliance.esg.services.factors import publish_seed_factors, seed_factors
from compliance.esg.services.reports import build_carbon_report
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Site
from energyopti.accounts.roles import Role
from energyopti.foundation.intervals import Interval
from tests.factories.accounts import make_user
from tests.factories.billing import Supply, book_readings, make_supply
from trading.models import Flow, MeteringPointKind

pytestmark = pytest.mark.django_db

START = datetime(2027, 2, 28, 23, tzinfo=UTC)  # midnight in Berlin
HOUR = timedelta(hours=1)


@pytest.fixture
def metered_bakery() -> Supply:
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(supply.site, supply.market, START, ["10"] * 24)
    return supply


def build(supply: Supply) -> CarbonReport:
    return build_carbon_report(
        actor=Actor.system("beat"),
        organization=supply.customer,
        month=date(2027, 3, 1),
        built_at=datetime(2027, 4, 1, 4, tzinfo=UTC),
    )


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def book_battery(supply: Supply, taken: list[str], given: list[str]) -> None:
    for flow, values in ((Flow.IMPORT, taken), (Flow.EXPORT, given)):
        book_readings(
            supply.site,
            supply.market,
            START,
            values,
            asset="BAT-9",
            flow=flow,
            kind=MeteringPointKind.STORAGE,
        )


def test_battery_behind_the_connection_is_inside_of_its_reading(metered_bakery: Supply) -> None:
    book_battery(metered_bakery, ["5", "0"], ["0", "4"])

    report = build(metered_bakery)

    assert report.energy_kwh == 240
    assert report.content["storage"] == []
    assert [meter["meter"] for meter in report.content["meters"]] == ["BAT-1"]


def test_battery_beside_the_loads_consumes_what_it_loses() -> None:
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(
        supply.site, supply.market, START, ["10"] * 4, asset="L-1", kind=MeteringPointKind.LOAD
    )
    book_battery(supply, ["3", "3", "1", "0"], ["0", "0", "0", "6.3"])

    report = build(supply)

    # 40 kWh of loads and 7 − 6.3 kWh of losses, × 380.95 g/kWh
    assert report.energy_kwh == Decimal("40.7")
    assert report.emissions_t == Decimal("0.015505")
    assert report.content["emissions_t"] == "0.015504665"
    assert [line["place"] for line in report.content["lines"]] == ["Depot"]
    assert report.content["storage"] == [
        {"place": "Depot", "imported_kwh": "7", "exported_kwh": "6.3", "losses_kwh": "0.7"}
    ]
    page = signed_in(make_user(Role.ESG_OFFICER, organization=supply.customer)).get(
        f"/esg/reports/{report.pk}/"
    )
    assert "Given back" in page.content.decode()


def test_battery_alone_that_was_emptied_consumes_nothing() -> None:
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_battery(supply, ["2", "0"], ["0", "9"])

    report = build(supply)

    assert (report.energy_kwh, report.emissions_t) == (0, 0)


def test_loads_count_only_while_the_connection_is_not_read(metered_bakery: Supply) -> None:
    book_readings(
        metered_bakery.site,
        metered_bakery.market,
        START,
        ["7"] * 26,
        asset="L-1",
        kind=MeteringPointKind.LOAD,
    )

    # 24 h × 10 kWh at the connection, then 2 h × 7 kWh of loads
    assert build(metered_bakery).energy_kwh == 254


@pytest.mark.parametrize(
    ("taken", "losses"),
    [
        (["1", "1", "1"], "1"),
        (["0.000001", "2", "0.999999"], "0.333333"),
        (["0", "0"], "0"),
    ],
)
def test_parts_of_the_losses_add_up(taken: list[str], losses: str) -> None:
    periods = [Interval(START + i * HOUR, START + (i + 1) * HOUR) for i in range(len(taken))]
    imports = tuple((at, Decimal(text)) for at, text in zip(periods, taken, strict=True))
    total = sum(Decimal(text) for text in taken)

    balance = StorageBalance(Site(name="Depot"), imports, total - Decimal(losses))

    parts = [part for _at, part in balance.losses()]
    assert sum(parts) == balance.losses_kwh == Decimal(losses)
    assert all(part >= 0 for part in parts)


def test_each_zone_takes_its_countrys_factors_and_none_before_the_first() -> None:
    factors = seed_factors()

    def of(zone: str) -> list[tuple[int, str, str]]:
        return [(f.valid.start.year, str(f.value), f.source) for f in factors if f.zone == zone]

    assert of("DE-LU") == of("DE")
    assert of("DK1") == of("DK2")
    assert [year for year, _value, _source in of("NL")] == [2023]
    assert of("NP") == []
    assert of("GB")[0][1] == "237.589"
    assert "United Kingdom 2023" in of("GB")[0][2]
    assert all("power plants alone" in s for year, _v, s in of("DE") if year < 2023)
    assert "whole life cycle" in of("DE")[-1][2]
