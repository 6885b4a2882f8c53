"""A wrong quote is withdrawn, the curve built without it; what was published stays provable."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.curves import CLOSE, SYSTEM, four_eyes, quote, three_markets
from trading.models import CurveMethod, CurveVersion, Quote
from trading.queries.curve_page import curve_lines
from trading.queries.curve_versions import prove
from trading.queries.quote_days import quote_days
from trading.queries.quotes import (
    latest_trading_day,
    quote_history,
    quotes_at,
    standing_quotes,
)
from trading.services.curve_publication import approve_version, submit_version
from trading.services.curves import build_version
from trading.services.quote_files import COLUMNS, import_quotes, preview_quotes
from trading.services.quote_withdrawals import withdraw_quote
from trading.services.quotes import QuoteRefused
from trading.services.reference_files.findings import ReferenceRefused, RowState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.fixture
def market(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    market = three_markets()["DE"]
    quote(market)
    return market


def quoted(market, **cut):
    return {(q.contract, q.load): q.value for q in quotes_at(market, as_of=NOW, **cut)}


def jan(market):
    return Quote.objects.filter(market=market, contract="Jan27", load_type="BASE").latest("pk")


def test_a_withdrawn_quote_is_gone_from_now_on_and_there_at_the_cut_before(market):
    before = timezone.now()
    withdraw_quote(actor=SYSTEM, quote_id=jan(market).pk, reason="fat finger")

    assert ("Jan27", "BASE") not in quoted(market) and len(quoted(market)) == 11
    assert quoted(market, known_at=before)["Jan27", "BASE"] == Decimal("101.75")
    history = quote_history(market, first=CLOSE, latest=CLOSE)
    (day,) = quote_days(market_id=market.pk, as_of=NOW, days=5)
    assert "Jan27" not in history.contracts and "Feb27" in history.contracts
    assert (1, 1) not in {(c.first.month, c.months) for c in day.contracts}
    event = Event.objects.get(type="quote.withdrawn")
    assert event.payload["reason"] == "fat finger" and event.payload["value"] == "101.75"

    again = quote(market, {("Jan27", "BASE"): "101.75"})
    assert (again.new, again.corrected) == (0, 1)
    assert quoted(market)["Jan27", "BASE"] == Decimal("101.75")


def test_another_sources_word_stands_and_a_day_without_quotes_is_no_trading_day(market):
    later = CLOSE.replace(minute=30)
    quote(market, {("Jan27", "BASE"): "99"}, source="broker")
    quote(market, {("Jan28", "BASE"): "80"}, at=later)
    first = Quote.objects.get(market=market, contract="Jan27", source="exchange", load_type="BASE")
    withdraw_quote(actor=SYSTEM, quote_id=first.pk, reason="wrong")
    only = Quote.objects.get(market=market, contract="Jan28")
    withdraw_quote(actor=SYSTEM, quote_id=only.pk, reason="wrong")

    assert quoted(market)["Jan27", "BASE"] == Decimal("99")
    assert quote_history(market, first=CLOSE, latest=CLOSE, contracts=["Jan27"]).values == [[99.0]]
    assert latest_trading_day(market, as_of=NOW) == CLOSE


@pytest.mark.parametrize(
    ("reason", "word"), [(" ", "reason: say"), ("x" * 401, "reason: it is longer")]
)
def test_a_withdrawal_has_a_reason(market, reason, word):
    with pytest.raises(QuoteRefused, match=word):
        withdraw_quote(actor=SYSTEM, quote_id=jan(market).pk, reason=reason)


def test_only_a_quote_that_stands_is_withdrawn_by_who_may(market):
    old = jan(market)
    quote(market, {("Jan27", "BASE"): "101"})
    with pytest.raises(QuoteRefused, match="corrected or withdrawn"):
        withdraw_quote(actor=SYSTEM, quote_id=old.pk, reason="late")
    row = withdraw_quote(actor=SYSTEM, quote_id=jan(market).pk, reason="wrong")
    with pytest.raises(QuoteRefused, match="corrected or withdrawn"):
        withdraw_quote(actor=SYSTEM, quote_id=row.pk, reason="twice")
    with pytest.raises(QuoteRefused, match="none of that number"):
        withdraw_quote(actor=SYSTEM, quote_id=0, reason="wrong")
    with pytest.raises(PermissionMissing):
        withdraw_quote(actor=make_actor(Role.ENERGY_MANAGER), quote_id=0, reason="wrong")


def signed_in(role, company):
    client = Client()
    client.force_login(
        make_user(role, organization=company),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def test_the_page_withdraws_builds_without_it_and_both_versions_are_proved(market):
    definition, company = four_eyes(market), make_organization()
    first = build_version(actor=SYSTEM, definition=definition, as_of=CLOSE)
    submit_version(actor=SYSTEM, version=first)
    officer = Actor.for_user(make_user(Role.RISK_OFFICER, organization=company))
    approve_version(actor=officer, version=first)
    trader = signed_in(Role.TRADER, company)
    address = "/curves/DE/MARK/1/withdraw/"

    bad = trader.post(address, {"quote": jan(market).pk, "reason": ""})
    foreign = trader.post(address, {"quote": 0, "reason": "wrong"})
    done = trader.post(address, {"quote": jan(market).pk, "reason": "fat finger"})

    assert (bad.status_code, foreign.status_code) == (422, 422)
    assert (done.status_code, done["Location"]) == (302, "/curves/DE/MARK/?version=2")
    second = CurveVersion.objects.get(number=2)
    assert (second.status, second.reason) == ("DRAFT", "withdrawn: fat finger")
    submit_version(actor=SYSTEM, version=second)
    approve_version(actor=officer, version=second)
    first.refresh_from_db()
    assert first.status == "SUPERSEDED"
    assert jan(market).quality == "WITHDRAWN"
    taken = [set(version.snapshot.quote_ids) for version in (first, second)]
    (gone,) = taken[0] - taken[1]
    assert Quote.objects.get(pk=gone).contract == "Jan27"
    assert prove(first).is_same and prove(second).is_same
    assert signed_in(Role.ENERGY_MANAGER, company).post(address, {}).status_code == 403


def test_how_a_curve_is_made_is_changed_on_a_page_with_an_event(market):
    definition, company = four_eyes(market), make_organization()
    old = build_version(actor=SYSTEM, definition=definition, as_of=CLOSE)
    officer, trader = signed_in(Role.RISK_OFFICER, company), signed_in(Role.TRADER, company)
    address = "/curves/DE/MARK/change/"
    terms = {
        "method": "MAXIMUM_SMOOTHNESS", "minutes": "15", "tolerance": "0.05", "history_days": "365",
        "fit": "MIDS", "holiday_calendar": "", "price_amount": "0.50", "price_percent": "2",
    }  # fmt: skip

    shown = officer.get(address).content.decode()
    done = officer.post(address, terms)
    bad = officer.post(address, {**terms, "tolerance": "-1", "minutes": "7"})

    assert 'value="730"' in shown and 'value="0.0100"' in shown
    assert (done.status_code, bad.status_code) == (302, 422)
    definition.refresh_from_db()
    assert (definition.method, definition.minutes) == (CurveMethod.MAXIMUM_SMOOTHNESS, 15)
    assert (definition.policy, definition.is_mark) == ("FOUR_EYES", True)
    event = Event.objects.filter(type="curve.defined").latest("pk")
    assert event.changes["tolerance"] == {"before": "0.0100", "after": "0.05"}
    assert event.changes["price_tolerance"] == {"before": "0.5 or 1 %", "after": "0.5 or 2 %"}
    assert set(event.changes) == {
        "method", "minutes", "tolerance", "history_days", "price_tolerance",
    }  # fmt: skip
    assert "0.5 or 2 % off" in officer.get("/curves/DE/MARK/").content.decode()
    assert trader.get(address).status_code == 403
    new = build_version(actor=SYSTEM, definition=definition, as_of=CLOSE)
    assert new.number == 2 and prove(old).is_same and prove(new).is_same


def file_of(value, quality="WITHDRAWN", contract="Jan27", source="exchange"):
    line = f"DE,{contract},BASE,{value},,,{CLOSE.isoformat()},{quality},{source}"
    return f"{','.join(COLUMNS)}\n{line}\n".encode()


def test_a_file_withdraws_a_quote_at_the_price_that_stands(market):
    given = {"actor": SYSTEM, "name": "back.csv", "received_at": NOW}

    shown = preview_quotes(content=file_of("101.750"), **given)
    done = import_quotes(content=file_of("101.750"), **given)
    again = import_quotes(content=file_of("101.75"), **given)

    (field,) = shown.changes[0].fields
    assert (field.field, field.before, field.after) == ("quality", "SETTLEMENT", "WITHDRAWN")
    assert done.count(RowState.CHANGED) == again.count(RowState.UNCHANGED) == 1
    assert ("Jan27", "BASE") not in quoted(market)
    assert Quote.objects.filter(quality="WITHDRAWN").count() == 1
    assert "back.csv" in Event.objects.get(type="quote.withdrawn").payload["reason"]
    for content, column in (
        (file_of("99.11", contract="Feb27"), "value"),
        (file_of("99.10", contract="Mar27"), "contract"),
        (file_of("99.10", contract="Feb27", source="broker"), "contract"),
    ):
        with pytest.raises(ReferenceRefused) as refused:
            import_quotes(content=content, **given)
        (refusal,) = refused.value.diff.refusals
        assert (refusal.line, refusal.field) == (2, column)
    import_quotes(content=file_of("101.75", quality="SETTLEMENT"), **given)
    assert quoted(market)["Jan27", "BASE"] == Decimal("101.75")


def test_quotes_are_withdrawn_over_rest_all_or_none(market):
    company = make_organization()
    trader, reader = signed_in(Role.TRADER, company), signed_in(Role.ESG_OFFICER, company)
    wrong = [
        {"contract": "Jan27", "value": "101.75", "valid_from": CLOSE.isoformat()},
        {"contract": "Jan27", "load": "PEAK", "value": "126.4", "valid_from": CLOSE.isoformat()},
    ]
    body = {"market": "DE", "source": "exchange", "reason": "fat finger", "quotes": wrong}

    def post(client, **changes):
        return client.post(
            "/api/v1/trading/quotes/withdrawals",
            json.dumps({**body, **changes}),
            content_type="application/json",
        )

    for changes, status in (
        ({"quotes": [wrong[0], {**wrong[1], "value": "126.5"}]}, 400),
        ({"quotes": [wrong[0], wrong[0]]}, 400),
        ({"quotes": [{**wrong[0], "contract": "Cat27"}]}, 400),
        ({"quotes": [{**wrong[0], "load": "5X16"}]}, 400),
        ({"source": "broker"}, 400),
        ({"reason": " "}, 400),
        ({"market": "NONE"}, 404),
    ):
        assert post(trader, **changes).status_code == status, changes
    assert post(reader).status_code == 403
    assert len(quoted(market)) == 12
    assert post(trader).json() == {"read": 2, "withdrawn": 2}
    assert post(trader).json() == {"read": 2, "withdrawn": 0}
    assert len(quoted(market)) == 10


def test_the_list_of_curves_and_the_check_of_prices_know_no_withdrawn_day(market):
    definition = four_eyes(market)
    later = CLOSE.replace(minute=30)
    quote(market, {("Jan28", "BASE"): "80"}, at=later)
    (before,) = curve_lines(actor=SYSTEM, as_of=NOW)
    only = Quote.objects.get(market=market, contract="Jan28")
    withdraw_quote(actor=SYSTEM, quote_id=only.pk, reason="wrong")
    (line,) = curve_lines(actor=SYSTEM, as_of=NOW)

    assert (before.newest, line.newest) == (later, CLOSE) and line.definition == definition
    assert set(standing_quotes().values_list("valid_from", flat=True)) == {CLOSE}


def test_quotes_are_not_joined_with_all_while_statistics_do_not_know_their_market(market):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE trading_quote")
    other = next(one for code, one in three_markets().items() if code != "DE")
    quote(other, {("Jan27", "BASE"): "98.50"})

    with CaptureQueriesContext(connection) as queries:
        latest_trading_day(other, as_of=NOW)
        quotes_at(other, as_of=NOW)
        quote_history(other, first=CLOSE, latest=CLOSE)
    reads = [one["sql"] for one in queries if "withdrawn.quality" in one["sql"]]
    plans = []
    for read in reads:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {read}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))

    assert len(plans) == 4  # the second asks for the day first
    assert not [plan for plan in plans if "Join" in plan]
