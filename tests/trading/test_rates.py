"""Discount, exchange-rate and volatility quotes: booked with corrections, read at a cut, shown."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_actor, make_user
from tests.factories.curves import SYSTEM
from tests.factories.trades import make_market
from trading.models import Compounding, InterestQuote, VolKind
from trading.queries.rates import NoRates, discount_curve, fx_curve, vol_surface
from trading.services.rates import (
    FxForwardDraft,
    InterestDraft,
    RatesRefused,
    VolDraft,
    book_fx_forwards,
    book_interest,
    book_vols,
)

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 17, tzinfo=UTC)
YEAR = date(2027, 11, 20)


def interest(rate="0.025", *, actor=SYSTEM, day=YEAR):
    return book_interest(
        actor=actor, currency="EUR", compounding=Compounding(Compounding.CONTINUOUS),
        drafts=[InterestDraft(day, Decimal(rate))], valid_from=AT, source="bank",
    )  # fmt: skip


def forwards(far="1.1120"):
    return book_fx_forwards(
        actor=SYSTEM, base="EUR", quote="USD", valid_from=AT, source="bank",
        drafts=[
            FxForwardDraft(date(2026, 11, 24), Decimal("1.1000")),
            FxForwardDraft(date(2027, 11, 24), Decimal(far)),
        ],
    )  # fmt: skip


def vols(market, *, vol="0.40", moneyness="1.0"):
    return book_vols(
        actor=SYSTEM, market=market, kind=VolKind(VolKind.LOGNORMAL), valid_from=AT,
        source="broker",
        drafts=[
            VolDraft("Cal27", date(2026, 12, 15), Decimal("0.8"), Decimal("0.45")),
            VolDraft("Cal27", date(2026, 12, 15), Decimal(moneyness), Decimal(vol)),
        ],
    )  # fmt: skip


def test_a_correction_is_a_new_row_and_the_cut_before_it_shows_the_old():
    first, same = interest(), interest()
    before = timezone.now()
    corrected = interest("0.03")

    assert (first, same, corrected) == (1, 0, 1) and InterestQuote.objects.count() == 2
    assert discount_curve("EUR", as_of=AT).factor(YEAR) == pytest.approx(math.exp(-0.03))
    then = discount_curve("EUR", as_of=AT, known_at=before)
    assert then.factor(YEAR) == pytest.approx(math.exp(-0.025))
    with pytest.raises(NoRates):
        discount_curve("EUR", as_of=datetime(2026, 1, 1, tzinfo=UTC))


def test_forwards_and_surface_give_back_what_was_quoted():
    market = make_market()
    assert forwards() == 2 and vols(market) == 2

    curve = fx_curve("EUR", "USD", as_of=AT)
    surface = vol_surface(market, "LOGNORMAL", as_of=AT)

    assert curve.spot == pytest.approx(1.1) and curve.points(date(2027, 11, 24)) == pytest.approx(
        120.0
    )
    assert surface.vol("Cal27", date(2026, 12, 15), 1.0) == pytest.approx(0.40)
    assert surface.vol("Cal27", date(2026, 12, 15), 0.8) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("book", "word"),
    [
        (lambda: interest(day=date(2026, 1, 1)), "dates"),
        (lambda: forwards("-1"), "points"),
        (lambda: vols(make_market(), vol="-0.1"), "vol: Cal27 is -0.1"),
        (lambda: vols(make_market(), vol="0"), "above zero"),
        (lambda: vols(make_market(), moneyness="0.8"), "twice"),
    ],
)
def test_quotes_that_make_no_curve_are_refused(book, word):
    with pytest.raises(RatesRefused, match=word):
        book()


def test_only_who_manages_reference_data_books_them():
    with pytest.raises(PermissionMissing):
        interest(actor=make_actor(Role.TRADER))


def test_the_page_shows_all_three(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: AT)
    client = Client()
    client.force_login(
        make_user(Role.RISK_OFFICER), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert b"Nothing is quoted" in client.get("/curves/rates/").content
    interest()
    forwards()
    vols(make_market())

    text = client.get("/curves/rates/").content.decode()

    assert "EUR discount curve" in text and "2.5000" in text
    assert "EUR/USD forwards" in text and "120.00" in text
    assert 'data-step="4">0.4500' in text and 'data-step="0">0.4000' in text
    nobody = Client()
    nobody.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")
    assert nobody.get("/curves/rates/").status_code == 403
