"""REST of model validation: send cases, have them run, read what came of them."""

import re
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.pages import PEOPLE_CHOICES, actor_for

from ..cases import MalformedCases
from ..models import ValidationRun
from ..queries.runs import (
    UnknownRun,
    changes_between,
    earlier_runs,
    results_of,
    run_for,
    topics_of,
    visible_runs,
)
from ..queries.sets import UnknownCaseSet, case_sets
from ..services.runs import (
    MAX_BYTES,
    PERMISSION,
    FileTooLarge,
    UnknownTopic,
    keep_case_file,
    start_run,
)
from .examples import CASE, CASE_SETS, CASES, DETAIL, KEPT, QUEUED, RUN, START
from .serializers import (
    CaseFileOutput,
    CaseFileQuery,
    CaseOutput,
    CaseQuery,
    CaseSetOutput,
    CompareQuery,
    RunDetailOutput,
    RunInput,
    RunOutput,
    RunQuery,
)

READ, WRITE = {"GET": "validation:read"}, {"POST": "validation:write"}


class FileOfCases(BaseParser):
    """Hand the body on as bytes: two equal keys in one object must not become one."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read()


class CaseSets(ApiView):
    """What can be run."""

    permissions: ClassVar[dict[str, str]] = {"GET": PERMISSION}
    scopes: ClassVar[dict[str, str]] = READ

    @extend_schema(
        description=(
            "List the sets of cases that can be run: the product's own, the files of this "
            "installation's folder, and the 50 files sent last."
        ),
        responses=CaseSetOutput(many=True),
        examples=[CASE_SETS],
    )
    def get(self, request: Request) -> Response:
        actor: Any = actor_for(request)
        return Response(CaseSetOutput(case_sets(actor), many=True).data)


class CaseFiles(ApiView):
    """Files of cases that the caller sends."""

    permissions: ClassVar[dict[str, str]] = {"POST": PERMISSION}
    scopes: ClassVar[dict[str, str]] = WRITE
    parser_classes = [FileOfCases]
    max_body_bytes = MAX_BYTES

    @extend_schema(
        description=(
            "Send a file of reference cases as the body, at most 2 MB and 5,000 cases. Every case "
            "is checked; what is wrong is named by its place, and then nothing is kept. The same "
            "bytes again answer with the same file."
        ),
        parameters=[CaseFileQuery],
        request={"application/json": {"type": "object"}},
        responses={201: CaseFileOutput},
        examples=[CASES, KEPT],
    )
    def post(self, request: Request) -> Response:
        actor: Any = actor_for(request)
        said = self.query_of(CaseFileQuery)
        content = request.data if isinstance(request.data, bytes) else b""
        try:
            kept = keep_case_file(
                actor=actor,
                name=said["name"],
                content=content,
                organization_id=_organization(
                    actor, said.get("organization_id"), {"parameter": "organization_id"}
                ),
            )
        except FileTooLarge as error:
            raise Refusal(str(error), code="body_too_large", status=413) from error
        except MalformedCases as error:
            raise serializers.ValidationError(_by_place(error)) from error
        return Response(CaseFileOutput(kept).data, status=201)


class Runs(ApiListViewSet):
    """Runs of reference cases through the models."""

    permissions: ClassVar[dict[str, str]] = {"GET": PERMISSION, "POST": PERMISSION}
    scopes: ClassVar[dict[str, str]] = {**READ, **WRITE}
    ordering = ("-requested_at", "id")
    serializer_class = RunOutput

    @extend_schema(
        description="List runs, latest first.",
        parameters=[RunQuery],
        responses=RunOutput(many=True),
        examples=[RUN],
    )
    def list(self, request: Request) -> Response:
        actor: Any = actor_for(request)
        return self.page_of(visible_runs(actor).filter(**self.query_of(RunQuery)), RunOutput)

    @extend_schema(
        description=(
            "Have a set of cases run by a worker. While a run of the caller's with the same set "
            "and topics waits or runs, asking again answers with that one."
        ),
        request=RunInput,
        responses={202: RunOutput},
        examples=[START, QUEUED],
    )
    def create(self, request: Request) -> Response:
        actor: Any = actor_for(request)
        said = RunInput(data=request.data)
        said.is_valid(raise_exception=True)
        asked = said.validated_data
        try:
            run = start_run(
                actor=actor,
                case_set_key=asked["case_set"],
                organization_id=_organization(
                    actor, asked.get("organization_id"), {"pointer": "/organization_id"}
                ),
                topics=asked["topics"],
            )
        except (UnknownCaseSet, UnknownTopic) as error:
            code = "unknown_case_set" if isinstance(error, UnknownCaseSet) else "unknown_topic"
            raise Refusal(str(error), code=code, pointer=error.pointer) from error
        except MalformedCases as error:
            raise Refusal(str(error), code="malformed_cases", status=409) from error
        run = run_for(actor, run.pk)
        answer = Response(RunOutput(run).data, status=202)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{run.pk}")
        return answer

    @extend_schema(
        description=(
            "Show a run with its results by topic, and what changed since an earlier run of the "
            "same cases, newly failing ones first. Ask once a second while it runs."
        ),
        parameters=[CompareQuery],
        responses=RunDetailOutput,
        examples=[DETAIL],
    )
    def retrieve(self, request: Request, run_id: UUID) -> Response:
        run = _run(request, run_id)
        asked = self.query_of(CompareQuery).get("against")
        earlier = earlier_runs(run) if hasattr(run, "outcome") else []
        against = next((each for each in earlier if asked in (None, each.pk)), None)
        if asked is not None and against is None:
            raise Refusal(
                f"against: {asked} is not an earlier run of the same cases.",
                code="not_an_earlier_run", parameter="against",
            )  # fmt: skip
        # Set on the row for the serializer, which reads attributes.
        run.by_topic = topics_of(run)
        run.against = against.pk if against else None
        run.changes = changes_between(against, run) if against else []
        return Response(RunDetailOutput(run).data)


class RunCases(ApiListViewSet):
    """The cases of a run."""

    permissions: ClassVar[dict[str, str]] = {"GET": PERMISSION}
    scopes: ClassVar[dict[str, str]] = READ
    ordering = ("number", "id")
    serializer_class = CaseOutput

    @extend_schema(
        description="List the cases of a run in the file's order: expected, got, difference.",
        parameters=[CaseQuery],
        responses=CaseOutput(many=True),
        examples=[CASE],
    )
    def list(self, request: Request, run_id: UUID) -> Response:
        run = _run(request, run_id)
        return self.page_of(results_of(run).filter(**self.query_of(CaseQuery)), CaseOutput)


def _run(request: Request, run_id: UUID) -> ValidationRun:
    actor: Any = actor_for(request)
    try:
        return run_for(actor, run_id)
    except UnknownRun as error:
        raise Http404(str(error)) from error


def _organization(actor: Any, asked: UUID | None, place: dict[str, Any]) -> UUID | None:
    """Return for whom something is done: the organization asked for, or the only one."""
    own = [UUID(option.value) for option in PEOPLE_CHOICES["organizations"](actor)]
    if asked is not None:
        if asked not in own:
            raise Refusal(
                f"organization_id: {asked} is not yours.",
                code="foreign_organization", **place,
            )  # fmt: skip
        return asked
    if len(own) > 1:
        raise Refusal(
            "organization_id: you belong to several; say for which.",
            code="organization_needed", **place,
        )  # fmt: skip
    return own[0] if own else None


def _by_place(error: MalformedCases) -> dict[str, Any]:
    """Return the rules nested by their places: cases[3].tolerance is cases → 3 → tolerance."""
    found: dict[str, Any] = {}
    for problem in error.problems:
        node = found
        for name in filter(None, re.split(r"[.\[\]]+", problem.place)):
            node = node.setdefault(name, {})
        rule = f"{problem.case}: {problem.rule}" if problem.case else problem.rule
        node.setdefault(api_settings.NON_FIELD_ERRORS_KEY, []).append(
            ErrorDetail(rule, "malformed_case")
        )
    return found
