"""Verbs of model validation: what is kept, refused, compared and stopped."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.runner import JobCancelled
from energyopti.foundation.jobs.services import ForeignOrganization
from energyopti.foundation.validation.cases import MalformedCases, parse_cases
from energyopti.foundation.validation.models import (
    CaseFile,
    CaseOutcome,
    RunOutcome,
    ValidationRun,
)
from energyopti.foundation.validation.queries.runs import changes_between, earlier_runs, topics_of
from energyopti.foundation.validation.queries.sets import UnknownCaseSet, case_sets
from energyopti.foundation.validation.services.runs import (
    MAX_BYTES,
    MAX_CASES,
    FileTooLarge,
    UnknownTopic,
    keep_case_file,
    run_validation,
    start_run,
)
from energyopti.foundation.validation.shipped import SHIPPED
from tests.factories.accounts import make_actor, make_organization

from .conftest import as_file, case

pytestmark = pytest.mark.django_db

RunFile = Callable[..., ValidationRun]


def test_a_run_keeps_each_case_with_its_difference_and_tolerance(run_file: RunFile) -> None:
    run = run_file(
        case("right", tolerance="0.5", source="counted", model="a day"),
        case("wrong", expected={"n60": 25}, tolerance="0.5"),
        case("else", topic="dark_matter"),
    )

    run.refresh_from_db()
    right, wrong, unknown = CaseOutcome.objects.filter(run=run).order_by("number")
    assert run.job.state == "SUCCEEDED"
    assert run.job.result_url == f"/model-validation/{run.pk}/"
    assert (right.status, right.worst, right.reference, right.model) == (
        "pass", 0, "counted", "a day",
    )  # fmt: skip
    assert (wrong.status, wrong.got, wrong.difference) == ("fail", {"n60": 23}, {"n60": -2})
    assert (wrong.tolerance, wrong.worst) == ("0.5", 4)
    assert (unknown.status, unknown.reason) == (
        "unsupported", "no adapter is registered for topic dark_matter",
    )  # fmt: skip
    outcome = run.outcome
    assert (outcome.cases, outcome.passed, outcome.failed, outcome.unsupported) == (3, 1, 1, 1)
    assert outcome.worst == 4
    assert len(outcome.sha256) == len(outcome.result_hash) == 64
    assert "numpy" in outcome.code
    assert outcome.tzdata
    assert Event.objects.filter(type="validation.run_finished", aggregate_id=run.pk).count() == 1


def test_the_same_cases_have_the_same_result_hash(run_file: RunFile) -> None:
    first, second = run_file(case()), run_file(case())

    assert first.pk != second.pk
    assert first.case_file_id == second.case_file_id
    hashes = RunOutcome.objects.values_list("result_hash", flat=True)
    assert len(hashes) == 2
    assert len(set(hashes)) == 1


def test_doing_a_run_twice_keeps_it_once(run_file: RunFile, actor: Actor) -> None:
    run = run_file(case())

    again = run_validation(run_id=run.pk, actor=actor)

    assert again == RunOutcome.objects.get(run=run)
    assert CaseOutcome.objects.filter(run=run).count() == 1


def test_what_the_shipped_cases_hold_passes(start: RunFile, cases_of_time_alone: None) -> None:
    run = start("shipped")

    run.refresh_from_db()
    failed = CaseOutcome.objects.filter(run=run, status="fail")
    assert [(row.case_id, row.difference, row.reason) for row in failed] == []
    assert run.outcome.cases >= len(SHIPPED)
    ids = CaseOutcome.objects.filter(run=run).values_list("case_id", flat=True)
    assert len(ids) == len(set(ids))


def test_a_run_may_be_of_some_topics(start: RunFile) -> None:
    run = start("shipped", topics=["dst_day"])

    assert [topic.topic for topic in topics_of(run)] == ["dst_day"]
    with pytest.raises(UnknownTopic, match=r"has no dark_matter; it has .*dst_day"):
        start("shipped", topics=["dark_matter"])


def test_changes_name_the_newly_failing_first(run_file: RunFile) -> None:
    before = run_file(
        case("stays"), case("breaks"), case("heals", expected={"n60": 1}), case("goes")
    )
    now = run_file(case("new"), case("heals"), case("stays"), case("breaks", expected={"n60": 24}))

    assert earlier_runs(now) == [before]
    assert [(c.kind, c.case_id, c.before, c.now) for c in changes_between(before, now)] == [
        ("Newly failing", "breaks", "pass", "fail"),
        ("Newly passing", "heals", "fail", "pass"),
        ("New case", "new", None, "pass"),
        ("Gone", "goes", "pass", None),
    ]


def test_runs_of_another_file_or_organization_are_not_compared(run_file: RunFile) -> None:
    run_file(case(), name="other.json")
    run_file(case(), by=make_actor(Role.RISK_OFFICER, organization=make_organization()))

    assert earlier_runs(run_file(case())) == []


def test_asking_again_while_it_waits_is_the_same_run(
    actor: Actor, organization: Organization
) -> None:
    asked: dict[str, Any] = {
        "actor": actor, "case_set_key": "shipped", "organization_id": organization.pk,
    }  # fmt: skip

    # The test's transaction does not commit, so no worker is sent for.
    first, second = start_run(**asked), start_run(**asked)
    other = start_run(**asked, topics=["dst_day"])

    assert first == second
    assert other != first
    assert Job.objects.filter(kind="validation").count() == 2


def test_a_stopped_run_keeps_nothing(actor: Actor, organization: Organization) -> None:
    kept = keep_case_file(
        actor=actor, name="a.json", content=as_file(case("a"), case("b")),
        organization_id=organization.pk,
    )  # fmt: skip
    run = start_run(actor=actor, case_set_key=kept.case_set_key, organization_id=organization.pk)

    def stop(done: int, total: int, message: str) -> None:
        assert total == 2
        if done == 1:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        run_validation(run_id=run.pk, actor=actor, progress=stop)
    assert not CaseOutcome.objects.filter(run=run).exists()
    assert not RunOutcome.objects.filter(run=run).exists()


@pytest.mark.parametrize(
    ("content", "place", "rule"),
    [
        (b"\xff", "", "is not JSON in UTF-8"),
        (b'{"cases": [{"id": "a", "id": "b"}]}', "", "key 'id' is there twice"),
        (as_file(case()).replace(b"10}", b"NaN}"), "", "NaN is not a JSON number"),
        (as_file(case()).replace(b"10}", b"-Infinity}"), "", "-Infinity is not a JSON number"),
        (as_file(case()).replace(b"10}", b"1e999}"), "", "1e999 is beyond a 64-bit number"),
        (as_file(case()).replace(b"10}", b"1" * 5000 + b"}"), "", "is not JSON"),
        (as_file(case(), case()), "cases[1].id", "'c1' is there twice (first: cases[0])"),
        (as_file(case(), case("b", tolerence=1)), "cases[1].tolerence", "is no field of a case"),
        (as_file(case(tolerance=-1)), "cases[0].tolerance", "must be finite and not negative"),
        (as_file(case(tolerance="1e9999")), "cases[0].tolerance", "must lie between"),
        (as_file(case(expected="1e99999")), "cases[0].expected", "exponent of more than three"),
        (as_file(case(model=3)), "cases[0].model", "must be text or null"),
        (as_file(case(note="\x00")), "cases[0].note", "NUL"),
        (as_file(case(note="\ud800")), "cases[0].note", "surrogate"),
        (as_file(case(topic="t" * 121)), "cases[0].topic", "must have 1 to 120 characters"),
        (as_file(case("")), "cases[0].id", "must have 1 to 120 characters"),
        (as_file(case(inputs={"a": eval("[" * 60 + "]" * 60)})), "", "deeper than 40"),
    ],
)
def test_what_is_wrong_is_named_by_case_and_field_and_nothing_is_kept(
    actor: Actor, organization: Organization, content: bytes, place: str, rule: str
) -> None:
    with pytest.raises(MalformedCases) as refused:
        keep_case_file(actor=actor, name="a.json", content=content, organization_id=organization.pk)

    (problem,) = refused.value.problems
    assert rule in problem.rule
    assert place == "" or problem.place == place
    assert not CaseFile.objects.exists()


def test_every_wrong_case_is_named_not_the_first_alone() -> None:
    content = as_file(case("a", tolerance="x"), case("b"), case("c", inputs=1, topic=2))

    with pytest.raises(MalformedCases, match="2 more") as refused:
        parse_cases(content, name="a.json")

    assert [(problem.case, problem.place) for problem in refused.value.problems] == [
        ("a", "cases[0].tolerance"), ("c", "cases[2].topic"), ("c", "cases[2].inputs"),
    ]  # fmt: skip


def test_large_files_are_refused(actor: Actor, organization: Organization) -> None:
    given: dict[str, Any] = {
        "actor": actor, "name": "a.json", "organization_id": organization.pk,
    }  # fmt: skip
    many = as_file(*({"id": str(n), "topic": "t", "inputs": {}, "expected": 1}
                     for n in range(MAX_CASES + 1)))  # fmt: skip

    with pytest.raises(FileTooLarge, match="2,097,153 bytes"):
        keep_case_file(**given, content=b" " * (MAX_BYTES + 1))
    with pytest.raises(FileTooLarge, match="5,001 cases"):
        keep_case_file(**given, content=many)


def test_rights_and_organizations_are_asked_for(actor: Actor, organization: Organization) -> None:
    trader = make_actor(Role.TRADER, organization=organization)

    for verb in (
        lambda who, where: start_run(actor=who, case_set_key="shipped", organization_id=where),
        lambda who, where: keep_case_file(
            actor=who, name="a.json", content=as_file(case()), organization_id=where
        ),
    ):
        with pytest.raises(PermissionDenied):
            verb(trader, organization.pk)
        with pytest.raises(ForeignOrganization):
            verb(actor, uuid4())


def test_the_folder_of_the_installation_is_offered(
    actor: Actor, start: RunFile, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "ours.json").write_bytes(as_file(case()))
    (tmp_path / "secret.txt").write_text("no")
    settings.REFERENCE_CASES_DIR = str(tmp_path)

    run = start("folder:ours.json")

    assert [one.key for one in case_sets(actor)] == ["shipped", "folder:ours.json"]
    assert RunOutcome.objects.get(run=run).passed == 1
    for key in ("folder:../secret.txt", "folder:secret.txt", "upload:1", f"upload:{uuid4()}", ""):
        with pytest.raises(UnknownCaseSet):
            start(key)


def test_a_file_of_the_folder_that_breaks_ends_the_job_with_the_reason(
    start: RunFile, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "ours.json").write_text("{")
    settings.REFERENCE_CASES_DIR = str(tmp_path)

    run = start("folder:ours.json")

    job = Job.objects.get(pk=run.job_id)
    assert job.state == "FAILED"
    assert "ours.json: is not JSON" in job.error
    assert str(tmp_path) not in job.error


def test_an_outcome_that_does_not_add_up_is_refused(run_file: RunFile) -> None:
    run = run_file(case())

    with pytest.raises(IntegrityError, match="run_outcome_adds_up"):
        RunOutcome.objects.filter(run=run).update(passed=7)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cases", "id", "topic", "inputs", "expected",
                                           "tolerance", "groups", "items"]), inner, max_size=5),
        max_leaves=20,
    )
)  # fmt: skip
def test_any_document_is_read_or_refused_by_name(document: Any) -> None:
    try:
        cases = parse_cases(json.dumps(document).encode(), name="any", is_strict=True)
    except MalformedCases as refused:
        assert refused.problems
    else:
        assert cases
