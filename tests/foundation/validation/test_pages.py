"""Pages of model validation: who sees what, drill, filters, exports, sending one's own file."""

import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.validation.models import CaseFile, ValidationRun
from energyopti.foundation.validation.services.runs import MAX_BYTES
from tests.factories.accounts import make_organization, make_user

from .conftest import as_file, case, signed_in

pytestmark = pytest.mark.django_db

RunFile = Callable[..., ValidationRun]
HOME = "/model-validation/"


def upload(client: Client, content: bytes, name: str = "mine.json", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content, "application/json")
    return client.post(f"{HOME}upload/", {"file": file, **more})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_only_who_holds_the_permission_is_let_in(
    organization: Organization, run_file: RunFile
) -> None:
    run = run_file(case())
    trader = signed_in(make_user(Role.TRADER, organization=organization))
    admin = signed_in(make_user(Role.ADMIN, organization=organization))
    paths = [HOME, f"{HOME}{run.pk}/", f"{HOME}{run.pk}/cases/", f"{HOME}{run.pk}/cases/1/",
             f"{HOME}upload/", f"{HOME}example.json"]  # fmt: skip

    assert [trader.get(path).status_code for path in paths] == [403] * 6
    assert [Client().get(path).status_code for path in paths] == [302] * 6
    assert [admin.get(path).status_code for path in paths] == [200] * 6
    assert trader.post(f"{HOME}start/", {"case_set": "shipped"}).status_code == 403
    assert upload(trader, as_file(case())).status_code == 403
    assert HOME not in trader.get("/").text
    assert HOME in admin.get("/").text


def test_runs_of_another_organization_are_not_there(run_file: RunFile) -> None:
    run = run_file(case())
    stranger = signed_in(make_user(Role.RISK_OFFICER, organization=make_organization()))

    for path in (f"{HOME}{run.pk}/", f"{HOME}{run.pk}/cases/", f"{HOME}{run.pk}/cases/1/"):
        assert stranger.get(path).status_code == 404
    assert "mine.json" not in stranger.get(HOME).text


def test_a_fresh_machine_offers_the_shipped_cases_and_runs_them(
    client: Client, django_capture_on_commit_callbacks: Any, cases_of_time_alone: None
) -> None:
    empty = client.get(HOME).text
    with django_capture_on_commit_callbacks(execute=True):
        started = client.post(f"{HOME}start/", {"case_set": "shipped"})
    page = client.get(started.url)
    listed = client.get(HOME).text

    assert "No models validated yet" in empty
    assert '<option value="shipped">Shipped cases</option>' in empty
    assert started.status_code == 302
    assert "first run of these cases" in page.text
    assert "dst_day" in page.text
    assert "Latest run" in listed


def test_an_unknown_set_is_refused_at_its_field(client: Client) -> None:
    answer = client.post(f"{HOME}start/", {"case_set": "folder:../etc/passwd"})

    assert answer.status_code == 422
    assert "Select a valid choice" in answer.text
    assert not ValidationRun.objects.exists()


def test_a_run_leads_to_failed_cases_of_a_topic(client: Client, run_file: RunFile) -> None:
    run_file(case("kept"), case("broken"))
    run = run_file(case("kept"), case("broken", expected={"n60": 24}), case("alien", topic="x"))

    page = client.get(f"{HOME}{run.pk}/").text
    failed = client.get(f"{HOME}{run.pk}/cases/?topic=dst_day&status=fail").text
    one = client.get(f"{HOME}{run.pk}/cases/2/").text

    assert "Newly failing:" in page
    assert page.index("broken") < page.index("By topic")
    assert f"{HOME}{run.pk}/cases/?topic=dst_day&amp;status=fail" in page
    assert "broken" in failed and "kept" not in failed
    assert ">n60 24<" in failed and ">n60 -1<" in failed
    assert "no adapter is registered" in client.get(f"{HOME}{run.pk}/cases/3/").text
    assert "Failed" in one and "Europe/Berlin" in one
    assert client.get(f"{HOME}{run.pk}/cases/4/").status_code == 404


def test_a_run_is_compared_with_the_chosen_earlier_one(client: Client, run_file: RunFile) -> None:
    first, _, third = run_file(case(expected={"n60": 1})), run_file(case()), run_file(case())

    latest = client.get(f"{HOME}{third.pk}/").text
    chosen = client.get(f"{HOME}{third.pk}/?against={first.pk}").text
    foreign = client.get(f"{HOME}{third.pk}/?against={uuid4()}").text

    assert "Every case has the result that it had then." in latest
    assert "Newly passing" in chosen
    assert "not an earlier one of the same cases" in foreign


