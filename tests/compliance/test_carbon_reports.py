"""Carbon reports: same data same hash, locked versions, files, clock, pages and API."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from compliance.carbon import CarbonError, EmissionFactor
from compliance.esg import tasks
from compliance.esg.models import CarbonReport, CarbonReportFile, Factor
from compliance.esg.queries.factors import factors_for
from compliance.esg.services.factors import publish_factor, publish_seed_factors
from compliance.esg.services.months import request_due_reports
from compliance.esg.services.reports import (
    ReportRefused,
    build_carbon_report,
    pdf_of_report,
    request_carbon_report,
)
from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.intervals import Interval
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.schedule import PERIODIC
from tests.factories.accounts import make_actor, make_user
from tests.factories.billing import Supply, book_readings, make_supply

pytestmark = pytest.mark.django_db

MONTH = date(2027, 3, 1)
START = datetime(2027, 2, 28, 23, tzinfo=UTC)  # midnight in Berlin
BUILT = datetime(2027, 4, 1, 4, tzinfo=UTC)


@pytest.fixture
def metered_bakery() -> Supply:
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(supply.site, supply.market, START, ["10"] * 24)
    return supply


def build(supply: Supply, built_at: datetime = BUILT) -> CarbonReport:
    return build_carbon_report(
        actor=Actor.system("beat"),
        organization=supply.customer,
        month=MONTH,
        built_at=built_at,
    )


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_consumption_times_factor(metered_bakery: Supply) -> None:
    report = build(metered_bakery)

    # 240 kWh × 380.95 g/kWh
    assert report.energy_kwh == 240
    assert report.emissions_t == Decimal("0.091428")
    assert report.content["emissions_t"] == "0.091428"
    assert report.content["factors"][0]["source"].startswith("Our World in Data")
    assert not report.is_complete
    assert report.content["meters"][0] == {
        "place": "Depot",
        "meter": "BAT-1",
        "metered_hours": "24",
        "hours_in_month": "743",
    }


def test_whole_month_is_complete(metered_bakery: Supply) -> None:
    book_readings(
        metered_bakery.site, metered_bakery.market, START + timedelta(hours=24), ["1"] * 719
    )

    assert build(metered_bakery).is_complete


def test_same_data_is_the_same_report(metered_bakery: Supply) -> None:
    first = build(metered_bakery)
    second = build(metered_bakery, BUILT + timedelta(days=1))

    assert first == second
    assert Event.objects.filter(type="carbon_report.built").count() == 1


def test_corrected_factor_makes_a_version_and_leaves_the_locked_one(
    metered_bakery: Supply,
) -> None:
    first = build(metered_bakery)
    kept = bytes(first.files.get(format="csv").content)
    factor = factors_for(["DE-LU"], Interval(START, BUILT))[0]

    publish_factor(
        actor=Actor.system("test"),
        factor=EmissionFactor("DE-LU", Decimal("400"), factor.unit, factor.valid, "corrected"),
    )
    second = build(metered_bakery)

    first.refresh_from_db()
    assert (first.version, second.version) == (1, 2)
    assert second.emissions_t == Decimal("0.096")
    assert first.content["factors"][0]["version"] == "1"
    assert second.content["factors"][0]["version"] == "2"
    assert bytes(first.files.get(format="csv").content) == kept


@pytest.mark.parametrize("table", [CarbonReport, CarbonReportFile, Factor])
def test_locked_rows_cannot_be_changed(metered_bakery: Supply, table: type) -> None:
    build(metered_bakery)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE {table._meta.db_table} SET recorded_at = now()"
            if table is not CarbonReportFile
            else f"DELETE FROM {table._meta.db_table}"
        )


def test_csv_has_factor_version_and_source(metered_bakery: Supply) -> None:
    text = bytes(build(metered_bakery).files.get(format="csv").content).decode()

    assert "Depot" in text
    assert "DE-LU v1" in text
    assert "0.091428" in text


def test_pdf_is_kept(metered_bakery: Supply) -> None:
    pytest.importorskip("weasyprint", exc_type=OSError, reason="this machine has no pango")
    report = build(metered_bakery)

    first = pdf_of_report(report=report, rendered_at=BUILT)
    second = pdf_of_report(report=report, rendered_at=BUILT + timedelta(hours=1))

    assert first == second
    assert bytes(first.content).startswith(b"%PDF-")


def test_month_without_consumption_or_not_begun_is_refused(metered_bakery: Supply) -> None:
    with pytest.raises(CarbonError, match="nothing was metered"):
        build_carbon_report(
            actor=Actor.system("beat"),
            organization=metered_bakery.customer,
            month=date(2027, 2, 1),
            built_at=BUILT,
        )
    with pytest.raises(ReportRefused, match="has not begun"):
        build_carbon_report(
            actor=Actor.system("beat"),
            organization=metered_bakery.customer,
            month=date(2027, 5, 1),
            built_at=BUILT,
        )
    with pytest.raises(ReportRefused, match="first day"):
        build_carbon_report(
            actor=Actor.system("beat"),
            organization=metered_bakery.customer,
            month=date(2027, 3, 2),
            built_at=BUILT,
        )


def test_later_factor_holds_from_its_start() -> None:
    publish_seed_factors(actor=Actor.system("seed"))
    publish_seed_factors(actor=Actor.system("seed"))  # again: nothing doubles

    factors = factors_for(["DE-LU"], Interval(datetime(2019, 6, 1, tzinfo=UTC), BUILT))

    assert [str(factor.value.normalize()) for factor in factors] == ["343", "301", "380.95"]
    assert all(earlier.valid.end == later.valid.start for earlier, later in pairwise(factors))


@pytest.mark.django_db(transaction=True)
def test_clock_has_last_months_report_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.clock, "now", lambda: BUILT)
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(supply.site, supply.market, START, ["10"] * 24)

    jobs = request_due_reports(actor=Actor.system("beat"), due_at=BUILT)
    again = request_due_reports(actor=Actor.system("beat"), due_at=BUILT + timedelta(days=1))

    assert [len(jobs), len(again)] == [1, 0]
    job = Job.objects.get(pk=jobs[0].pk)
    report = CarbonReport.objects.get()
    assert job.state == JobState.SUCCEEDED, job.error
    assert job.result_url == f"/esg/reports/{report.pk}/"
    assert "esg.monthly-reports" in PERIODIC


def test_request_needs_the_role_and_the_organization(metered_bakery: Supply) -> None:
    with pytest.raises(PermissionMissing, match=r"esg\.build_carbonreport"):
        request_carbon_report(
            actor=metered_bakery.reader, organization=metered_bakery.customer, month=MONTH
        )
    stranger = make_actor(Role.ESG_OFFICER, organization=make_supply(name="Mill").customer)
    with pytest.raises(ReportRefused, match="organization"):
        request_carbon_report(actor=stranger, organization=metered_bakery.customer, month=MONTH)


def test_pages_and_api_show_own_reports_only(metered_bakery: Supply) -> None:
    report = build(metered_bakery)
    officer = signed_in(make_user(Role.ESG_OFFICER, organization=metered_bakery.customer))
    stranger = signed_in(
        make_user(Role.ESG_OFFICER, organization=make_supply(name="Mill").customer)
    )
    paths = [
        f"/esg/reports/{report.pk}/",
        f"/esg/reports/{report.pk}.csv",
        f"/api/v1/compliance/carbon-reports/{report.pk}",
    ]

    assert [officer.get(path).status_code for path in paths] == [200, 200, 200]
    assert [stranger.get(path).status_code for path in paths] == [404, 404, 404]
    assert officer.get(f"/esg/reports/{report.pk}.exe").status_code == 404
    assert officer.get("/esg/reports/").status_code == 200
    assert "2027-03" in officer.get("/esg/reports/").content.decode()
    assert "DE-LU" in officer.get("/esg/factors/").content.decode()
    listed = officer.get("/api/v1/compliance/carbon-reports").json()["results"]
    assert [row["emissions_t"] for row in listed] == ["0.091428"]
    assert stranger.get("/api/v1/compliance/carbon-reports").json()["results"] == []
    trader = signed_in(make_user(Role.TRADER, organization=metered_bakery.customer))
    assert trader.get("/esg/reports/").status_code == 403
    assert trader.get("/api/v1/compliance/carbon-reports").status_code == 403


def test_form_queues_a_job(metered_bakery: Supply) -> None:
    officer = signed_in(make_user(Role.ESG_OFFICER, organization=metered_bakery.customer))

    wrong = officer.post(
        "/esg/reports/build/", {"organization": metered_bakery.customer.pk, "month": "March"}
    )
    sent = officer.post(
        "/esg/reports/build/", {"organization": metered_bakery.customer.pk, "month": "2027-03"}
    )

    assert officer.get("/esg/reports/build/").status_code == 200
    assert wrong.status_code == 422
    assert "such as 2027-03" in wrong.content.decode()
    assert sent.status_code == 302
    assert sent["Location"].startswith("/jobs/")
