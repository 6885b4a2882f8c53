"""`manage.py import_prices` and the prices it books: whole, once, versioned, refused by line."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.intervals import Interval
from tests.factories.accounts import make_actor
from tests.factories.trading import RECEIVED_AT, SYSTEM, make_market, make_prices
from trading.markets.price_files import Clock
from trading.models import ImportRun, Market, Price
from trading.queries.prices import (
    MixedGranularity,
    PricesMissing,
    exact_prices,
    price_series,
    price_versions,
    series_names,
)
from trading.services.prices import import_price_file

pytestmark = pytest.mark.django_db
START = datetime(2027, 1, 4, 23, tzinfo=UTC)
DAY = Interval(START, datetime(2027, 1, 5, 23, tzinfo=UTC))
HEADER = "timestamp,Price,Wind forecast\n"


def rows(values, *, first=0):
    return "".join(
        f"2027-01-05T{hour:02d}:00+01:00,{value},{100 + hour}\n"
        for hour, value in enumerate(values, start=first)
    )


@pytest.fixture
def run(tmp_path):
    """Write a file, import it, and return what was printed."""

    def imported(text, *args, market="DE-LU"):
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        output, remarks = io.StringIO(), io.StringIO()
        try:
            call_command(
                "import_prices", path, "--market", market, *args, stdout=output, stderr=remarks
            )
        except CommandError as error:
            return f"{remarks.getvalue()}{error}", error.returncode
        return output.getvalue() + remarks.getvalue(), 0

    return imported


def test_a_known_market_is_opened_and_every_series_kept_exactly(run):
    said, code = run(HEADER + rows(["-3.27", "0", "45.123456789"]))

    market = Market.objects.get(code="DE-LU")
    assert code == 0
    assert "6 new, 0 corrected, 0 known values in 2 series" in said
    assert (market.time_zone, market.currency) == ("Europe/Berlin", "EUR")
    assert [p.value for p in exact_prices(market, DAY)] == [
        Decimal("-3.27"),
        Decimal(0),
        Decimal("45.123456789"),
    ]
    assert price_series(market, DAY, series="Wind forecast").values.tolist() == [100, 101, 102]
    assert series_names(market) == ["spot", "Wind forecast"]


def test_importing_again_books_nothing_and_a_correction_is_a_new_version(run):
    run(HEADER + rows(["10", "20", "30"]))
    before = datetime.now(UTC)
    again, _ = run(HEADER + rows(["10.0", "20", "30"]))
    corrected, _ = run(HEADER + rows(["10", "-20", "30"]))

    market = Market.objects.get(code="DE-LU")
    first, second = price_versions(market, datetime(2027, 1, 5, 0, tzinfo=UTC))
    assert "0 new, 0 corrected, 6 known" in again
    assert "0 new, 1 corrected, 5 known" in corrected
    assert (first.value, second.value) == (20, -20)
    assert price_series(market, DAY).values.tolist() == [10, -20, 30]
    assert price_series(market, DAY, as_of=before).values.tolist() == [10, 20, 30]
    assert Price.objects.count() == 7


def test_each_import_is_one_run_and_one_event(run):
    run(HEADER + rows(["10", "20"]))
    run(HEADER + rows(["10", "25"]))

    runs = list(ImportRun.objects.order_by("id"))
    events = Event.objects.filter(type="prices.imported").order_by("id")
    assert [(r.values_new, r.values_corrected, r.values_unchanged) for r in runs] == [
        (4, 0, 0),
        (0, 1, 3),
    ]
    assert runs[0].sha256 != runs[1].sha256
    assert [e.payload["import_run"] for e in events] == [r.pk for r in runs]
    assert events[0].actor_id == "system:import_prices"


def test_a_refused_file_books_nothing_opens_nothing_and_names_its_lines(run):
    said, code = run(HEADER + rows(["10", "x", "30"]) + "2027-01-05T09:00+01:00,nan,1\n")

    assert code == 1
    assert "line 3: Price “x” is not a number" in said
    assert "line 5: Price is missing" in said
    assert "nothing was imported" in said
    assert not Market.objects.exists()
    assert not Price.objects.exists()
    assert not Event.objects.filter(type="prices.imported").exists()


def test_a_dry_run_says_what_would_change_and_changes_nothing(run):
    new, _ = run(HEADER + rows(["10", "20"]), "--dry-run")
    opened = Market.objects.exists()
    run(HEADER + rows(["10", "20"]))
    second, code = run(HEADER + rows(["10", "21", "30"]), "--dry-run")

    assert (opened, code) == (False, 0)
    assert "dry run" in new and "4 new" in new
    assert "2 new, 1 corrected, 3 known" in second
    assert Price.objects.count() == 4


def test_gaps_are_refused_unless_allowed(run):
    text = HEADER + rows(["10", "20"]) + rows(["50", "60"], first=4)

    refused, code = run(text)
    allowed, _ = run(text, "--allow-gaps")

    market = Market.objects.get(code="DE-LU")
    missing = price_series(market, Interval(START, datetime(2027, 1, 5, 5, tzinfo=UTC))).missing
    assert (code, "gap of 2 period(s)" in refused) == (1, True)
    assert "8 new" in allowed
    assert [str(i) for i in missing] == ["[2027-01-05T01:00:00+00:00, 2027-01-05T03:00:00+00:00)"]
    with pytest.raises(PricesMissing, match="DE-LU spot: no price for"):
        price_series(market, DAY).require_complete()


def test_an_unknown_market_needs_its_zone_and_currency(run):
    refused, _ = run(HEADER + rows(["10", "20"]), market="XX")
    wrong, _ = run(
        HEADER + rows(["1", "2"]), "--time-zone", "Mars/Base", "--currency", "EUR", market="XX"
    )
    money, _ = run(
        HEADER + rows(["1", "2"]), "--time-zone", "UTC", "--currency", "XXY", market="XX"
    )
    _, code = run(
        HEADER + rows(["1", "2"]),
        *("--time-zone", "Asia/Tokyo", "--currency", "JPY", "--name", "Tokyo"),
        market="XX",
    )
    other, _ = run(HEADER + rows(["1", "2"]), "--currency", "EUR", market="XX")

    assert "Say its time zone and currency" in refused
    assert "Mars/Base" in wrong
    assert "XXY" in money
    assert (code, Market.objects.get(code="XX").name) == (0, "Tokyo")
    assert "has JPY, not EUR" in other


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_prices", tmp_path / "none.csv", "--market", "DE-LU")


def test_another_period_length_in_the_same_interval_is_refused(run):
    run(HEADER + rows(["10", "20"]))
    quarters = "".join(f"2027-01-05T00:{m:02d}+01:00,1,2\n" for m in (0, 15, 30, 45))
    refused, code = run(HEADER + quarters)
    later = "".join(f"2027-01-06T00:{m:02d}+01:00,1,2\n" for m in (0, 15, 30, 45))
    taken, _ = run(HEADER + later)

    market = Market.objects.get(code="DE-LU")
    week = Interval(START, datetime(2027, 1, 8, tzinfo=UTC))
    assert (code, "booked as a period of 60 minutes" in refused) == (1, True)
    assert "8 new" in taken
    with pytest.raises(MixedGranularity, match="15, 60"):
        price_series(market, week)


def test_an_unknown_eic_or_code_is_refused_when_a_market_is_opened():
    from django.core.exceptions import ValidationError

    from trading.markets.catalogue import MarketTerms
    from trading.services.markets import open_market

    terms = MarketTerms("Wrong", "Europe/Berlin", "EUR", eic="10YBE----------3")
    with pytest.raises(ValidationError, match="EIC"):
        open_market(actor=SYSTEM, code="W", terms=terms, period_minutes=60)


def test_the_market_knows_a_day_from_its_publication_and_a_correction_from_its_arrival():
    market = make_market()
    make_prices(market, START, ["10"] * 24)
    late = datetime(2027, 1, 6, 9, tzinfo=UTC)
    make_prices(market, START, ["11"], received_at=late)

    before = datetime(2027, 1, 4, 11, 59, tzinfo=UTC)  # 12:59 in Berlin
    published = datetime(2027, 1, 4, 12, tzinfo=UTC)
    assert price_series(market, DAY, known_at=before).values.size == 0
    assert price_series(market, DAY, known_at=published).values.tolist() == [10.0] * 24
    assert price_series(market, DAY, known_at=late).values[:2].tolist() == [11.0, 10.0]


def test_importing_needs_the_permission():
    market = make_market()

    with pytest.raises(PermissionMissing, match="import_prices"):
        import_price_file(
            actor=make_actor(Role.ESG_OFFICER),
            market=market,
            content=(HEADER + rows(["1", "2"])).encode(),
            source="x.csv",
            clock=None,
            received_at=RECEIVED_AT,
        )


def test_a_service_call_reads_and_books_with_progress():
    market = make_market()
    stages = []

    done = import_price_file(
        actor=Actor.system("test"),
        market=market,
        content=(HEADER + rows(["1", "2"])).encode(),
        source="x.csv",
        clock=Clock.OFFSET,
        received_at=RECEIVED_AT,
        progress=lambda stage, done, total: stages.append((stage, done, total)),
    )

    assert done.values_new == 4
    assert {stage for stage, _, _ in stages} == {"reading", "booking"}
    assert stages[-1] == ("booking", 4, 4)


def test_six_years_of_hours_are_imported_and_again_are_not(shared_data):
    path = shared_data / "epf" / "NP.csv"
    output = io.StringIO()

    call_command(
        "import_prices",
        path,
        "--market",
        "NP",
        "--clock",
        "24h",
        stdout=output,
        stderr=io.StringIO(),
    )
    call_command(
        "import_prices",
        path,
        "--market",
        "NP",
        "--clock",
        "24h",
        stdout=output,
        stderr=io.StringIO(),
    )

    market = Market.objects.get(code="NP")
    spring = market.calendar.day(date(2013, 3, 31))
    autumn = market.calendar.day(date(2013, 10, 27))
    assert "157,248 new" in output.getvalue()
    assert "0 new, 0 corrected, 157,248 known" in output.getvalue()
    assert price_series(market, spring).require_complete().values[:4].tolist() == [
        47.02, 46.64, 46.51, 46.59,
    ]  # fmt: skip
    assert price_series(market, autumn).require_complete().values[:5].tolist() == [
        33.64, 33.07, 32.93, 32.93, 32.71,
    ]  # fmt: skip