def test_what_came_out_is_text_not_markup(client: Client, run_file: RunFile) -> None:
    run = run_file(case("<b>x</b>", topic="<i>t</i>", note="<script>", model="<u>"))

    for path in (f"{HOME}{run.pk}/", f"{HOME}{run.pk}/cases/", f"{HOME}{run.pk}/cases/1/"):
        page = client.get(path).text
        assert not any(tag in page for tag in ("<b>x", "<i>t", "<u>"))


def test_a_list_of_cases_pages_and_asks_a_fixed_number_of_queries(
    client: Client, run_file: RunFile, django_assert_max_num_queries: Any
) -> None:
    run = run_file(*(case(f"c{number}") for number in range(120)))
    client.get(HOME)

    with django_assert_max_num_queries(24):
        page = client.get(f"{HOME}{run.pk}/cases/").text
    with django_assert_max_num_queries(24):
        client.get(HOME)
    with django_assert_max_num_queries(20):
        client.get(f"{HOME}{run.pk}/")

    assert "Next 50" in page
    assert "120 rows" in page


@pytest.mark.parametrize("format_name", ["csv", "json", "xlsx", "pdf"])
def test_cases_topics_and_runs_are_taken_out(
    client: Client, run_file: RunFile, format_name: str
) -> None:
    run = run_file(case(note="=1+1"))
    paths = [f"{HOME}{run.pk}/", HOME, f"{HOME}{run.pk}/cases/"]
    # Drawing a PDF takes seconds, and all lists are drawn alike.
    for path in paths[:1] if format_name == "pdf" else paths:
        answer = client.get(f"{path}?export={format_name}")
        assert answer.status_code == 200
        assert len(body(answer)) > 100


def test_an_export_holds_the_whole_values_and_the_filter(client: Client, run_file: RunFile) -> None:
    run = run_file(case("a", note="x" * 200), case("b", expected={"n60": 1}))

    answer = client.get(f"{HOME}{run.pk}/cases/?status=fail&export=json")

    document = json.load(io.BytesIO(body(answer)))
    (row,) = document["rows"]
    assert row["case_id"] == "b"
    assert json.loads(row["expected"]) == {"n60": 1}
    assert json.loads(row["inputs"])["timezone"] == "Europe/Berlin"
    assert document["filters"] == {"Result": "Failed"}


def test_a_file_is_sent_checked_and_run(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload(client, as_file(case("mine")), name="..\\..\\desk/mine.json")
    page = client.get(answer.url).text

    assert "All passed" in page
    assert CaseFile.objects.get().name == "mine.json"
    assert "mine.json (sent file)" in client.get(HOME).text


def test_a_file_with_faults_is_refused_by_case_and_field(client: Client) -> None:
    answer = upload(client, as_file(case("good"), case("bad", tolerance="NaN", hope=1)))
    large = upload(client, b" " * (MAX_BYTES + 1))

    assert answer.status_code == large.status_code == 422
    for words in ("Nothing was kept", "cases[1].hope", "cases[1].tolerance", ">bad<"):
        assert words in answer.text
    assert "2,097,152 are allowed" in large.text
    assert not CaseFile.objects.exists()
    assert not Job.objects.exists()


def test_the_example_passes_as_it_is(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload(client, client.get(f"{HOME}example.json").content)

    assert "2 of 2 cases passed" in client.get(answer.url).text


def test_members_of_several_organizations_say_for_which(
    officer: Any, organization: Organization, client: Client
) -> None:
    other = make_organization("Suedwind")
    officer.memberships.create(organization=other)

    silent = client.post(f"{HOME}start/", {"case_set": "shipped"})
    said = client.post(f"{HOME}start/", {"case_set": "shipped", "organization": str(other.pk)})

    assert silent.status_code == 422
    assert said.status_code == 302
    assert ValidationRun.objects.get().organization_id == other.pk


def test_a_run_that_waits_shows_its_job_and_a_stopped_one_says_so(
    client: Client, organization: Organization
) -> None:
    path = client.post(f"{HOME}start/", {"case_set": "shipped"}).url  # no commit, no worker
    colleague = signed_in(make_user(Role.RISK_OFFICER, organization=organization))

    waiting, theirs = client.get(path).text, colleague.get(path).text
    job = Job.objects.get()
    client.post(f"/jobs/{job.pk}/cancel/")

    assert "Stop this job" in waiting
    assert "Waiting for a worker" in theirs and "Stop this job" not in theirs
    assert "This run has no results" in client.get(path).text
