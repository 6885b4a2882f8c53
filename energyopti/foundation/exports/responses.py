"""From a table to a download: format, file name, streaming."""

import json
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from ..api.refusals import MEDIA_TYPE, Refusal, problem_document
from .csv import write_csv
from .json import write_json
from .pdf import PdfUnavailable, write_pdf
from .tables import ExportError, Table
from .xlsx import write_xlsx

FORMATS: dict[str, tuple[str, Callable[[Table], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "json": ("application/json", write_json),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
    "pdf": ("application/pdf", write_pdf),
}


def render(table: Table, format: str) -> Iterator[bytes]:
    """
    Yield a table as csv, json, xlsx or pdf, in pieces.

    :raises Refusal: 400 for another format.
    :raises ExportError: naming column and row of a value that is not of its column's kind.
    :raises PdfUnavailable: for pdf on a machine without pango.
    """
    if format not in FORMATS:
        raise Refusal(
            f"Formats are {', '.join(FORMATS)}.", code="unknown_format", parameter="format"
        )
    return FORMATS[format][1](table)


def export_response(
    request: HttpRequest, table: Table, format: str, filename: str
) -> HttpResponse | StreamingHttpResponse:
    """
    Answer a request with a table as a download that is written while it is sent.

    The first piece is made before the answer begins, so that what cannot be exported is refused
    with a problem document (400, or 503 where PDF lacks its library), not with half a file.

    filename   without ending; anything that a path or a header could mistake is replaced.
    """
    try:
        pieces = render(table, format)
        first = next(pieces, b"")
    except PdfUnavailable as error:
        return _problem(request, status=503, code="pdf_unavailable", detail=str(error))
    except ExportError as error:
        return _problem(request, status=400, code="not_exportable", detail=str(error))
    except Refusal as error:
        return _problem(request, status=400, code=error.code, detail=str(error.detail))
    whole = chain([first], pieces)
    # Django would gather a plain iterator in memory before it sends it over ASGI.
    content = _asynchronously(whole) if isinstance(request, ASGIRequest) else whole
    response = StreamingHttpResponse(content, content_type=FORMATS[format][0])
    response["Content-Disposition"] = attachment(f"{filename}.{format}")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


async def _asynchronously(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        yield piece


def attachment(filename: str) -> str:
    """
    Return a Content-Disposition for a file name (RFC 6266): plain ASCII, and the true name beside.

    Separators, quotes, control characters and leading dots do not get through.
    """
    kept = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff/\\:*?"<>|;%]+', "_", filename)
    name = kept.strip(" .")[:150] or "export"
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    ascii_name = ascii_name.strip(" .") or "export"
    disposition = f'attachment; filename="{ascii_name}"'
    if ascii_name != name:
        disposition += f"; filename*=UTF-8''{quote(name, safe='')}"
    return disposition


def _problem(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    document: dict[str, Any] = problem_document(
        status=status, code=code, detail=detail, request_id=getattr(request, "request_id", "")
    )
    return HttpResponse(json.dumps(document), status=status, content_type=MEDIA_TYPE)
