"""The ticket: the whole grammar, a form for each product, packages, drafts and what it refuses."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from energyopti.foundation.registry import Registry
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_counterparty, make_desk, make_market
from trading import checks
from trading.checks import CheckResult, Outcome
from trading.models import Commodity, Market, PriceIndex, Trade, TradeVersion
from trading.queries.deals import deal_of
from trading.queries.summaries import terms_json
from trading.web.product_forms import FORMS, form_of_deal

pytestmark = pytest.mark.django_db
END = " cpty:ACME book:EU"
LINE = "B 10MW DE base Cal30 @ 85.20" + END


def make_index(code, market, unit="MWh"):
    PriceIndex.objects.create(
        code=code, market=market, name=code, currency="EUR", price_unit=unit, frequency="PERIOD",
        publication_time="12:57", source="test",
    )  # fmt: skip


@pytest.fixture
def desk():
    desk = make_desk()
    make_index("EPEX-DE-DA", desk.market)
    make_index("EPEX-FR-DA", make_market("FR", time_zone="Europe/Paris"))

    def commodity(code, kind, delivery, unit):
        return Commodity.objects.create(
            code=code, name=code, kind=kind, delivery=delivery, quantity_unit=unit
        )

    Market.objects.create(
        code="EUA", name="Allowances", time_zone="Europe/Berlin", currency="EUR",
        price_unit="tCO2", kind="REGISTRY", commodity=commodity("EUA", "CARBON", "LOT", "tCO2"),
    )  # fmt: skip
    ttf = Market.objects.create(
        code="TTF", name="TTF", time_zone="Europe/Amsterdam", currency="EUR",
        day_start=timedelta(hours=6), kind="VIRTUAL_TRADING_POINT",
        commodity=commodity("GAS", "GAS", "FLOW", "MW"),
    )  # fmt: skip
    make_index("TTF-DA", ttf)
    return desk


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trader(desk):
    return client_of(desk.trader.user)


def hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page).group(1)


def send(client, entry, **more):
    """Preview, then book what was previewed; return both answers."""
    address = reverse("trading:ticket")
    entry = {"action": "go", "reason": "by phone", "client_reference": "r-1", **entry}
    shown = client.post(address, entry)
    page = shown.content.decode()
    assert shown.status_code == 200, re.findall(r'class="error".*?</p>|<li>.*?</li>', page, re.S)
    assert not Trade.objects.exists()
    entry = {k: v for k, v in entry.items() if not hasattr(v, "read")}
    again = {"previewed": hidden(page, "previewed"), **more}
    if key := re.search(r'name="profile_key"[^>]*value="([^"]*)"', page):
        again["profile_key"] = key.group(1)
    return page, client.post(address, {**entry, **again})


LINES = {
    "S 5MW DE peak Cal30 @ 95": ("15,660.000 MWh", "PHYSICAL_FORWARD"),
    "B 10MW DE H08-H20 Q1-30 @ 70": ("1,080 h", "PHYSICAL_FORWARD"),
    "B 10MW DE base Q1-30 @ EPEX-DE-DA+1.50": ("the price is an index", "INDEX_FORWARD"),
    "B 10MW DE base Q1-30 @ 85 swap:EPEX-DE-DA": ("1,835,150.00 EUR", "SWAP"),
    "B 10MW DE base Q1-30 @ EPEX-DE-DA-2 swap:EPEX-FR-DA": ("21,590.000 MWh", "BASIS_SWAP"),
    "B 240MWh/d TTF Cal30 @ 31.2": ("2,733,120.00 EUR", "PHYSICAL_FORWARD"),
    "B 12lots DE base Cal30 @ 84.1 fut:XEEE acct:A7": ("105,120.000 MWh", "FUTURE"),
    "B 5lots EUA 2030-12-20 @ 71.5 vintage:2030 reg:EU": ("5,000.000 tCO2", "CERTIFICATE"),
}


@pytest.mark.parametrize("line", list(LINES))
def test_each_kind_of_line_is_previewed_and_booked(desk, trader, line):
    words, kind = LINES[line]

    page, booked = send(trader, {"text": line + END})

    assert words in page
    version = TradeVersion.objects.get()
    assert (version.product_kind, version.text) == (kind, line + END)
    assert booked.url == reverse("trading:trade", args=[version.trade.ref])


@pytest.mark.parametrize("line", list(LINES))
def test_the_form_of_a_trade_says_the_same_deal(desk, trader, line):
    send(trader, {"text": line + END})
    version = TradeVersion.objects.get()
    fields = form_of_deal(deal_of(version))
    like = trader.get(
        reverse("trading:ticket"), {"like": version.trade.ref, "kind": fields.kind}
    ).context["form"]
    entry = {field.name: field.value() for field in like.term_fields}

    answer = trader.post(
        reverse("trading:ticket"),
        {**{k: v for k, v in entry.items() if v is not None}, "kind": fields.kind, "book": "EU",
         "counterparty": "ACME", "action": "go", "reason": "x"},
    )  # fmt: skip

    assert answer.status_code == 200, answer.context["entry"].errors
    made = answer.context["entry"].deals[0]
    assert terms_json(made) == terms_json(deal_of(version))


BOOKING = {"book": "EU", "counterparty": "ACME"}
OPTION = {
    "kind": "OPTION", "side": "BUY", "option_type": "CALL", "style": "BERMUDAN", "quantity": "5",
    "unit": "MW:HOUR", "area": "DE", "product": "base", "period": "Cal30", "index": "EPEX-DE-DA",
    "strike": "90", "expiry": "2029-12-20T12:00", "exercises": "2029-12-10T12:00",
    "premium": "4.25", "premium_date": "2027-01-04", "settlement": "CASH", **BOOKING,
}  # fmt: skip


def test_an_option_is_captured_with_its_full_terms(desk, trader):
    page, _ = send(trader, OPTION)

    assert "−186,150.00 EUR" in page  # 8760 h × 5 MW × 4.25, paid by the holder
    (leg,) = deal_of(TradeVersion.objects.get()).options
    assert [e.isoformat() for e in leg.exercises] == [
        "2029-12-10T11:00:00+00:00", "2029-12-20T11:00:00+00:00",
    ]  # fmt: skip
    back = form_of_deal(deal_of(TradeVersion.objects.get())).initial_of(
        deal_of(TradeVersion.objects.get())
    )
    assert back["exercises"] == "2029-12-10T12:00"


def test_an_option_with_wrong_strikes_is_refused_at_the_field(trader):
    answer = trader.post(
        reverse("trading:ticket"), {**OPTION, "option_type": "COLLAR", "action": "go"}
    )

    assert answer.status_code == 422
    assert 'id="id_strike_error"' in answer.content.decode()


def profile(lines):
    return SimpleUploadedFile("p.csv", "\n".join(lines).encode(), "text/csv")


def test_a_profile_is_read_once_and_the_previewed_one_is_booked(desk, trader):
    # The day the clock goes forward has 23 hours.
    values = ["MW", *(f"{hour}.5" for hour in range(23))]
    entry = {
        "kind": "PROFILE_FORWARD", "side": "BUY", "area": "DE", "period": "2030-03-31",
        "minutes": "60", "price": "50", "profile": profile(values), **BOOKING,
    }  # fmt: skip

    page, booked = send(trader, entry)

    assert "264.500 MWh" in page and booked.status_code == 302
    kept = deal_of(TradeVersion.objects.get()).schedule.volume
    assert [int(v) for v in kept.micro_mw[:2]] == [500_000, 1_500_000]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["1", "=1+1"], "line 2: “=1+1” is no number of MW"),
        (["1"] * 24, "24 intervals where the period has 23"),
        (["2030-03-31T00:00,1"], "needs a UTC offset"),
        (["2030-03-31T01:00+01:00,1"], "is the next"),
        ([], "the file has no intervals"),
    ],
)
def test_a_wrong_profile_is_refused_by_line(trader, lines, words):
    entry = {
        "kind": "PROFILE_FORWARD", "side": "BUY", "area": "DE", "period": "2030-03-31",
        "minutes": "60", "price": "50", "action": "go", **BOOKING,
    }  # fmt: skip
    file = {"profile": profile(lines)} if lines else {"profile": profile(["", " "])}

    answer = trader.post(reverse("trading:ticket"), {**entry, **file})

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_ppa_at_an_index_has_floor_and_cap(desk, trader):
    entry = {
        "kind": "PPA", "side": "BUY", "asset": "WIND-1", "installed_mw": "100",
        "contracted_mw": "20", "area": "DE", "period": "Cal30", "minutes": "60",
        "factors": "0.25", "index": "EPEX-DE-DA", "spread": "-2.5", "floor": "20", "cap": "90",
        **BOOKING,
    }  # fmt: skip

    page, _ = send(trader, entry)

    assert "43,800.000 MWh" in page
    deal = deal_of(TradeVersion.objects.get())
    assert [o.option_type.value for o in deal.options] == ["FLOOR", "CAP"]
    assert deal.floating_legs[0].spread == Decimal("-2.5")


def test_fees_are_legs_of_the_deal(desk, trader):
    page, _ = send(
        trader,
        {"text": LINE, "broker": "GFI", "broker_fee": "0.005", "broker_basis": "PER_UNIT",
         "exchange_fee": "12"},
    )  # fmt: skip

    assert "−438.00 EUR" in page and "−12.00 EUR" in page
    version = TradeVersion.objects.get()
    assert version.broker == "GFI"
    assert [fee.kind.value for fee in deal_of(version).fees] == ["BROKER", "EXCHANGE"]


def test_a_fee_per_lot_of_a_deal_without_lots_is_refused_at_the_field(trader):
    answer = trader.post(
        reverse("trading:ticket"),
        {"text": LINE, "exchange_fee": "1", "exchange_basis": "PER_LOT", "action": "go"},
    )
    assert 'id="id_exchange_fee_error"' in answer.content.decode()


def test_a_strip_is_a_package_of_deals(desk, trader):
    page, _ = send(trader, {"text": LINE, "strip_months": "3", "package": "STRIP-1"})

    assert "booked together or not at all" in page and "7,463,520.00 EUR" in page
    trades = Trade.objects.order_by("id")
    assert [t.package_id for t in trades] == ["STRIP-1"] * 4
    periods = TradeVersion.objects.order_by("id").values_list("period_name", flat=True)
    assert list(periods) == ["Q1-30", "Q2-30", "Q3-30", "Q4-30"]


def test_an_internal_deal_is_booked_in_both_books(desk):
    other = make_book(desk.organization, "UK")
    assign_perm("trading.view_book", desk.trader.user, other)
    assign_perm("trading.trade_book", desk.trader.user, other)
    inside = make_counterparty(desk.organization, "INSIDE")
    trader = client_of(desk.trader.user)
    entry = {"text": LINE.replace("ACME", "INSIDE"), "mirror_book": "UK"}

    refused = trader.post(
        reverse("trading:ticket"), {**entry, "previewed": "", "action": "go", "reason": "x",
                                    "client_reference": "r-0"}
    )  # fmt: skip
    again = trader.post(
        reverse("trading:ticket"),
        {**entry, "previewed": hidden(refused.content.decode(), "previewed"), "action": "go",
         "reason": "x", "client_reference": "r-0"},
    )  # fmt: skip
    assert again.status_code == 422 and "internal counterparty" in again.content.decode()
    inside.is_internal = True
    inside.save()
    send(trader, entry)

    first, second = Trade.objects.order_by("id")
    assert (first.mirror, second.mirror) == (second, first)
    assert (first.book.code, second.book.code) == ("EU", "UK")
    sides = TradeVersion.objects.order_by("id").values_list("side", flat=True)
    assert list(sides) == ["BUY", "SELL"]


def test_a_draft_holds_nothing_and_needs_no_preview(desk, trader):
    answer = trader.post(
        reverse("trading:ticket"),
        {"text": LINE, "action": "draft", "client_reference": "r-2"},
    )

    trade = Trade.objects.get()
    assert trade.status == "DRAFT"
    assert answer.url == reverse("trading:trade", args=[trade.ref])


def test_book_and_keep_comes_back_with_the_same_terms_and_a_new_reference(desk, trader):
    _, kept = send(trader, {"text": LINE, "strip_months": "6"}, action="keep")

    page = kept.content.decode()
    assert kept.status_code == 200 and "is booked" in page and LINE in page
    assert hidden(page, "client_reference") != "r-1"
    assert kept.context["booking"]["previewed"].value() == ""
    # The browser's own repetition books nothing again.
    assert Trade.objects.count() == 2
    trader.post(
        reverse("trading:ticket"),
        {"text": LINE, "strip_months": "6", "client_reference": "r-1", "reason": "by phone",
         "previewed": kept.wsgi_request.POST["previewed"], "action": "keep"},
    )  # fmt: skip
    assert Trade.objects.count() == 2


def test_another_deal_like_a_trade_begins_with_its_terms(desk, trader):
    send(trader, {"text": LINE + " tag:hedge", "package": "P-1", "broker_fee": "5"})

    page = trader.get(reverse("trading:ticket"), {"like": Trade.objects.get().ref})

    initial = page.context["form"].initial
    assert (initial["text"], initial["broker_fee"]) == ("B 10MW DE base Cal30 @ 85.2 EUR", "5")
    assert page.context["booking"].initial["tags"] == "hedge"


def test_an_executed_fill_is_booked_whatever_the_checks_say(desk, trader, monkeypatch):
    stop_everything(monkeypatch)
    page, booked = send(trader, {"text": LINE, "basis": "FILL"})

    assert "Stops" in page and booked.status_code == 302
    assert Trade.objects.get().basis == "FILL"


def test_an_order_that_a_check_stops_offers_no_booking_but_a_draft(desk, trader, monkeypatch):
    stop_everything(monkeypatch)
    entry = {"text": LINE, "action": "go", "client_reference": "r-3", "reason": "x"}
    page = trader.post(reverse("trading:ticket"), entry).content.decode()

    assert 'value="go">Book<' not in page and "Save as draft" in page
    assert 'name="override_reason"' not in page
    forced = trader.post(
        reverse("trading:ticket"),
        {**entry, "previewed": hidden(page, "previewed"), "override_reason": "I say so"},
    )
    assert forced.status_code == 422 and not Trade.objects.exists()


def test_who_may_override_does_so_with_a_reason(desk, monkeypatch):
    stop_everything(monkeypatch)
    both = make_user(Role.TRADER, Role.RISK_OFFICER, organization=desk.organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", both, desk.book)

    send(client_of(both), {"text": LINE, "override_reason": "hedged elsewhere"})

    kept = TradeVersion.objects.get().checks
    assert {check["override_reason"] for check in kept} == {"hedged elsewhere"}


def stop_everything(monkeypatch):
    only: Registry = Registry("trade checks")
    only.register("stop", lambda _: CheckResult("stop", Outcome.HARD, "over the limit", 1, 2, 1.5))
    monkeypatch.setattr(checks, "CHECKS", only)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.kind)
def test_every_form_opens_in_a_fixed_number_of_queries(trader, django_assert_max_num_queries, form):
    trader.get(reverse("trading:ticket"))
    with django_assert_max_num_queries(24):
        page = trader.get(reverse("trading:ticket"), {"kind": form.kind})

    assert page.status_code == 200
    assert page.context["form"].kind == form.kind


def test_an_unknown_product_is_the_line_and_a_foreign_trade_is_not_there(trader):
    assert trader.get(reverse("trading:ticket"), {"kind": "X"}).context["form"].kind == "LINE"
    theirs = make_desk().deal()
    answer = trader.get(reverse("trading:ticket"), {"like": theirs.ref})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "factors", ["NaN", "1e-999999", "0.5 0.5", "2", "0.5 x", "0.1234567", "٠.5"]
)
def test_capacity_factors_that_are_none_are_refused(trader, factors):
    entry = {
        "kind": "AS_GENERATED", "side": "BUY", "asset": "WIND-1", "installed_mw": "100",
        "contracted_mw": "20", "area": "DE", "period": "Cal30", "minutes": "60", "price": "50",
        "factors": factors, "action": "go", **BOOKING,
    }  # fmt: skip

    answer = trader.post(reverse("trading:ticket"), entry)

    assert answer.status_code == 422
    assert 'id="id_factors_error"' in answer.content.decode()


def test_a_lot_of_absurd_size_is_refused_at_its_field(trader):
    entry = {
        "kind": "FUTURE", "side": "BUY", "lots": "12", "area": "DE", "product": "base",
        "period": "Cal30", "price": "84", "mic": "XEEE", "lot_size": "1e999998",
        "lot_unit": "MW:HOUR", "action": "go", **BOOKING,
    }  # fmt: skip

    answer = trader.post(reverse("trading:ticket"), entry)

    assert answer.status_code == 422
    assert 'id="id_lot_size_error"' in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "-1"}, "quantity"), ({"quantity": "1e999999"}, "quantity"),
        ({"quantity": "x"}, "quantity"), ({"unit": "bbl:MONTH"}, "unit"),
        ({"product": "efa9"}, "product"), ({"period": "2030-02-30"}, "period"),
        ({"period": "Cal20"}, "period"), ({"currency": "XXQ"}, "currency"),
        ({"price": "", "index": ""}, "price"), ({"spread": "1"}, "spread"),
        ({"area": "NOWHERE"}, "area"), ({"book": "THEIRS"}, "book"),
        ({"counterparty": ""}, "counterparty"), ({"price": "85.1234567"}, "price"),
    ],
)  # fmt: skip
def test_bad_terms_are_refused_at_their_field(trader, changes, field):
    entry = {
        "kind": "PHYSICAL_FORWARD", "side": "BUY", "quantity": "5", "unit": "MW:HOUR",
        "area": "DE", "product": "base", "period": "Cal30", "price": "85", "action": "go",
        **BOOKING, **changes,
    }  # fmt: skip

    answer = trader.post(reverse("trading:ticket"), entry)

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert not Trade.objects.exists()


def test_a_deal_executed_earlier_keeps_its_time_on_the_clock_that_is_shown(desk, trader) -> None:
    blank = trader.get(reverse("trading:ticket")).content.decode()
    assert "on the clock of Europe/Berlin" in blank

    page, _ = send(trader, {"text": LINE, "traded_at": "2026-11-02T09:30"})

    assert "2 Nov 2026 09:30 CET" in page
    version = TradeVersion.objects.get()
    assert version.traded_at == datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
    assert version.recorded_at > version.traded_at


def test_a_time_that_is_none_or_to_come_is_refused_at_its_field(desk, trader) -> None:
    for said, words in (
        ("2126-11-02T09:30", "lies in the future"),
        ("2026-10-25T02:30", "couldn’t be interpreted in time zone"),  # twice that night
        ("yesterday", "valid date/time"),
    ):
        answer = trader.post(reverse("trading:ticket"), {"text": LINE, "traded_at": said})
        assert answer.status_code == 422
        assert words in answer.content.decode(), said
    assert not Trade.objects.exists()
