"""The inbox of a drop copy: what people see of it, and what they may do with what waits."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_counterparty, make_desk
from trading.models import DropCopyMessage, Trade
from trading.queries.drop_copy import UnknownMessage
from trading.services.drop_copy_inbox import InboxRefused, assign_and_book

from .reports import fill
from .test_booking import RECEIVED, take
from .venues import FORWARD, MONTH, make_venue

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def venue(desk):
    return make_venue(desk)


@pytest.fixture
def page(desk):
    client = Client()
    client.force_login(desk.trader.user)
    return client


def latest():
    return DropCopyMessage.objects.latest("id")


def address(name, row=None):
    return reverse(f"trading:{name}", args=[row.pk] if row else [])


def test_the_list_tells_what_waits_and_finds_by_state(desk, venue, page, django_assert_num_queries):
    for number in range(3):
        take(venue, fill(2 + number, f"E{number}"))
    take(venue, fill(9, "E9", t1="ACC9"))
    take(venue, fill(10, "C0", t150="H", t19="E0"))

    shown = page.get(address("drop_copy")).content.decode()
    waiting = page.get(address("drop_copy"), {"state": "WAITING"}).content.decode()
    busted = page.get(address("drop_copy"), {"state": "BUSTED"}).content.decode()

    assert "1 wait for a person" in shown and "mapped to no book" in shown
    assert ">E9<" in waiting and ">E1<" not in waiting
    assert ">E0<" in busted and "Taken back by the venue" in busted and ">E1<" not in busted
    stranger = Client()
    stranger.force_login(make_desk().trader.user)
    assert ">E9<" not in stranger.get(address("drop_copy")).content.decode()
    operator = Client()
    operator.force_login(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    assert operator.get(address("drop_copy")).status_code == 403


def test_a_message_shows_its_fields_and_what_else_came_about_it(venue, page):
    take(venue, fill(2, "E1", t1="ACC9"))
    take(venue, fill(3, "C1", t150="H", t19="E1"))
    first = DropCopyMessage.objects.get(exec_id="E1")

    shown = page.get(address("drop_copy_message", first)).content.decode()

    assert "MaturityMonthYear" in shown and "<code>ACC9</code>" in shown
    assert address("drop_copy_message", latest()) in shown
    assert "Assign and book" not in shown  # it is void: cancelled before it was booked
    assert page.get(reverse("trading:drop_copy_message", args=[9**9])).status_code == 404


def test_a_person_assigns_a_book_and_the_fill_is_booked_there(desk, venue, page):
    take(venue, fill(2, "E1", t1="ACC9"))
    row = latest()
    below = make_book(desk.organization, "EU-2", parent=desk.book)
    target = address("drop_copy_assign", row)

    nothing = page.post(target, {})
    wrong = page.post(target, {"counterparty": str(desk.counterparty.pk)})
    done = page.post(target, {"book": str(below.pk)})

    assert (nothing.status_code, wrong.status_code, done.status_code) == (422, 422, 302)
    assert "say what the venue" in nothing.content.decode()
    assert "mapped to no book" in wrong.content.decode()
    row.refresh_from_db()
    trade = Trade.objects.get(ref=row.trade_ref)
    assert (row.state, trade.book_id, trade.external_id) == ("BOOKED", below.pk, "20261120:E1")
    assert page.post(target, {"book": str(below.pk)}).status_code == 404  # nothing waits any more


def test_what_a_person_may_not_use_is_not_assigned(desk, venue):
    take(venue, fill(2, "E1", t1="ACC9"))
    take(venue, fill(3, "E2", t55="NOPE", t1="ACC9"))
    one, two = DropCopyMessage.objects.order_by("id")
    foreign, trader = make_desk(), desk.again(desk.trader)
    told = {"actor": trader, "received_at": RECEIVED}

    with pytest.raises(InboxRefused, match="no such book"):
        assign_and_book(**told, message_id=one.pk, book_id=foreign.book.pk)
    with pytest.raises(InboxRefused, match="no such counterparty"):
        assign_and_book(
            **told, message_id=one.pk, book_id=desk.book.pk,
            counterparty_id=foreign.counterparty.pk,
        )  # fmt: skip
    with pytest.raises(InboxRefused, match="product"):
        assign_and_book(**told, message_id=one.pk, product_id=10**6)
    with pytest.raises(UnknownMessage):
        assign_and_book(
            actor=foreign.trader, message_id=one.pk, book_id=foreign.book.pk, received_at=RECEIVED
        )
    assert DropCopyMessage.objects.get(pk=one.pk).attempts == 1  # refused, and nothing changed
    other = make_counterparty(desk.organization, "OTHER")
    product = venue.products.get(symbol=FORWARD["symbol"])
    booked = assign_and_book(
        **told, message_id=two.pk, book_id=desk.book.pk, counterparty_id=other.pk,
        product_id=product.pk,
    )  # fmt: skip
    trade = Trade.objects.get(ref=booked.trade_ref)
    assert (trade.product_kind, trade.counterparty_id) == ("PHYSICAL_FORWARD", other.pk)


def test_a_message_is_tried_again_or_set_aside_with_a_reason(desk, venue, page):
    take(venue, fill(2, "E1", t1="ACC9"))
    take(venue, fill(3, "E2", t55="NOPE"))
    one, two = DropCopyMessage.objects.order_by("id")
    still = page.post(address("drop_copy_retry", one), follow=True).content.decode()
    make_venue(desk, accounts=[{"account": "ACC9", "book": "EU"}])

    told = page.post(
        address("drop_copy"),
        {"action": "bulk:retry", "select": [one.pk, two.pk], "confirmed": "yes"}, follow=True,
    ).content.decode()  # fmt: skip
    without = page.post(address("drop_copy_settle", two), {"reason": ""})
    wrong = page.post(address("drop_copy_settle", two), {"reason": "x", "trade_ref": "T-9"})
    aside = page.post(address("drop_copy_settle", two), {"reason": "a test of the venue"})

    assert "It still waits: Account" in still
    assert "2 tried again: 1 settled, 1 still wait." in told
    assert DropCopyMessage.objects.get(pk=one.pk).state == "BOOKED"
    assert (without.status_code, wrong.status_code, aside.status_code) == (422, 422, 302)
    assert "there is no trade T-9" in wrong.content.decode()
    two.refresh_from_db()
    assert (two.state, two.remarks) == ("VOID", "By hand: a test of the venue")


def test_the_same_over_rest(desk, venue, page):
    take(venue, fill(2, "E1", t1="ACC9"))
    take(venue, fill(3, "E2", t55="NOPE"))
    take(venue, fill(4, "E3"))
    one, two, _ = DropCopyMessage.objects.order_by("id")
    root = "/api/v1/trading/drop-copy"

    def post(row, verb, body):
        return page.post(f"{root}/{row.pk}/{verb}", body, content_type="application/json")

    listed = page.get(root, {"state": "UNMATCHED"}).json()["results"]
    whole = page.get(f"{root}/{one.pk}").json()
    unknown = post(one, "assign", {"book": "NONE"})
    refused = post(one, "assign", {"counterparty": "ACME"})
    extra = post(one, "assign", {"book": "EU", "colour": "red"})
    again = post(two, "retry", {})
    booked = post(one, "assign", {"book": "eu"})
    aside = post(two, "settle", {"reason": "a test"})

    assert [m["exec_id"] for m in listed] == ["E2", "E1"]
    assert {"tag": 1, "name": "Account", "value": "ACC9"} in whole["fields_as_they_came"]
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/book")
    assert (refused.status_code, refused.json()["code"]) == (409, "inbox_refused")
    assert refused.json()["errors"][0]["pointer"] == "/book"
    assert extra.status_code == 400
    assert (again.status_code, again.json()["state"]) == (200, "UNMATCHED")
    assert (booked.status_code, booked.json()["state"]) == (200, "BOOKED")
    assert Trade.objects.get(ref=booked.json()["trade"]).book_id == desk.book.pk
    assert aside.json()["state"] == "VOID"
    assert page.get(f"{root}/{9**9}").status_code == 404
    compliance = Client()
    compliance.force_login(make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization))
    assert compliance.get(root).status_code == 200
    denied = compliance.post(f"{root}/{two.pk}/retry", {}, content_type="application/json")
    assert denied.status_code == 403


def test_a_hundred_messages_are_listed_by_as_many_queries_as_one(
    venue, page, django_assert_max_num_queries
):
    take(venue, fill(2, "E0", t1="ACC9"))
    page.get(address("drop_copy"))
    with django_assert_max_num_queries(40) as one:
        page.get(address("drop_copy"))
    row = latest()
    DropCopyMessage.objects.bulk_create(
        DropCopyMessage(
            venue=venue, message_type="8", exec_id=f"X{n}", trade_date=date(2026, 11, 20),
            exec_type="F", content_hash=f"{n:064d}", raw=row.raw, source="test",
            received_at=RECEIVED, state="UNMATCHED", tag=1, reason="x",
        )
        for n in range(99)
    )  # fmt: skip
    with django_assert_max_num_queries(len(one)):
        page.get(address("drop_copy"))


def test_mappings_name_products_for_the_choice(venue, page):
    take(venue, fill(2, "E1", t55="NOPE"))

    shown = page.get(address("drop_copy_message", latest())).content.decode()

    assert f"{MONTH['symbol']} → DE Future base" in shown


def test_several_messages_are_assigned_at_once_all_or_none(desk, venue, page):
    for number in (2, 3):
        take(venue, fill(number, f"E{number}", t1="ACC9"))
    take(venue, fill(4, "E4", t1="ACC9", t55="NOPE"))
    take(venue, fill(5, "E5"))
    one, two, odd, booked = DropCopyMessage.objects.order_by("id")

    def post(rows, **more):
        asked = {"action": "bulk:assign", "select": [row.pk for row in rows], **more}
        return page.post(address("drop_copy"), asked, follow=True).content.decode()

    asked = post([one, two, booked])
    nothing = post([one, two], confirmed="yes")
    unfit = post([one, two, odd], confirmed="yes", book=str(desk.book.pk))

    assert "2 of 3 can be assigned" in asked and "All of them or none" in asked
    assert "Nothing was changed. book: E2: say what the venue" in nothing
    assert "Nothing was changed. product: E4: " in unfit
    assert Trade.objects.count() == 1 and "none of those selected" in post([booked])

    done = post([one, two], confirmed="yes", book=str(desk.book.pk))

    assert "2 executions booked." in done
    assert set(DropCopyMessage.objects.filter(state="BOOKED")) == {one, two, booked}
    assert Trade.objects.filter(book=desk.book).count() == 3


def test_several_messages_are_assigned_over_rest(desk, venue, page):
    for number in (2, 3):
        take(venue, fill(number, f"E{number}", t1="ACC9"))
    numbers = list(DropCopyMessage.objects.order_by("id").values_list("pk", flat=True))
    path = "/api/v1/trading/drop-copy/assign"

    def post(client=page, **body):
        return client.post(path, body, content_type="application/json")

    stranger = Client()
    stranger.force_login(make_desk().trader.user)
    assert post(stranger, messages=numbers, book="EU").status_code == 404
    assert post(messages=[*numbers, 9**9], book="EU").status_code == 404
    assert post(messages=[], book="EU").status_code == 400
    refused = post(messages=numbers, counterparty="ACME")
    assert (refused.status_code, refused.json()["code"]) == (409, "inbox_refused")
    assert refused.json()["errors"][0]["pointer"] == "/book"

    done = post(messages=numbers, book="eu")

    assert done.status_code == 200, done.content
    assert [(m["id"], m["state"]) for m in done.json()] == [(pk, "BOOKED") for pk in numbers]
    assert post(messages=numbers, book="eu").status_code == 404  # nothing waits any more
    compliance = Client()
    compliance.force_login(make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization))
    assert post(compliance, messages=numbers, book="eu").status_code == 403
