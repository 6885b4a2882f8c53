"""The terms a curve is built on: bands, holidays and the long end; old ones keep their hash."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client

from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_organization, make_user
from tests.factories.curves import CLOSE, QUOTES, SYSTEM, four_eyes, quote, three_markets
from trading.models import (
    CurveFit,
    CurveMethod,
    CurveSnapshot,
    HolidayCalendar,
    Market,
    PublicationPolicy,
    QuoteQuality,
)
from trading.queries.curve_building import known_curve
from trading.queries.curve_terms import CurveTerms
from trading.queries.curve_versions import prove, rebuilt
from trading.reference import HolidayTerms
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.quotes import QuoteDraft, book_quotes
from trading.services.shapes import publish_holidays

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
AT = datetime(2026, 11, 20, 18, tzinfo=UTC)


def banded(market, width):
    """Book the day's prices with bid and ask so far from them, of every contract."""
    return book_quotes(
        actor=SYSTEM,
        market=market,
        drafts=[
            QuoteDraft(contract, price, CLOSE, load, price - width, price + width)
            for (contract, load), text in QUOTES[market.code].items()
            for price in [Decimal(text)]
        ],
        source="exchange",
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )


def within_bands(market):
    return define_curve(
        actor=SYSTEM, market=market, code="MARK", fit=CurveFit(CurveFit.BANDS),
        policy=PublicationPolicy(PublicationPolicy.FOUR_EYES),
    )  # fmt: skip


def page_of(market):
    client = Client()
    client.force_login(
        make_user(Role.TRADER, organization=make_organization()),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client.get(f"/curves/{market.code}/MARK/?version=1").content.decode()


def test_prices_are_moved_within_their_bands_by_as_little_as_makes_them_agree(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: AT)
    market = three_markets()["DE"]
    banded(market, Decimal("0.60"))

    version = build_version(actor=SYSTEM, definition=within_bands(market), as_of=CLOSE)

    snapshot, built = version.snapshot, rebuilt(version.snapshot)
    assert snapshot.conflicts == [] and prove(version).is_same
    moved = {(each["contract"], each["load"]): each for each in snapshot.moved}
    # The quarters average 88.98 and the year is 88.50: all of them come down a little.
    assert {(f"Q{n}-27", "BASE") for n in range(1, 5)} <= set(moved)
    for each in moved.values():
        assert -0.6 <= each["taken"] - each["price"] < 0
    for known in built.quotes:
        met = built.average(known.delivery, known.load)
        assert float(known.bid) - 0.01 <= met <= float(known.ask) + 0.01, known.name
        if known.id in snapshot.quote_ids:
            taken = moved.get((known.contract, known.load), {}).get("taken", float(known.value))
            assert met == pytest.approx(taken, abs=1e-9)
    page = page_of(market)
    assert page.count("within its band</span>") >= 4 and f"{len(moved)} moved" in page
    amount = moved["Q4-27", "BASE"]["taken"] - moved["Q4-27", "BASE"]["price"]
    assert f"Moved by {amount:.4f}".replace("-", "−") in page


def test_bands_that_are_apart_are_a_conflict_named_with_what_is_left_between(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: AT)
    market = three_markets()["DE"]
    banded(market, Decimal("0.10"))

    version = build_version(actor=SYSTEM, definition=within_bands(market), as_of=CLOSE)
    (left,) = [each for each in version.snapshot.left_out if each["is_conflict"]]
    (plain,) = [
        each
        for each in known_curve(market, CurveTerms(), as_of=CLOSE, known_at=None).left_out
        if each.is_conflict
    ]

    assert (left["contract"], left["load"]) == ("Cal27", "BASE")
    # The quarters go down to their bids for it, and no further.
    assert left["implied"] == pytest.approx(plain.implied - 0.10, abs=1e-6)
    assert left["text"] in version.snapshot.conflicts
    assert version.snapshot.moved == [] and "Conflict" in page_of(market)
    assert prove(version).is_same


def test_terms_that_came_later_leave_the_hash_of_older_curves_alone():
    assert CurveTerms(method="HISTORY_SHAPED").hashed() == {
        "code": "FORWARD", "method": "HISTORY_SHAPED", "minutes": 60, "tolerance": "0.01",
        "history_days": 730,
    }  # fmt: skip
    assert CurveTerms(holidays="NERC").hashed()["holidays"] == "NERC"
    market = three_markets()["DE"]
    quote(market)
    version = build_version(
        actor=SYSTEM, definition=four_eyes(market, CurveMethod.MAXIMUM_SMOOTHNESS), as_of=CLOSE
    )
    snapshot = version.snapshot
    assert snapshot.parameters["spline_end"] == "FLAT"
    # As a version of before the terms was kept: without them, and with the free end it had.
    first = list(snapshot.parameters)[:5]
    terms = CurveTerms(**{name: snapshot.parameters[name] for name in first})
    free = known_curve(market, terms, as_of=CLOSE, known_at=snapshot.known_at)
    old = CurveSnapshot(
        market=market, as_of=CLOSE, known_at=snapshot.known_at, content_hash=free.content_hash,
        parameters={name: asdict(terms)[name] for name in first},
    )  # fmt: skip
    assert rebuilt(old).content_hash == free.content_hash != snapshot.content_hash


def test_holidays_take_the_shape_of_sundays_as_known_when_the_curve_was_built():
    call_command("simulate_market", "SIM", "--days", "290", "--until", "2026-11-20", verbosity=0)
    market = Market.objects.get(code="SIM")
    wednesday, sunday = date(2027, 2, 3), date(2027, 2, 7)
    days = HolidayTerms(
        "TEST", "Test days", 1, date(2020, 1, 1), date(2049, 12, 31), "us", ((wednesday, "Day"),)
    )
    publish_holidays(actor=SYSTEM, terms=days)
    definition = define_curve(
        actor=SYSTEM, market=market, code="SHAPED", history_days=366, is_mark=False,
        method=CurveMethod(CurveMethod.HISTORY_SHAPED),
        holiday_calendar=HolidayCalendar.objects.get(code="TEST"),
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip

    first = build_version(actor=SYSTEM, definition=definition, as_of=AT)
    publish_holidays(
        actor=SYSTEM,
        terms=HolidayTerms("TEST", "Test days", 2, days.covers_first, days.covers_last, "us", ()),
    )
    second = build_version(actor=SYSTEM, definition=definition, as_of=AT)

    def hours(version, day):
        return rebuilt(version.snapshot).fine(DatePeriod.day(day), minutes=60)[1]

    assert second.number == 2 and prove(first).is_same and prove(second).is_same
    alike, apart = (hours(each, wednesday) - hours(each, sunday) for each in (first, second))
    # Peak contracts deliver on the holiday too, so its peak hours lie on another level.
    assert alike[:8] == pytest.approx(0.0, abs=1e-9) and np.ptp(alike[8:20]) < 1e-9
    assert np.abs(apart[:8]).max() > 1.0 and np.ptp(apart[8:20]) > 1.0
    assert first.snapshot.parameters["holidays"] == "TEST"
