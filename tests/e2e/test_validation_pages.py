"""Model validation in a real browser: every page accessible with results, failures and refusals."""

from pathlib import Path

import pytest
from celery import current_app

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from energyopti.foundation.validation import tasks  # noqa: F401  # workers find it by themselves
from energyopti.foundation.validation.services.runs import keep_case_file, start_run
from tests.e2e.axe import look_at
from tests.factories.accounts import make_organization
from tests.foundation.validation.conftest import as_file, case

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_pages_of_a_run_with_failures_are_accessible(
    page_as, base_url: str, tmp_path: Path
) -> None:
    assert current_app.conf.task_always_eager
    organization = make_organization("Nordwind")
    page = page_as(Role.RISK_OFFICER, organization=organization)
    actor = Actor.for_user(User.objects.get(memberships__organization=organization))
    files = [
        [case("spring", tolerance="0.5"), case("gas day")],
        [
            case("spring", expected={"n60": 25}, tolerance="0.5", model="Hours of a day"),
            case("gas day", source="counted by hand", provenance="own", note="of the day before"),
            case("dark", topic="dark_matter"),
        ],
    ]
    for cases in files:
        kept = keep_case_file(
            actor=actor, name="desk.json", content=as_file(*cases), organization_id=organization.pk
        )
        run = start_run(
            actor=actor, case_set_key=kept.case_set_key, organization_id=organization.pk
        )
    start_run(actor=actor, case_set_key="shipped", organization_id=organization.pk)
    home = "/model-validation/"
    paths = [
        home, f"{home}{run.pk}/", f"{home}{run.pk}/cases/", f"{home}{run.pk}/cases/1/",
        f"{home}upload/",
    ]  # fmt: skip

    problems = {path: look_at(page, base_url + path) for path in paths}

    assert {path: found for path, found in problems.items() if found} == {}


def test_a_file_with_faults_is_refused_beside_its_field(
    page_as, base_url: str, tmp_path: Path
) -> None:
    page = page_as(Role.RISK_OFFICER, path="/model-validation/upload/")
    file = tmp_path / "mine.json"
    file.write_bytes(as_file(case("good"), case("bad", tolerance=-1)))

    page.set_input_files("input[type=file]", str(file))
    page.click("text=Check and run")

    assert "Nothing was kept" in page.inner_text("main")
    assert "cases[1].tolerance" in page.inner_text("#problems")
