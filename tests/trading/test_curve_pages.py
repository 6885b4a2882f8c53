"""The curve pages: list, one version, edit, submit, decide, build again, quotes by file."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from tests.factories.curves import SYSTEM, four_eyes, quote, three_markets
from trading.models import CurveVersion, Quote
from trading.queries.marks import month_marks
from trading.services.curves import build_version
from trading.services.quote_files import COLUMNS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
PAGE = "/curves/DE/MARK/"


@pytest.fixture
def market(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    market = three_markets()["DE"]
    quote(market)
    four_eyes(market)
    return market


@pytest.fixture
def company():
    return make_organization()


def signed_in(*roles, organization=None):
    client = Client()
    client.force_login(
        make_user(*roles, organization=organization),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def test_a_curve_goes_from_quotes_to_published_and_a_second_version_follows(market, company):
    trader = signed_in(Role.TRADER, organization=company)
    officer = signed_in(Role.RISK_OFFICER, organization=company)

    assert b"No version yet" in trader.get(PAGE).content
    assert trader.post(f"{PAGE}build/", {"reason": "close"}).status_code == 302
    assert trader.post(f"{PAGE}1/submit/").status_code == 302
    assert b"1 waiting" in officer.get("/curves/").content
    answer = officer.post(
        f"{PAGE}1/decide/", {"action": "approve", "reason": "fine", "status": "PENDING"}
    )
    assert answer.status_code == 302
    quote(market, {("Jan27", "BASE"): "70.00"})
    edited = trader.post(
        f"{PAGE}1/edit/",
        {"contract": "Mar27", "load": "PEAK", "price": "120", "reason": "thin"},
    )
    assert edited.status_code == 302
    trader.post(f"{PAGE}build/")

    assert list(
        CurveVersion.objects.order_by("number").values_list("number", "status")
    ) == [(1, "PUBLISHED"), (2, "DRAFT"), (3, "DRAFT")]  # fmt: skip
    text = html.unescape(trader.get(f"{PAGE}?version=2&day=2027-01-04").content.decode())
    assert "thin" in text and "Shape of 2027-01-04" in text and "BASE of v" not in text
    for number in (1, 2, 3):
        proof = trader.post(f"{PAGE}{number}/rebuild/")
        assert b"The same." in proof.content
    late = officer.post(
        f"{PAGE}1/decide/", {"action": "reject", "reason": "x", "status": "PENDING"}
    )
    assert late.status_code == 422 and b"published by now" in late.content
    assert month_marks(as_of=NOW)[market.pk].version == 1


def test_the_page_names_the_conflict_and_shows_every_load(market):
    build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=NOW)

    text = html.unescape(signed_in(Role.ESG_OFFICER).get(PAGE).content.decode())

    assert "Conflict." in text and "1 MW of it against them earns" in text
    for column in ("BASE", "OFFPEAK", "PEAK", "Quoted base"):
        assert f'<th scope="col" class="number">{column}</th>' in text
    assert "Set a node by hand" not in text and "Submit for approval" not in text


def test_a_curve_of_peak_alone_has_a_page_without_a_days_shape(market):
    british = three_markets()["GB"]
    quote(british, {("Cal27", "PEAK"): "99"})
    build_version(actor=SYSTEM, definition=four_eyes(british), as_of=NOW)

    answer = signed_in(Role.TRADER).get("/curves/GB/MARK/")

    assert answer.status_code == 200 and b"PEAK" in answer.content


def test_bad_edits_come_back_with_the_field(market, company):
    build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=NOW)
    trader = signed_in(Role.TRADER, organization=company)
    good = {"contract": "Mar27", "load": "BASE", "price": "90", "reason": "thin"}

    for changes, words in (
        ({"contract": "Cat27"}, "Contract"),
        ({"contract": "Cal27"}, "finer"),
        ({"price": "nan"}, "Price"),
        ({"load": "EFA1"}, "Load"),
        ({"reason": ""}, "Reason"),
    ):
        answer = trader.post(f"{PAGE}1/edit/", {**good, **changes})
        assert answer.status_code == 422, changes
        assert words in html.unescape(answer.content.decode())
    assert CurveVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "role", "status"),
    [
        (PAGE, None, 403),
        (f"{PAGE}build/", Role.ESG_OFFICER, 403),
        (f"{PAGE}1/decide/", Role.TRADER, 403),
        ("/curves/define/PJM/", Role.TRADER, 403),
        ("/curves/import-quotes/", Role.ESG_OFFICER, 403),
        (f"{PAGE}9/submit/", Role.TRADER, 404),
        ("/curves/DE/NONE/", Role.TRADER, 404),
        ("/curves/NONE/MARK/", Role.TRADER, 404),
        (f"{PAGE}?version=x", Role.TRADER, 400),
        (f"{PAGE}?version=7", Role.TRADER, 404),
        (f"{PAGE}?day=never", Role.TRADER, 400),
        (f"{PAGE}?day=2050-01-01", Role.TRADER, 422),
    ],
)
def test_who_may_not_and_what_is_not_there(market, path, role, status):
    build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=NOW)
    client = signed_in(*([role] if role else []))
    is_post = path.endswith(("build/", "decide/", "submit/"))

    assert (client.post(path) if is_post else client.get(path)).status_code == status


def test_an_officer_of_a_customer_cannot_change_what_all_share(market, company):
    customer = make_organization(parent=company)
    officer = signed_in(Role.RISK_OFFICER, organization=customer)

    assert officer.post(f"{PAGE}build/").status_code == 403
    assert not CurveVersion.objects.exists()


def test_a_curve_is_defined_by_the_risk_officer(market, company):
    officer = signed_in(Role.RISK_OFFICER, organization=company)
    form = {"code": "HUB", "method": "MAXIMUM_SMOOTHNESS", "minutes": "60", "tolerance": "0.05"}
    form |= {"fit": "BANDS", "history_days": "730"}
    form |= {"price_amount": "0.25", "price_percent": "0"}

    assert b"define a curve of GB" in officer.get("/curves/").content
    assert officer.get("/curves/define/GB/").status_code == 200
    assert officer.post("/curves/define/GB/", {**form, "minutes": "7"}).status_code == 422
    assert officer.post("/curves/define/GB/", form).status_code == 302
    wrong = officer.post("/curves/define/GB/", {**form, "price_percent": "101"})
    assert wrong.status_code == 422 and b"price_percent" in wrong.content
    assert b"may be 0.25 or 0 % off" in officer.get("/curves/GB/HUB/").content
    # A second curve to value DE on is one too many.
    again = officer.post("/curves/define/DE/", {**form, "code": "OTHER"})
    assert again.status_code == 422 and b"another curve already" in again.content


def test_a_file_of_quotes_is_shown_before_it_is_imported(market, company):
    trader = signed_in(Role.TRADER, organization=company)
    at = "2026-11-20T17:00:00+00:00"
    lines = f"{','.join(COLUMNS)}\nDE,Jan27,BASE,70,,,{at},SETTLEMENT,exchange\n"

    def upload(text):
        file = SimpleUploadedFile("q.csv", text.encode())
        return trader.post("/curves/import-quotes/", {"kind": "quotes", "file": file})

    before = Quote.objects.count()
    bad = upload(lines.replace("70", "x"))
    assert bad.status_code == 422 and b"is not a decimal number" in bad.content
    shown = upload(lines)
    text = shown.content.decode()
    assert shown.status_code == 200 and "101.75 → 70" in text
    assert Quote.objects.count() == before
    fields = {
        name: html.unescape(re.search(rf'name="{name}" value="([^"]*)"', text).group(1))
        for name in ("name", "kind", "digest", "content")
    }
    moved = trader.post("/curves/import-quotes/", {**fields, "digest": "0"})
    assert moved.status_code == 422
    assert trader.post("/curves/import-quotes/", fields).status_code == 302
    assert Quote.objects.count() == before + 1


def test_the_list_takes_few_queries(market, django_assert_max_num_queries):
    build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=NOW)
    client = signed_in(Role.TRADER)
    client.get("/curves/")

    with django_assert_max_num_queries(18):
        assert b"MARK" in client.get("/curves/").content
