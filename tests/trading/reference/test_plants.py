"""Plants: added, amended, imported, shown, and named by lines and the ticket."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.events.models import Event
from tests.factories.trades import make_desk
from trading.models import Plant, TradeVersion
from trading.queries.deals import deal_of
from trading.reference import PlantTerms
from trading.services.plants import add_plant, amend_plant
from trading.services.reference_files import import_reference

pytestmark = pytest.mark.django_db
FACTORS = "0.4 0.3 0.3 0.2 0.2 0.2 0.2 0.2 0.2 0.3 0.3 0.4"
HEAD = "code,name,market,technology,installed_mwp,capacity_factors,metering_asset_id,is_active\n"


def terms(**changes) -> PlantTerms:
    return PlantTerms(
        **{
            "code": "WIND-1", "name": "Uckermark", "market": "DE", "technology": "WIND_ONSHORE",
            "installed_mwp": Decimal(50), "capacity_factors": FACTORS,
            "metering_asset_id": "meter-7", **changes,
        }
    )  # fmt: skip


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def plant(desk):
    return add_plant(actor=desk.officer, terms=terms())


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_plant_is_added_once_and_amended_with_what_changed(desk, plant) -> None:
    with pytest.raises(PermissionMissing):
        add_plant(actor=desk.trader, terms=terms(code="WIND-2"))
    with pytest.raises(ValidationError, match="taken"):
        add_plant(actor=desk.officer, terms=terms(code="wind-1"))

    amend_plant(actor=desk.officer, terms=terms(installed_mwp=Decimal(62)))

    assert Plant.objects.get().installed_mwp == 62
    told = Event.objects.get(type="plant.amended")
    assert told.changes["installed_mwp"] == {"before": "50", "after": "62"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("capacity_factors", "0.4 0.3"),
        ("capacity_factors", "1.2"),
        ("capacity_factors", "often"),
        ("installed_mwp", Decimal(0)),
        ("market", "MOON"),
        ("technology", "STEAM"),
        ("code", "two words"),
    ],
)
def test_what_is_no_plant_is_refused_by_field(desk, field, value) -> None:
    with pytest.raises(ValidationError) as refused:
        add_plant(actor=desk.officer, terms=terms(**{field: value}))
    told = str(refused.value)
    assert field in refused.value.message_dict or "MWp" in told or "one word" in told
    assert not Plant.objects.exists()


def test_a_plant_stays_where_it_delivers(desk, plant) -> None:
    with pytest.raises(ValidationError, match="another plant"):
        amend_plant(actor=desk.officer, terms=terms(market="FR"))


def test_plants_come_from_a_file_and_again_change_nothing(desk) -> None:
    file = f"{HEAD}WIND-1,Uckermark,DE,WIND_ONSHORE,50,{FACTORS},meter-7,yes\n".encode()
    words = {"actor": desk.officer, "organization_id": None, "files": {"plants.csv": file}}
    first = import_reference(**words)
    again = import_reference(**words)
    assert [change.state.value for change in first.changes] != [
        change.state.value for change in again.changes
    ]
    assert Plant.objects.get().capacity_factors == FACTORS


def test_a_line_sells_megawatts_peak_of_a_plant(desk, plant) -> None:
    client = client_of(desk.trader.user)
    entry = {"kind": "LINE", "client_reference": "r-1", "reason": "by phone", "action": "go",
             "text": "B 5MWp DE base Jan27 @ 50 asset:wind-1 cpty:ACME book:EU"}  # fmt: skip
    shown = client.post(reverse("trading:ticket"), entry)
    page = shown.content.decode()
    assert "1,488.000 MWh" in page  # 744 h × 5 MW × 0.4

    booked = client.post(
        reverse("trading:ticket"), entry | {"previewed": shown.context["entry"].fingerprint}
    )

    assert booked.status_code == 302
    asset = deal_of(TradeVersion.objects.get()).deliveries[0].asset
    assert (asset.asset_id, asset.installed_mw, asset.contracted_mw) == ("WIND-1", 50, 5)


def test_a_plant_that_is_none_is_refused_at_its_word_with_the_nearest(desk, plant) -> None:
    answer = client_of(desk.trader.user).post(
        reverse("trading:parse"),
        {"kind": "LINE", "text": "B 5MWp DE base Jan27 @ 50 asset:WIND-2 cpty:ACME book:EU"},
    )
    assert "Did you mean “WIND-1”" in answer.content.decode()


def test_the_form_takes_the_rest_from_the_list_and_asks_where_it_cannot(desk, plant) -> None:
    client = client_of(desk.trader.user)
    entry = {"kind": "AS_GENERATED", "side": "BUY", "asset": "wind-1", "contracted_mw": "5",
             "area": "DE", "period": "Jan27", "minutes": "60", "price": "50", "book": "EU",
             "counterparty": "ACME", "client_reference": "r-1"}  # fmt: skip
    assert "1,488.000 MWh" in client.post(reverse("trading:parse"), entry).content.decode()
    other = client.post(reverse("trading:parse"), entry | {"asset": "UNKNOWN", "factors": "0.5"})
    assert "no plant of the list" in other.content.decode()
    said = client.post(
        reverse("trading:parse"),
        entry | {"asset": "UNKNOWN", "factors": "0.5", "installed_mw": "20"},
    )
    assert "1,860.000 MWh" in said.content.decode()


def test_pages_and_rest_show_it(desk, plant) -> None:
    trader, officer = client_of(desk.trader.user), client_of(desk.officer.user)
    assert "WIND-1" in trader.get(reverse("trading:plants")).content.decode()
    assert "meter-7" in trader.get(reverse("trading:plant", args=["WIND-1"])).content.decode()
    assert trader.get(reverse("trading:plant_new")).status_code == 403
    new = {"code": "SUN-1", "name": "Lieberose", "market": "DE", "technology": "SOLAR_PV",
           "installed_mwp": "53", "capacity_factors": "0.11", "is_active": "on"}  # fmt: skip
    assert officer.post(reverse("trading:plant_new"), new).status_code == 302
    changed = {**new, "installed_mwp": "60"}
    assert officer.post(reverse("trading:plant_edit", args=["SUN-1"]), changed).status_code == 302

    shown = trader.get("/api/v1/trading/plants/SUN-1").json()
    listed = trader.get("/api/v1/trading/plants", {"market": "DE"}).json()

    assert (shown["installed_mwp"], shown["technology"]) == ("60.000000", "SOLAR_PV")
    assert {row["code"] for row in listed["results"]} == {"SUN-1", "WIND-1"}
