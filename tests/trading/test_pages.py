"""The desk's pages: who may open them, what they show, how many queries, and no foreign row."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import make_desk
from trading.models import Trade

pytestmark = pytest.mark.django_db
LINE = "B 10MW DE base Cal30 @ 85.20 cpty:ACME book:EU"


@pytest.fixture
def desk():
    return make_desk()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trader(desk):
    return client_of(desk.trader.user)


def hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', page).group(1)


def test_enter_previews_and_enter_again_books(trader):
    address = reverse("trading:ticket")
    reference = hidden(trader.get(address).content.decode(), "client_reference")
    entry = {"text": LINE, "client_reference": reference, "action": "go", "reason": "by phone"}

    shown = trader.post(address, entry)
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "87,600" in page and "7,463,520.00 EUR" in page
    assert not Trade.objects.exists()

    booked = trader.post(address, {**entry, "previewed": hidden(page, "previewed")})
    again = trader.post(address, {**entry, "previewed": hidden(page, "previewed")})

    trade = Trade.objects.get()
    assert booked.url == again.url == reverse("trading:trade", args=[trade.ref])
    assert trade.client_reference == reference


def test_a_deal_changed_after_its_preview_is_previewed_again(trader):
    address = reverse("trading:ticket")
    page = trader.post(address, {"text": LINE, "action": "go", "reason": "x"}).content.decode()

    changed = trader.post(
        address,
        {"text": LINE.replace("10MW", "100MW"), "action": "go", "reason": "x",
         "previewed": hidden(page, "previewed")},
    )  # fmt: skip

    assert changed.status_code == 200
    assert not Trade.objects.exists()


def test_fields_say_the_same_as_the_line(trader):
    entry = {
        "kind": "PHYSICAL_FORWARD", "side": "SELL", "quantity": "5", "unit": "MW:HOUR",
        "area": "DE", "product": "base", "period": "Mar30", "price": "90",
        "counterparty": "ACME", "book": "EU", "basis": "ORDER", "action": "go",
    }  # fmt: skip

    page = trader.post(reverse("trading:ticket"), entry).content.decode()

    assert "743 h" in page
    wrong = trader.post(reverse("trading:ticket"), {**entry, "period": "Mrz30"})
    assert wrong.status_code == 422
    assert 'id="id_period_error"' in wrong.content.decode()


def test_a_soft_finding_without_a_reason_comes_back_at_the_reason(trader):
    address = reverse("trading:ticket")
    page = trader.post(address, {"text": LINE, "action": "go"}).content.decode()

    refused = trader.post(
        address, {"text": LINE, "action": "go", "previewed": hidden(page, "previewed")}
    )

    assert refused.status_code == 422
    assert 'id="id_reason_error"' in refused.content.decode()
    assert not Trade.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("B 10MW DE bse Cal30 @ 1", "Did you mean “base”?"),
        ("B 10MW DE base Cal30 @ 1 cpty:ACME", "book: choose one"),
        ("B 10MW DE base Cal30 @ 1 book:EU", "counterparty: choose one"),
        ("B 10MW DE base Cal20 @ 1 cpty:ACME book:EU", "had begun"),
        ("", "Write the deal as one line"),
    ],
)
def test_the_live_preview_says_what_is_wrong(trader, text, words):
    answer = trader.post(reverse("trading:parse"), {"text": text})

    assert answer.status_code == 200
    assert words in answer.content.decode()


def test_the_blotter_shows_own_books_only_in_a_fixed_number_of_queries(
    desk, trader, django_assert_max_num_queries
):
    foreign = make_desk()
    for price in range(80, 92):
        desk.deal(f"B 10MW DE base Cal27 @ {price}")
    theirs = foreign.deal()
    trader.get(reverse("trading:trades"))

    with django_assert_max_num_queries(21):
        page = trader.get(reverse("trading:trades")).content.decode()

    assert page.count("/trades/T-") == 12
    assert theirs.ref not in page
    assert trader.get(reverse("trading:trades"), {"side": "SELL"}).content.decode().count(
        "/trades/T-"
    ) == 0  # fmt: skip
    file = trader.get(reverse("trading:trades"), {"export": "csv"})
    body = b"".join(file.streaming_content) if file.streaming else file.content
    assert body.decode().count("T-") >= 12
    assert trader.get(reverse("trading:trade", args=[theirs.ref])).status_code == 404


def test_a_trade_page_shows_terms_checks_months_and_versions(desk, trader):
    receipt = desk.deal(text=LINE, tags=("hedge",))

    page = trader.get(reverse("trading:trade", args=[receipt.ref])).content.decode()

    for words in ("7,463,520.00 EUR", "agreed on the phone", "hedge", "Dec 2027", "ACME SE"):
        assert words in page
    assert trader.get(reverse("trading:trade", args=["T-nothing"])).status_code == 404


def test_positions_are_sums_over_the_readers_books(desk, trader, django_assert_max_num_queries):
    desk.deal("B 10MW DE base Cal29 @ 85")
    desk.deal("S 4MW DE base Q1-29 @ 85")
    make_desk().deal("B 99MW DE base Cal29 @ 85")

    with django_assert_max_num_queries(22):
        page = trader.get(reverse("trading:positions")).content.decode()

    assert page.count("+6.000") == 3
    assert page.count("+10.000") == 9
    assert "no curve" in page
    inside = trader.get(reverse("trading:positions"), {"book": str(desk.book.pk)})
    assert inside.status_code == 200
    foreign = trader.get(reverse("trading:positions"), {"book": str(make_desk().book.pk)})
    assert foreign.status_code == 404


@pytest.mark.parametrize("name", ["trades", "positions", "ticket"])
def test_roles_decide_which_pages_open(desk, name):
    operator = make_user(Role.DEVICE_OPERATOR, organization=desk.organization)

    assert client_of(operator).get(reverse(f"trading:{name}")).status_code == 403
    assert client_of(desk.trader.user).get(reverse(f"trading:{name}")).status_code == 200
    officer = client_of(desk.officer.user).get(reverse(f"trading:{name}")).status_code
    assert officer == (403 if name == "ticket" else 200)
    assert Client().get(reverse(f"trading:{name}")).status_code == 302
