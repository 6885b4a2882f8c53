"""Verbs on reference data: who may, what a row must fulfil, and what the event log keeps."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import LEI, make_counterparty, make_desk
from trading.deals import shape_delivery
from trading.models import (
    Agreement,
    Commodity,
    CreditSupportAnnex,
    FxRate,
    Market,
    NettingSet,
    ShapeCalendar,
)
from trading.queries.agreements import agreement_rows, annex_on, counterparty_rows, one_of
from trading.queries.exchange import Rates
from trading.queries.load_shapes import shapes_of_market
from trading.queries.reference import (
    UnknownReference,
    fx_rate_rows,
    market_rows,
)
from trading.reference import (
    AgreementTerms,
    AnnexTerms,
    BookTerms,
    CollateralTerms,
    CommodityTerms,
    CounterpartyTerms,
    FxRateTerms,
    HolidayTerms,
    IndexTerms,
    MarketTerms,
    NettingSetTerms,
    ShapeTerms,
)
from trading.services.agreements import (
    add_agreement,
    add_annex,
    add_netting_set,
    amend_agreement,
    amend_annex,
)
from trading.services.books import amend_book, open_book_as
from trading.services.catalogue import ensure_catalogue
from trading.services.changes import ForeignOrganization
from trading.services.commodities import add_commodity, amend_commodity
from trading.services.counterparties import add_company, amend_counterparty
from trading.services.delivery_points import add_delivery_point, amend_delivery_point
from trading.services.indices import add_index, amend_index, book_fx_rates
from trading.services.shapes import publish_holidays, publish_shape

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
SYSTEM = Actor.system("test")
TTF = MarketTerms(
    "TTF", "Title Transfer Facility", "GAS", "VIRTUAL_TRADING_POINT", "Europe/Amsterdam", "EUR",
    day_start=timedelta(hours=6), shape_calendar="GAS-EU",
)  # fmt: skip
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def desk():
    ensure_catalogue(actor=SYSTEM)
    return make_desk()


def refused(verb, field: str, words: str, **arguments) -> None:
    with pytest.raises(ValidationError) as error:
        verb(**arguments)
    assert field in error.value.message_dict, error.value.message_dict
    assert words in " ".join(error.value.message_dict[field])


def agreed(desk) -> tuple[AgreementTerms, NettingSetTerms, AnnexTerms]:
    agreement = AgreementTerms(
        "ACME", "EFET-1", "EFET", date(2026, 1, 1), date(2026, 1, 1), None, "German law"
    )
    netting = NettingSetTerms("ACME", "EFET-1", "POWER", "Power", ("POWER",))
    annex = AnnexTerms(
        "ACME", "EFET-1", "POWER", date(2026, 1, 1), date(2027, 1, 1), "EUR", None,
        Decimal(1000), Decimal(100), Decimal(10), Decimal(0),
        (CollateralTerms("CASH", "EUR", Decimal(0)),),
    )  # fmt: skip
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    add_agreement(**own, terms=agreement)
    add_netting_set(**own, terms=netting)
    add_annex(**own, terms=annex)
    return agreement, netting, annex


def test_shared_data_is_changed_by_an_officer_of_an_operating_company_only(desk):
    customer = make_organization(parent=desk.organization)
    customers = Actor.for_user(make_user(Role.RISK_OFFICER, organization=customer))
    lng = CommodityTerms("LNG", "Liquefied natural gas", "GAS", "LOT", "t")

    for actor in (desk.trader, customers):
        with pytest.raises(PermissionMissing):
            add_commodity(actor=actor, terms=lng)
    assert add_commodity(actor=desk.officer, terms=lng).code == "LNG"
    assert desk.market in market_rows(desk.trader)
    with pytest.raises(PermissionMissing):
        market_rows(Actor.for_user(make_user(Role.DEVICE_OPERATOR, organization=customer)))


def test_an_amendment_keeps_what_was_and_what_is(desk):
    add_delivery_point(actor=desk.officer, terms=TTF)
    changed = replace(TTF, name="TTF virtual point", country="NL")

    amend_delivery_point(actor=desk.officer, terms=changed)
    amend_delivery_point(actor=desk.officer, terms=changed)

    event = Event.objects.get(type="market.amended", aggregate_id="TTF")
    assert event.changes == {
        "name": {"before": "Title Transfer Facility", "after": "TTF virtual point"},
        "country": {"before": "", "after": "NL"},
    }
    assert event.actor_id == desk.officer.id


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"code": "ttf"}, "code", "taken"),
        ({"eic": "10Y1001A1001A82X"}, "eic", "energy identification code"),
        ({"time_zone": "Europe/Atlantis"}, "time_zone", "not in the IANA"),
        ({"currency": "EUX"}, "currency", "ISO 4217"),
        ({"commodity": "TEA"}, "commodity", "no commodity “TEA”"),
        ({"price_unit": "bbl"}, "price_unit", "flows"),
        ({"price_unit": "sack"}, "price_unit", "not a unit"),
        ({"country": "XX"}, "country", "ISO 3166"),
        ({"parent": "DE"}, "parent", "delivers POWER"),
        ({"parent": "NOWHERE"}, "parent", "no market"),
        ({"day_start": timedelta(0)}, "day_start", "GAS-EU start at another time"),
        ({"shape_calendar": "NONE"}, "shape_calendar", "no shape calendar"),
        ({"kind": "PLACE"}, "kind", "not a valid choice"),
        ({"name": "=1+1"}, "name", "formula"),
        ({"code": ""}, "code", "cannot be blank"),
    ],
)
def test_a_market_that_breaks_a_rule_is_refused_by_field(desk, change, field, words):
    add_delivery_point(actor=desk.officer, terms=TTF)
    terms = replace(replace(TTF, code="TTF2"), **change)

    refused(add_delivery_point, field, words, actor=desk.officer, terms=terms)
    assert not Market.objects.filter(code="TTF2").exists()


def test_what_deliveries_hang_on_stays_once_a_market_has_trades(desk):
    desk.deal()
    known = next(m for m in market_rows(desk.officer) if m.code == "DE")
    terms = MarketTerms(
        "DE", "Germany", "POWER", "BIDDING_ZONE", "Europe/Paris", "EUR", shape_calendar="EEX"
    )

    refused(amend_delivery_point, "time_zone", "stays", actor=desk.officer, terms=terms)
    amend_delivery_point(actor=desk.officer, terms=replace(terms, time_zone=known.time_zone))
    refused(
        amend_commodity,
        "quantity_unit",
        "has markets",
        actor=desk.officer,
        terms=CommodityTerms("POWER", "Power", "POWER", "FLOW", "kW"),
    )


def test_a_hub_cannot_lie_below_its_own_node(desk):
    hub = replace(TTF, code="HUB")
    add_delivery_point(actor=desk.officer, terms=hub)
    add_delivery_point(actor=desk.officer, terms=replace(TTF, code="NODE", parent="HUB"))

    refused(
        amend_delivery_point,
        "parent",
        "lies below",
        actor=desk.officer,
        terms=replace(hub, parent="NODE"),
    )


def holidays(version: int, **changes) -> HolidayTerms:
    terms = HolidayTerms(
        "TEST", "Test days", version, date(2027, 1, 1), date(2027, 12, 31), "us",
        ((date(2027, 1, 1), "New Year"),),
    )  # fmt: skip
    return replace(terms, **changes)


def test_holidays_are_published_by_version_and_shapes_follow_the_latest(desk):
    publish_holidays(actor=desk.officer, terms=holidays(1))
    publish_shape(
        actor=desk.officer,
        terms=ShapeTerms(
            "EEX", "European power, EEX", timedelta(0), "WORK", 1, "Working days",
            date(2000, 1, 1), "12345", 480, 1200, "TEST", "EXCLUDE",
        ),
    )  # fmt: skip
    desk.market.shape_calendar_id = _eex()
    friday = date(2027, 1, 1)
    first = shapes_of_market(desk.market, on=friday)["WORK"]
    publish_holidays(actor=desk.officer, terms=holidays(2, holidays=()))
    second = shapes_of_market(desk.market, on=friday)["WORK"]

    assert not first.delivers_on(friday)
    assert second.delivers_on(friday)
    assert second.holidays.version == "2"
    for terms, field, words in (
        (holidays(2), "version", "publish version 3"),
        (holidays(4), "version", "next version"),
        (holidays(3, covers_first=date(2027, 2, 1), holidays=()), "covers_first", "speaks from"),
        (holidays(3, covers_last=date(2027, 2, 1)), "covers_last", "speaks to before"),
        (holidays(3, holidays=((date(2028, 1, 1), "x"),)), "date", "outside"),
    ):
        refused(publish_holidays, field, words, actor=desk.officer, terms=terms)


def _eex() -> int:
    return ShapeCalendar.objects.get(code="EEX").pk


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"version": 1}, "version", "publish version 2"),
        ({"valid_from": date(2000, 1, 1)}, "valid_from", "starts later"),
        ({"weekdays": "51"}, "__all__", "digits from 1"),
        ({"to_minute": 0}, "__all__", "after it starts"),
        ({"complement_of": "OFFPEAK"}, "complement_of", "made from another"),
        ({"complement_of": "NONE"}, "complement_of", "no shape"),
        ({"holiday_rule": "EXCLUDE"}, "__all__", "needs a calendar"),
        ({"day_start": timedelta(hours=6)}, "day_start", "start at another time"),
    ],
)
def test_a_shape_that_breaks_a_rule_is_refused_by_field(desk, change, field, words):
    terms = ShapeTerms(
        "EEX", "European power, EEX", timedelta(0), "PEAK", 2, "Peak", date(2030, 1, 1), "12345",
        480, 1200,
    )  # fmt: skip

    refused(publish_shape, field, words, actor=desk.officer, terms=replace(terms, **change))
    publish_shape(actor=desk.officer, terms=terms)


def test_a_shape_that_delivers_on_holidays_does_so_whatever_the_weekday(desk):
    publish_holidays(actor=desk.officer, terms=holidays(1))
    publish_shape(
        actor=desk.officer,
        terms=ShapeTerms(
            "EEX", "European power, EEX", timedelta(0), "REST", 1, "Weekends and holidays",
            date(2000, 1, 1), "67", 0, 1440, "TEST", "INCLUDE",
        ),
    )  # fmt: skip
    desk.market.shape_calendar_id = _eex()
    shape = shapes_of_market(desk.market, on=date(2027, 1, 1))["REST"]
    # Friday 1 January is a holiday; Monday the 4th is none.
    for first, expected in ((1, 24), (2, 24), (4, 0)):
        day = DatePeriod.day(date(2027, 1, first))
        assert float(shape_delivery(desk.market.calendar, shape, day).hours) == expected


def test_an_index_fits_its_market(desk):
    terms = IndexTerms(
        "EPEX-DE", "DE", "Day-ahead", "EUR", "MWh", "PERIOD", "", -1, time(12, 57), "EPEX"
    )
    Market.objects.filter(code="DE").update(shape_calendar_id=_eex())

    refused(add_index, "load_shape", "no shape “5X16”", actor=desk.officer,
            terms=replace(terms, load_shape="5X16"))  # fmt: skip
    refused(add_index, "price_unit", "flows", actor=desk.officer,
            terms=replace(terms, price_unit="tCO2"))  # fmt: skip
    add_index(actor=desk.officer, terms=replace(terms, load_shape="PEAK"))
    refused(add_index, "code", "taken", actor=desk.officer, terms=replace(terms, code="epex-de"))
    refused(amend_index, "currency", "another index", actor=desk.officer,
            terms=replace(terms, currency="GBP"))  # fmt: skip


def test_a_rate_is_corrected_and_what_was_known_stays(desk):
    rate = FxRateTerms("EUR", "USD", NOON, "ecb", Decimal("1.15"))
    book_fx_rates(actor=desk.officer, rates=[rate])
    (before,) = FxRate.objects.all()

    corrected = book_fx_rates(actor=desk.officer, rates=[replace(rate, rate=Decimal("1.16"))])
    again = book_fx_rates(actor=desk.officer, rates=[replace(rate, rate=Decimal("1.16"))])

    assert (len(corrected), again) == (1, [])
    later = NOON + timedelta(days=3)
    assert Rates(later, corrected[0].recorded_at).of("EUR", "USD") == Decimal("1.16")
    assert Rates(later, before.recorded_at).of("EUR", "USD") == Decimal("1.15")
    assert Rates(NOON - timedelta(1), before.recorded_at).of("EUR", "USD") is None
    assert [row.rate for row in fx_rate_rows(desk.trader)] == [Decimal("1.16")]
    event = Event.objects.filter(type="fx_rates.booked").latest("id")
    assert (event.payload["new"], event.payload["corrected"]) == (0, 1)


def test_counterparties_are_checked_and_amended(desk):
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    add_company(**own, terms=CounterpartyTerms("BRISE", "Brise", lei=LEI))

    refused(add_company, "code", "taken", **own, terms=CounterpartyTerms("brise", "x"))
    refused(add_company, "lei", "LEI of BRISE", **own, terms=CounterpartyTerms("C", "C", lei=LEI))
    refused(add_company, "lei", "ISO 17442", **own,
            terms=CounterpartyTerms("C", "C", lei=LEI[:-1] + "4"))  # fmt: skip
    row = amend_counterparty(
        **own, terms=CounterpartyTerms("BRISE", "Brise", lei=LEI, status="SUSPENDED")
    )
    assert not row.is_active
    event = Event.objects.get(type="counterparty.amended")
    assert event.changes == {"status": {"before": "ACTIVE", "after": "SUSPENDED"}}
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(is_active=True)


def test_annexes_of_a_netting_set_do_not_overlap(desk):
    _, _, annex = agreed(desk)
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    netting_set = NettingSet.objects.get()

    refused(add_annex, "__all__", "Another annex", **own,
            terms=replace(annex, valid_from=date(2026, 12, 31), valid_to=None))  # fmt: skip
    add_annex(**own, terms=replace(annex, valid_from=date(2027, 1, 1), valid_to=None))
    assert annex_on(netting_set.pk, date(2026, 12, 31)).valid_to == date(2027, 1, 1)
    assert annex_on(netting_set.pk, date(2027, 1, 1)).valid_to is None
    assert annex_on(netting_set.pk, date(2025, 12, 31)) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditSupportAnnex.objects.filter(valid_to=None).update(valid_from=date(2026, 6, 1))


def test_an_annex_is_amended_with_its_collateral(desk):
    _, _, annex = agreed(desk)
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    bond = CollateralTerms("GOVERNMENT_BOND", "EUR", Decimal("0.02"))

    row = amend_annex(**own, terms=replace(annex, collateral=(*annex.collateral, bond)))

    assert set(row.collateral.values_list("kind", flat=True)) == {"CASH", "GOVERNMENT_BOND"}
    event = Event.objects.get(type="credit_support_annex.amended")
    assert event.changes["collateral"]["after"][1]["haircut"] == "0.02"
    for change, field, words in (
        ({"collateral": (replace(bond, haircut=Decimal(1)),)}, "collateral", "below 1"),
        ({"collateral": (replace(bond, kind="GOLD"),)}, "collateral", "not a valid choice"),
        ({"collateral": (bond, bond)}, "collateral", "twice"),
        ({"valid_to": annex.valid_from}, "valid_to", "ends after"),
        ({"threshold_theirs": Decimal(-1)}, "__all__", "threshold"),
        ({"rounding": Decimal(0)}, "__all__", "rounding"),
        ({"currency": "EUX"}, "currency", "ISO 4217"),
    ):
        refused(amend_annex, field, words, **own, terms=replace(annex, **change))
    assert CreditSupportAnnex.objects.get().collateral.count() == 2


def test_agreements_end_after_they_start(desk):
    agreement, _, _ = agreed(desk)
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}

    refused(amend_agreement, "ended_date", "after", **own,
            terms=replace(agreement, ended_date=agreement.effective_date))  # fmt: skip
    refused(add_agreement, "reference", "taken", **own,
            terms=replace(agreement, reference="efet-1"))  # fmt: skip
    refused(add_agreement, "counterparty", "no counterparty", **own,
            terms=replace(agreement, counterparty="NOBODY"))  # fmt: skip


def test_a_foreign_organization_is_absent_and_a_trader_may_not(desk):
    agreement, _, _ = agreed(desk)
    other = make_desk()
    foreign = {"actor": other.officer, "organization_id": desk.organization.pk}

    with pytest.raises(ForeignOrganization):
        amend_agreement(**foreign, terms=agreement)
    with pytest.raises(ForeignOrganization):
        add_company(**foreign, terms=CounterpartyTerms("X", "X"))
    with pytest.raises(ForeignOrganization):
        amend_book(**foreign, terms=BookTerms("EU", "EU", "", "EUR"))
    with pytest.raises(UnknownReference):
        one_of(agreement_rows(other.officer), Agreement.objects.get().pk)
    assert list(counterparty_rows(other.officer)) == [other.counterparty]
    with pytest.raises(PermissionMissing):
        amend_agreement(actor=desk.trader, organization_id=desk.organization.pk, terms=agreement)


def test_books_are_a_tree_that_reports_in_one_currency(desk):
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    owner = desk.trader.user
    child = open_book_as(**own, terms=BookTerms("PEAKS", "Peaks", "EU", "EUR", owner.email))

    assert (child.parent_id, child.owner_id) == (desk.book.pk, owner.pk)
    for terms, field, words in (
        (BookTerms("EU", "EU", "PEAKS", "EUR"), "parent", "lies below"),
        (BookTerms("EU", "EU", "", "USD"), "reporting_currency", "book below"),
        (BookTerms("PEAKS", "Peaks", "EU", "USD"), "reporting_currency", "parent reports in EUR"),
        (BookTerms("PEAKS", "Peaks", "NONE", "EUR"), "parent", "no book"),
        (BookTerms("PEAKS", "Peaks", "", "EUX"), "reporting_currency", "ISO 4217"),
        (BookTerms("PEAKS", "Peaks", "", "EUR", "who@else.example"), "owner", "Nobody"),
    ):
        refused(amend_book, field, words, **own, terms=terms)
    desk.deal()
    refused(amend_book, "reporting_currency", "has trades", **own,
            terms=BookTerms("EU", "EU", "", "USD"))  # fmt: skip
    amend_book(**own, terms=BookTerms("EU", "Europe", "", "EUR", owner.email))
    changes = Event.objects.get(type="book.amended").changes
    assert changes["name"] == {"before": "EU power", "after": "Europe"}


def test_what_flows_is_counted_in_megawatts_in_the_table_too():
    with pytest.raises(IntegrityError), transaction.atomic():
        Commodity.objects.create(
            code="X", name="X", kind="GAS", delivery="FLOW", quantity_unit="therm"
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        make_counterparty(make_organization(), code="two words")
