"""Contracts with choices in the desk: by form, program and file, with their full terms."""

import csv
import io
from decimal import Decimal as D

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from tests.factories.trades import RECEIVED_AT, make_desk, make_market
from trading import deals
from trading.models import CaptureBasis, Commodity, PositionDelta, PriceIndex, Trade, TradeVersion
from trading.queries.deals import deal_of
from trading.services.trade_files import (
    EXAMPLE,
    FileOptions,
    TradesRefused,
    export_trades,
    import_trades,
)
from trading.web.product_forms import form_of_deal
from trading.web.structure_forms import STRUCTURE_FORMS

pytestmark = pytest.mark.django_db

GAS, POWER, MORE = {"market": "TTF", "quantity": "240", "unit": "MWh/d"}, {
    "market": "DE", "quantity": "50",
}, {"side": "BUY", "period": "Cal27"}  # fmt: skip
# Terms as programs give them.
CONTRACTS = {
    "SWING": {
        **GAS, "structure": {
            "underlying": ["TTF-DA"], "strike": "31.5", "minimum": "40000", "maximum": "80000",
            "make_up": "5000", "premium": "55000", "premium_date": "2026-12-01",
        },
    },
    "STORAGE": {
        **GAS, "structure": {
            "underlying": ["TTF-DA"], "working_volume": "100000", "injection_rate": "600",
            "injection_cost": "1.23", "withdrawal_ratchets": "0:40 30:100 100:100",
        },
    },
    "TOLLING": {
        **POWER, "structure": {
            "underlying": ["EPEX-DE-DA", "TTF-DA"], "heat_rate": "1.9", "minimum_mw": "20",
            "minimum_up_hours": "4", "start_cost": "5000",
        },
    },
    "BATTERY_TOLLING": {
        **POWER, "structure": {"underlying": ["EPEX-DE-DA"], "energy_mwh": "100"},
    },
    "TRANSMISSION_RIGHT": {
        **POWER, "structure": {"underlying": ["EPEX-FR-DA", "EPEX-DE-DA"]},
    },
}  # fmt: skip


@pytest.fixture
def desk():
    desk = make_desk()
    gas = Commodity.objects.create(
        code="GAS", name="Gas", kind="GAS", delivery="FLOW", quantity_unit="MW"
    )
    make_market("FR", time_zone="Europe/Paris")
    make_market("TTF", commodity=gas, time_zone="Europe/Amsterdam")
    for code, market in (("EPEX-DE-DA", "DE"), ("EPEX-FR-DA", "FR"), ("TTF-DA", "TTF")):
        PriceIndex.objects.create(
            code=code, market=make_market(market), name=code, currency="EUR", price_unit="MWh",
            frequency="PERIOD", publication_time="12:57", source="test",
        )  # fmt: skip
    with time_machine.travel(RECEIVED_AT, tick=False):
        yield desk


@pytest.fixture
def client(desk):
    client = Client()
    client.force_login(desk.trader.user)
    return client


def captured(client, product, **changes):
    terms = {"product": product, **MORE, **CONTRACTS[product], **changes}
    body = {"terms": terms, "book": "EU", "counterparty": "ACME", "reason": "agreed"}
    return client.post("/api/v1/trading/trades", body, content_type="application/json")


def leg_of(ref):
    version = TradeVersion.objects.get(trade__ref=ref)
    (leg,) = deal_of(version).structures
    return leg


@pytest.mark.parametrize("product", CONTRACTS)
def test_is_captured_by_a_program_and_reads_back_in_full(client, product):
    answer = captured(client, product)

    assert answer.status_code == 201, answer.json()
    leg = leg_of(answer.json()["ref"])
    said = {**CONTRACTS[product]["structure"]}
    assert [index.code for index in leg.underlying] == said.pop("underlying")
    assert leg.premium == D(said.pop("premium", "0"))
    said.pop("premium_date", None)
    assert said.items() <= deals.terms_said(leg.terms).items()
    assert not PositionDelta.objects.exists()


@pytest.mark.parametrize("product", CONTRACTS)
def test_its_page_says_what_may_be_chosen(client, product):
    ref = captured(client, product).json()["ref"]

    page = client.get(reverse("trading:trade", args=[ref]))

    assert page.status_code == 200
    assert "What may be chosen" in page.text
    for term in deals.terms_of(deals.StructureKind(product)).values():
        assert term.label in page.text


@pytest.mark.parametrize(
    ("product", "terms", "rule"),
    [
        ("SWING", {"minimum": "90000"}, "structure: minimum: 90000 is above the maximum"),
        ("SWING", {"heat_rate": "2"}, "structure: heat_rate: does not go with SWING"),
        ("SWING", {"underlying": ["NO-SUCH"]}, "structure: “NO-SUCH” is no index here"),
        ("TOLLING", {"underlying": ["EPEX-DE-DA"]}, "structure: fuel: names an index"),
        ("STORAGE", {"withdrawal_ratchets": "10:40 100:1"}, "structure: withdrawal_ratchets"),
    ],
)
def test_wrong_terms_are_refused_by_name(client, product, terms, rule):
    structure = {**CONTRACTS[product]["structure"], **terms}

    answer = captured(client, product, structure=structure)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(rule)
    assert not Trade.objects.exists()


