"""Work by the clock and as jobs, and the reference cases of dispatch and curves."""

import io
import json
from datetime import UTC, date, datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection

from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.schedule import PERIODIC
from energyopti.foundation.jobs.services import enqueue_job
from tests.factories.trading import SYSTEM, make_market, make_prices
from trading.models import Forecast, Price
from trading.tasks import ensure_months_ahead, issue_forecasts


@pytest.mark.django_db
def test_months_around_the_clocks_today_are_made(monkeypatch):
    monkeypatch.setattr(
        "energyopti.foundation.clock.now", lambda: datetime(2041, 6, 15, tzinfo=UTC)
    )

    made, again = ensure_months_ahead(), ensure_months_ahead()

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('partitions.trading_actual_y2041m10') IS NOT NULL")
        assert cursor.fetchone() == (True,)
    assert (made, again) == (12, 0)


@pytest.mark.django_db
def test_forecasts_are_issued_at_the_clocks_present(monkeypatch):
    market = make_market()
    make_prices(market, market.calendar.start_of(date(2027, 1, 5)), ["5"] * 24)
    monkeypatch.setattr(
        "energyopti.foundation.clock.now", lambda: datetime(2027, 1, 5, 9, tzinfo=UTC)
    )

    assert issue_forecasts() == 1
    assert Forecast.objects.get().delivery_date == date(2027, 1, 6)


def test_both_are_on_the_schedule():
    assert {"trading.ensure_months", "trading.issue_forecasts"} <= set(PERIODIC)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("text", "state", "prices"),
    [
        ("Date,Price\n2027-01-05 00:00,1\n2027-01-05 01:00,2\n", "SUCCEEDED", 2),
        ("Date,Price\n2027-01-05 00:00,1\n2027-01-05 01:00,x\n", "FAILED", 0),
    ],
)
def test_an_import_runs_as_a_job_and_ends_with_its_outcome(text, state, prices):
    make_market()
    path = default_storage.save("prices.csv", ContentFile(text.encode()))

    enqueue_job(
        actor=SYSTEM,
        kind="import",
        title="Import prices of TEST",
        task="trading.import_prices",
        arguments={"path": path, "market": "TEST", "clock_name": "wall"},
        organization_id=None,
    )

    job = Job.objects.get()
    assert (job.state, Price.objects.count()) == (state, prices)
    assert ("/prices/TEST/" in job.result_url) == (state == "SUCCEEDED")
    assert ("line 3" in job.error) == (state == "FAILED")


@pytest.mark.parametrize(
    ("topic", "count"),
    [("battery_dispatch_lp", 4), ("curve_bootstrap", 1), ("curve_roundtrip_property", 1)],
)
def test_reference_cases_pass(shared_data, topic, count):
    output = io.StringIO()

    call_command(
        "validate_models",
        shared_data / "oracles" / "trading_risk.json",
        *("--topic", topic, "--json", "-"),
        stdout=output,
    )

    assert json.loads(output.getvalue())["summary"] == {"pass": count, "fail": 0, "unsupported": 0}
