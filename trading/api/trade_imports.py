"""REST of files of trades: send one, follow its dry run, book it; each answer goes by line."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiView
from energyopti.foundation.jobs.models import JobState
from energyopti.foundation.jobs.queries import visible_jobs
from trading.models import CaptureBasis
from trading.services.reference_files import FileTooLarge
from trading.services.reference_files.reading import MAX_BYTES
from trading.services.trade_files import (
    FileOptions,
    NotYetChecked,
    RowState,
    StagedTrades,
    TradesRefused,
    UnknownTradeImport,
    confirm_trades,
    stage_trades,
    staged_trades,
)

from .file_bodies import FileParser

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PERMISSION = "trading.capture_trade"
A_PAGE = 1000
_STATES = {
    RowState.NEW: "new", RowState.PENDING: "pending", RowState.ALREADY_THERE: "already_there",
}  # fmt: skip


class CsvParser(FileParser):
    media_type = CSV


class XlsxParser(FileParser):
    media_type = XLSX


class ImportQuery(StrictSerializer):
    """What holds for the file, and for rows that do not say it themselves."""

    name = serializers.CharField(
        max_length=120, required=False, help_text="Of the file, as refusals name it."
    )
    dry_run = serializers.BooleanField(
        default=True, help_text="False books the file at once if no line is refused."
    )
    basis = serializers.ChoiceField(
        choices=[basis.value for basis in CaptureBasis], default=CaptureBasis.ORDER.value,
        help_text="Order or executed fact, for rows that do not say it.",
    )  # fmt: skip
    book = serializers.CharField(max_length=16, default="", help_text="Code, likewise.")
    counterparty = serializers.CharField(max_length=16, default="", help_text="Code, likewise.")


class ShownQuery(StrictSerializer):
    """Which of the lines are shown."""

    first = serializers.IntegerField(
        default=0, min_value=0, max_value=1_000_000,
        help_text=f"Number of lines to skip; {A_PAGE:,} are shown at a time.",
    )  # fmt: skip


class RefusalOutput(serializers.Serializer[Any]):
    """Why a line is refused; line 0 is the file itself."""

    file = serializers.CharField()
    line = serializers.IntegerField()
    field = serializers.CharField()
    rule = serializers.CharField()


class RowOutput(serializers.Serializer[Any]):
    """A trade of the file; `ref` is empty while it is not booked."""

    line = serializers.IntegerField()
    state = serializers.ChoiceField(choices=list(_STATES.values()))
    ref = serializers.CharField()
    what = serializers.CharField()
    remarks = serializers.ListField(child=serializers.CharField())


class SumOutput(serializers.Serializer[Any]):
    """What the new trades of one side in one currency and unit add up to."""

    side = serializers.CharField()
    currency = serializers.CharField()
    unit = serializers.CharField()
    trades = serializers.IntegerField()
    hours = DecimalString(max_digits=30, decimal_places=4, allow_null=True)
    volume = DecimalString(max_digits=30, decimal_places=6)
    energy_mwh = DecimalString(max_digits=30, decimal_places=6, allow_null=True)
    notional = DecimalString(max_digits=30, decimal_places=4, allow_null=True)


class CountsOutput(serializers.Serializer[Any]):
    """How many trades, and how many refusals."""

    new = serializers.IntegerField()
    pending = serializers.IntegerField()
    already_there = serializers.IntegerField()
    refused = serializers.IntegerField()


class TradeImportOutput(serializers.Serializer[Any]):
    """An upload of trades, and what is known of it by now."""

    id = serializers.UUIDField()
    file = serializers.CharField()
    state = serializers.ChoiceField(
        choices=["CHECKING", "CHECKED", "REFUSED", "BOOKING", "BOOKED", "FAILED"]
    )
    job = serializers.UUIDField(allow_null=True)
    error = serializers.CharField()
    counts = CountsOutput(allow_null=True)
    sums = SumOutput(many=True)
    refusals = RefusalOutput(many=True)
    rows = RowOutput(many=True)
    captured_at = InstantField(allow_null=True)


_ID, _JOB = "6f6c1c2e-8a5b-4a0c-9f5e-0d5f3a1c7b20", "0b8c2c63-6c3f-4f7e-9a6c-0d6a4f1c9b11"
_CSV_LINES = (
    "basis,book,counterparty,client_reference,product,side,quantity,unit,market,period,price\r\n"
    "ORDER,EU,ACME,desk-1,PHYSICAL_FORWARD,BUY,10,MW,DE,Cal27,85.20\r\n"
)
FILE = OpenApiExample("A file of one order", request_only=True, media_type=CSV, value=_CSV_LINES)
_VALUE = {
    "id": _ID,
    "file": "deals.csv",
    "state": "CHECKED",
    "job": _JOB,
    "error": "",
    "counts": {"new": 1, "pending": 0, "already_there": 0, "refused": 0},
    "sums": [
        {
            "side": "BUY", "currency": "EUR", "unit": "MWh", "trades": 1, "hours": "8760.0000",
            "volume": "87600.000000", "energy_mwh": "87600.000000", "notional": "7463520.0000",
        }
    ],
    "refusals": [],
    "rows": [
        {"line": 2, "state": "new", "ref": "", "what": "Buy DE Cal27, physical forward",
         "remarks": []}
    ],
    "captured_at": None,
}  # fmt: skip
CHECKED = OpenApiExample(
    "Checked, to be confirmed", response_only=True, value=_VALUE, status_codes=["200", "202"]
)
REFUSED = OpenApiExample(
    "Refused by line",
    response_only=True,
    status_codes=["200", "202"],
    value={
        **_VALUE,
        "state": "REFUSED",
        "counts": {"new": 0, "pending": 0, "already_there": 0, "refused": 1},
        "sums": [],
        "rows": [],
        "refusals": [
            {"file": "deals.csv", "line": 2, "field": "period",
             "rule": "“Kal27” is no delivery period."}
        ],
    },
)  # fmt: skip


class TradeImports(ApiView):
    """Files of trades that the caller sends."""

    permissions: ClassVar[dict[str, str]] = {"POST": PERMISSION}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}
    parser_classes = [CsvParser, XlsxParser]
    max_body_bytes = MAX_BYTES

    @extend_schema(
        description=(
            "Send a CSV or XLSX file of trades as the body, at most 50 MB. A short one is tried "
            "at once, a long one by the job that the answer names. Without a dry run the job "
            "books every row or none. The `Location` says what became of each line."
        ),
        parameters=[ImportQuery],
        request={CSV: OpenApiTypes.BINARY, XLSX: OpenApiTypes.BINARY},
        responses={202: TradeImportOutput},
        examples=[FILE, CHECKED, REFUSED],
    )
    def post(self, request: Request) -> Response:
        said, content = self.query_of(ImportQuery), request.data
        kind = ".xlsx" if str(request.content_type).startswith(XLSX) else ".csv"
        name = said.get("name") or f"trades{kind}"
        if not name.lower().endswith(kind):
            raise Refusal(
                f"name: {name} is sent as {request.content_type}; it ends in {kind}.",
                code="name_and_type", parameter="name",
            )  # fmt: skip
        actor = actor_of(request)
        try:
            staged = stage_trades(
                actor=actor,
                name=name,
                content=content if isinstance(content, bytes) else b"",
                options=FileOptions(
                    CaptureBasis(said["basis"]), said["book"], said["counterparty"]
                ),
                is_dry_run=said["dry_run"],
            )
        except FileTooLarge as error:
            raise Refusal(str(error), code="body_too_large", status=413) from error
        answer = _answer(actor, staged, status=202)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{staged.id}")
        return answer


class TradeImport(ApiView):
    """One file of trades."""

    permissions: ClassVar[dict[str, str]] = {"GET": PERMISSION}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description=(
            "Say what is known of a file by now: what is refused by line, field and rule, or what "
            "each row is or became. Files are kept for a day."
        ),
        parameters=[ShownQuery],
        responses=TradeImportOutput,
        examples=[CHECKED, REFUSED],
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        actor = actor_of(request)
        first = self.query_of(ShownQuery)["first"]
        return _answer(actor, _staged(actor, import_id), first=first)


class TradeImportConfirmation(ApiView):
    """The yes to a file that was tried."""

    permissions: ClassVar[dict[str, str]] = {"POST": PERMISSION}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}

    @extend_schema(
        description=(
            "Have a job book a file that a dry run refused no line of: every row or none. Sent "
            "again, it answers with the same job; a row is never booked twice."
        ),
        request=None,
        responses={202: TradeImportOutput},
        examples=[CHECKED],
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        actor = actor_of(request)
        _staged(actor, import_id)
        try:
            confirm_trades(actor=actor, import_id=import_id)
        except NotYetChecked as error:
            raise Refusal(str(error), code="not_yet_checked", status=409) from error
        except TradesRefused as error:
            raise Refusal(str(error), code="trades_refused", status=409) from error
        return _answer(actor, _staged(actor, import_id), status=202)


def _staged(actor: Actor, import_id: UUID) -> StagedTrades:
    try:
        return staged_trades(actor=actor, import_id=import_id)
    except UnknownTradeImport as error:
        raise Http404(str(error)) from error


def _answer(actor: Actor, staged: StagedTrades, *, first: int = 0, status: int = 200) -> Response:
    found, page = staged.found, slice(first, first + A_PAGE)
    job_id = staged.book_job or staged.check_job
    job = visible_jobs(actor).filter(pk=job_id).first() if job_id else None
    failed = job is not None and job.state in (JobState.FAILED, JobState.CANCELLED)
    if staged.is_booked:
        state = "BOOKED"
    elif found is not None and found.is_refused:
        state = "REFUSED"
    elif failed:
        state = "FAILED"
    elif staged.book_job:
        state = "BOOKING"
    else:
        state = "CHECKING" if found is None else "CHECKED"
    body = {
        "id": staged.id,
        "file": staged.name,
        "state": state,
        "job": job_id or None,
        "error": job.error if job is not None and failed else "",
        "counts": None if found is None else {
            **{word: found.count(each) for each, word in _STATES.items()},
            "refused": len(found.refusals),
        },
        "sums": () if found is None else found.sums,
        "refusals": () if found is None else found.refusals[page],
        "rows": [] if found is None else [
            {"line": row.line, "state": _STATES[row.state], "ref": row.ref, "what": row.what,
             "remarks": row.remarks}
            for row in found.rows[page]
        ],
        "captured_at": None if found is None else found.captured_at,
    }  # fmt: skip
    return Response(TradeImportOutput(body).data, status=status)