def test_a_term_that_no_contract_knows_is_refused(client):
    structure = {**CONTRACTS["SWING"]["structure"], "colour": "blue"}

    answer = captured(client, "SWING", structure=structure)

    assert answer.status_code == 400
    assert "/terms/structure/colour" in answer.text


@pytest.mark.parametrize("product", CONTRACTS)
def test_the_form_says_of_a_contract_what_makes_it_again(client, desk, product):
    ref = captured(client, product).json()["ref"]
    deal = deal_of(TradeVersion.objects.get(trade__ref=ref))
    form = form_of_deal(deal)
    page = client.get(reverse("trading:ticket"), {"like": ref})
    data = {name: "" if value is None else str(value)
            for name, value in form.initial_of(deal).items()}  # fmt: skip

    answer = client.post(
        reverse("trading:ticket"),
        {**data, "kind": form.kind, "book": "EU", "counterparty": "ACME", "action": "go"},
    )

    assert page.status_code == 200
    assert answer.status_code in (200, 422), answer.text
    (again,) = answer.context["entry"].deals
    assert deals.terms_said(again.structures[0].terms) == deals.terms_said(deal.structures[0].terms)
    assert again.structures[0].underlying == deal.structures[0].underlying
    assert again.schedule.volume == deal.schedule.volume


def test_the_form_refuses_a_contradiction_at_its_field(client):
    answer = client.post(
        reverse("trading:ticket"),
        {
            "kind": "SWING", "side": "BUY", "quantity": "240", "unit": "MWh:DAY", "area": "TTF",
            "product": "base", "period": "Cal27", "index": "TTF-DA", "strike": "31.5",
            "minimum": "90000", "maximum": "80000", "book": "EU", "counterparty": "ACME",
            "action": "go",
        },
    )  # fmt: skip

    assert answer.status_code == 422
    assert 'id="id_minimum_error"' in answer.text


def load(desk, lines):
    return import_trades(
        actor=desk.again(desk.trader), name="deals.csv", content="\n".join(lines).encode(),
        received_at=RECEIVED_AT,
    )  # fmt: skip


HEAD = (
    "basis,book,counterparty,reason,product,side,market,period,quantity,unit,underlying,structure"
)
ROW = "ORDER,EU,ACME,agreed,SWING,BUY,TTF,Cal27,240,MWh/d,TTF-DA,"


def test_a_file_books_contracts_and_gives_them_back(client, desk):
    for product in CONTRACTS:
        captured(client, product)
    before = list(TradeVersion.objects.order_by("trade_id"))
    content = export_trades(actor=desk.again(desk.trader))["trades.csv"]
    # As other trades than those that these references stand for.
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    for line in lines:
        line.update(client_reference="", reason="agreed", basis="ORDER", source="", external_id="")
    again = io.StringIO()
    writer = csv.DictWriter(again, lines[0])
    writer.writeheader()
    writer.writerows(lines)

    load(desk, again.getvalue().splitlines())

    after = TradeVersion.objects.exclude(pk__in=[v.pk for v in before]).order_by("trade_id")
    for one, other in zip(before, after, strict=True):
        (mine,), (theirs,) = deal_of(one).structures, deal_of(other).structures
        assert (mine.terms, mine.premium, mine.underlying) == (
            theirs.terms, theirs.premium, theirs.underlying,
        )  # fmt: skip


def test_the_example_of_the_import_page_can_be_booked(client, desk):
    assert (
        EXAMPLE.splitlines()[2].split(",")[9] in client.get(reverse("trading:trade_imports")).text
    )

    import_trades(
        actor=desk.again(desk.trader), name="deals.csv", content=EXAMPLE.encode(),
        received_at=RECEIVED_AT,
        options=FileOptions(CaptureBasis.FILL, desk.book.code, desk.counterparty.code),
    )  # fmt: skip

    kinds = Trade.objects.order_by("id").values_list("product_kind", flat=True)
    assert list(kinds) == ["PHYSICAL_FORWARD", "OPTION", "SWING"]


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("strike 31", "name=value"), ("strike=31;strike=32", "twice"),
        ("strike=31", "maximum: is missing"), ("strike=x; maximum=1", "strike: “x” must be a"),
    ],
)  # fmt: skip
def test_a_file_is_refused_by_line(desk, cell, rule):
    with pytest.raises(TradesRefused) as refused:
        load(desk, [HEAD, ROW + f'"{cell}"'])

    (refusal,) = refused.value.found.refusals
    assert (refusal.line, refusal.field) == (2, "structure")
    assert rule in refusal.rule
    assert not Trade.objects.exists()


def test_every_term_of_a_form_says_what_it_is_and_in_which_unit():
    for form in STRUCTURE_FORMS:
        for name, term in deals.terms_of(form.structure).items():
            said = form.base_fields[name].help_text
            bare = term.unit.replace("%", "").strip("{}/ ")
            assert len(said) > len(f"In {term.unit}. ") and said.endswith("."), (name, said)
            if bare.isalpha() and bare not in ("unit", "currency", "day"):
                assert bare in said, (name, said)
