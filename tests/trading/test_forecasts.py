"""Issued forecasts use what was known, stay as they were said, and are scored."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor
from tests.factories.trading import SYSTEM, make_market, make_prices
from trading.forecasting import MissingHistory
from trading.models import Forecast
from trading.queries.forecasts import latest_forecast, review_forecast
from trading.services.forecast_rounds import issue_due_forecasts
from trading.services.forecasts import ForecastRefused, issue_forecast

pytestmark = pytest.mark.django_db
WEDNESDAY = date(2027, 1, 6)
MORNING = datetime(2027, 1, 5, 9, tzinfo=UTC)  # Tuesday 10:00 in Berlin, before the auction


@pytest.fixture
def market():
    """A market whose Tuesday and Wednesday were both loaded at once."""
    market = make_market()
    start = market.calendar.start_of(date(2027, 1, 5))
    make_prices(market, start, [str(hour) for hour in range(24)] + ["99"] * 24)
    return market


def test_uses_only_what_was_known_when_it_was_issued(market):
    issued = issue_forecast(actor=SYSTEM, market=market, delivery_date=WEDNESDAY, issued_at=MORNING)

    assert issued.values == [float(hour) for hour in range(24)]
    assert issued.start == datetime(2027, 1, 5, 23, tzinfo=UTC)
    assert issued.inputs_until == MORNING


def test_tomorrows_prices_do_not_change_a_forecast_by_a_bit(market):
    first = issue_forecast(actor=SYSTEM, market=market, delivery_date=WEDNESDAY, issued_at=MORNING)
    make_prices(
        market,
        market.calendar.start_of(WEDNESDAY),
        ["-500"] * 24,
        received_at=MORNING + timedelta(hours=4),
    )
    second = issue_forecast(
        actor=SYSTEM,
        market=market,
        delivery_date=WEDNESDAY,
        issued_at=MORNING + timedelta(minutes=1),
    )

    assert second.inputs_hash == first.inputs_hash
    assert second.values == first.values


def test_the_same_question_gives_the_row_that_is_there(market):
    arguments = {
        "actor": SYSTEM, "market": market, "delivery_date": WEDNESDAY, "issued_at": MORNING,
    }  # fmt: skip

    assert issue_forecast(**arguments) == issue_forecast(**arguments)
    assert Forecast.objects.count() == Event.objects.filter(type="forecast.issued").count() == 1


def test_a_day_that_has_begun_is_not_forecast(market):
    begun = market.calendar.start_of(WEDNESDAY)

    with pytest.raises(ForecastRefused, match="issued_at"):
        issue_forecast(actor=SYSTEM, market=market, delivery_date=WEDNESDAY, issued_at=begun)


def test_missing_history_is_named(market):
    with pytest.raises(MissingHistory, match=r"TEST: 2027-01-08 .* prices of 2027-01-07"):
        issue_forecast(
            actor=SYSTEM, market=market, delivery_date=date(2027, 1, 8), issued_at=MORNING
        )


def test_issuing_needs_the_permission(market):
    with pytest.raises(PermissionMissing, match="issue_forecast"):
        issue_forecast(
            actor=make_actor(Role.ESG_OFFICER),
            market=market,
            delivery_date=WEDNESDAY,
            issued_at=MORNING,
        )


def test_the_latest_is_found_and_reviewed_against_what_is_known(market):
    issue_forecast(actor=SYSTEM, market=market, delivery_date=WEDNESDAY, issued_at=MORNING)
    later = MORNING + timedelta(hours=1)
    issue_forecast(actor=SYSTEM, market=market, delivery_date=WEDNESDAY, issued_at=later)

    latest = latest_forecast(market, WEDNESDAY)
    earlier = latest_forecast(market, WEDNESDAY, issued_by=MORNING)
    before = review_forecast(latest, known_at=later)
    after = review_forecast(latest)

    assert (latest.forecast.issued_at, earlier.forecast.issued_at) == (later, MORNING)
    assert (before.score, np.isnan(before.actual).all()) == (None, True)
    assert after.score.mean_absolute_error == pytest.approx(99 - 11.5)
    assert latest_forecast(market, date(2030, 1, 1)) is None


def test_a_round_issues_what_is_due_once_and_leaves_what_lacks_history(market, caplog):
    make_market("EMPTY")

    first = issue_due_forecasts(actor=SYSTEM, issued_at=MORNING)
    again = issue_due_forecasts(actor=SYSTEM, issued_at=MORNING + timedelta(minutes=5))

    assert [f.delivery_date for f in first] == [WEDNESDAY]
    assert again == []
    assert "EMPTY: 2027-01-06 cannot be forecast" in caplog.text
