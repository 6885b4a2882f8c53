"""Pages and API of jobs: own ones only, kept up to date, stoppable."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import claim_job
from energyopti.foundation.jobs.terminal import progress_bar

pytestmark = pytest.mark.django_db(transaction=True)

Enqueue = Callable[..., Job]


@pytest.fixture
def client(actor: Actor) -> Client:
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def stranger(make_actor: Callable[..., Actor]) -> Client:
    client = Client()
    client.force_login(
        make_actor("bob@example.org").user, backend="django.contrib.auth.backends.ModelBackend"
    )
    return client


def test_lists_ones_own_jobs(client: Client, stranger: Client, enqueue: Enqueue) -> None:
    enqueue(to=2)

    assert b"Import prices" in client.get("/jobs/").content
    assert b"No jobs yet" in stranger.get("/jobs/").content


def test_a_running_job_asks_for_itself_until_it_has_ended(client: Client, enqueue: Enqueue) -> None:
    job = enqueue(run=False)
    claim_job(job_id=job.pk)
    Job.objects.update(done=1, total=4, message="Writing")
    page = client.get(f"/jobs/{job.pk}/")
    fragment = client.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})
    Job.objects.update(state="FAILED", error="It broke <b>", finished_at="2027-03-28T01:00Z")
    ended = client.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})

    assert b"every 1s" in page.content
    assert (fragment.status_code, b"1 of 4" in fragment.content) == (200, True)
    assert b"<html" not in fragment.content
    assert ended.status_code == 286
    assert b"every 1s" not in ended.content
    assert b"It broke &lt;b&gt;" in ended.content


def test_cancels_and_says_so(client: Client, enqueue: Enqueue) -> None:
    job = enqueue(run=False)

    answer = client.post(f"/jobs/{job.pk}/cancel/", follow=True)
    again = client.post(f"/jobs/{job.pk}/cancel/", follow=True)

    job.refresh_from_db()
    assert job.state == "CANCELLED"
    assert "was asked to stop" in answer.content.decode()
    assert "has already ended" in again.content.decode()


def test_the_result_is_a_download(client: Client, enqueue: Enqueue) -> None:
    done, broken = enqueue(to=1), enqueue("tests.break")

    answer = client.get(f"/jobs/{done.pk}/result/")

    assert b"".join(answer.streaming_content) == b"counted"
    assert answer["Content-Disposition"] == 'attachment; filename="count.txt"'
    assert client.get(f"/jobs/{broken.pk}/result/").status_code == 404


@pytest.mark.parametrize("path", ["/jobs/{}/", "/jobs/{}/result/", "/api/v1/jobs/{}"])
def test_a_foreign_job_is_not_found(stranger: Client, enqueue: Enqueue, path: str) -> None:
    job = enqueue(to=1)

    assert stranger.get(path.format(job.pk)).status_code == 404
    assert stranger.post(f"/jobs/{job.pk}/cancel/").status_code == 404
    assert stranger.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 404


def test_without_the_permission_or_a_sign_in_there_is_nothing(client: Client, actor: Actor) -> None:
    actor.user.user_permissions.clear()

    assert client.get("/jobs/").status_code == 403
    assert client.get("/api/v1/jobs").status_code == 403
    assert Client().get("/jobs/").status_code == 302
    assert Client().get("/api/v1/jobs").status_code == 401


def test_the_api_follows_and_cancels(client: Client, enqueue: Enqueue) -> None:
    done, waiting = enqueue(to=1), enqueue(run=False)

    listed: Any = client.get("/api/v1/jobs?state=SUCCEEDED").json()
    shown = client.get(f"/api/v1/jobs/{done.pk}").json()
    cancelled = client.post(f"/api/v1/jobs/{waiting.pk}/cancel")
    again = client.post(f"/api/v1/jobs/{waiting.pk}/cancel")
    unknown = client.get("/api/v1/jobs?status=DONE")

    assert [job["id"] for job in listed["results"]] == [str(done.pk)]
    assert shown["result_url"] == f"/jobs/{done.pk}/result/"
    assert (shown["state"], shown["percent"]) == ("SUCCEEDED", 100)
    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "CANCELLED")
    assert (again.status_code, again.json()["code"]) == (409, "job_finished")
    assert unknown.status_code == 400


def test_the_terminal_follows_a_job(
    enqueue: Enqueue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.jobs.terminal.POLL_SECONDS", 0.01)
    job, broken = enqueue(to=1), enqueue("tests.break")

    call_command("job", str(job.pk))

    written = capsys.readouterr()
    assert "Import prices" in written.err
    assert "Done. jobs/" in written.out
    with pytest.raises(CommandError, match=r"Failed\. ValueError: the file has no column Price"):
        call_command("job", str(broken.pk))
    with pytest.raises(CommandError, match="There is no job"):
        call_command("job", "00000000-0000-0000-0000-000000000000")


def test_commands_have_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Writing prices", 3) as show:
        show(3, "2027-03")

    assert "Writing prices" in capsys.readouterr().err
