"""
Every error of the API as one problem document (RFC 9457), with a code that programs can rely on.

DRF's errors come through `ProblemHandler`; what Django refuses before or outside a view (unknown
route, CSRF, crash) is translated by `middleware.ApiMiddleware` with the same `problem_document`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from ..registry import Registry
from .refusals import CODE_OF_STATUS, MEDIA_TYPE, NO_TRACE, Refusal, pointer, problem_document


@dataclass(frozen=True)
class ProblemType:
    """How one exception class of a service is answered; the sentence is the exception's own."""

    status: int
    code: str
    title: str = ""


PROBLEMS: Registry[tuple[type[Exception], ProblemType]] = Registry("problem types")


def register_problem(
    exception: type[Exception], *, status: int, code: str, title: str = ""
) -> None:
    """
    Answer an exception of a service with a status (400–499, 503) and a stable code.

    Called in `ready()`. `str(exception)` becomes the detail, so it must be fit for strangers; its
    attribute `pointer` ("/legs/0/quantity"), where it has one, becomes `errors[0].pointer`.

    :raises ValueError: for a status that is not a refusal.
    """
    if not (400 <= status < 500 or status == 503):
        raise ValueError(f"status: {status} is not a refusal (400–499 or 503).")
    name = f"{exception.__module__}.{exception.__qualname__}"
    PROBLEMS.register(name, (exception, ProblemType(status, code, title)))


class ProblemHandler(ExceptionHandler):
    """Turn an exception of a view into an answer; only known exceptions show their sentence."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        for exception, problem in PROBLEMS.values():
            if isinstance(exc, exception):
                return Refusal(
                    str(exc),
                    code=problem.code,
                    status=problem.status,
                    title=problem.title,
                    pointer=getattr(exc, "pointer", None),
                )
        if isinstance(exc, Http404):
            return exceptions.NotFound()
        if isinstance(exc, PermissionDenied):
            permission = getattr(exc, "permission", "")
            code = "permission_missing" if permission else "permission_denied"
            return exceptions.PermissionDenied(str(exc) or None, code)
        if isinstance(exc, DjangoValidationError):
            return exceptions.ValidationError(_validation_detail(exc))
        if isinstance(exc, (OperationalError, InterfaceError)):
            return Refusal(
                "The database does not answer just now. Try again.",
                code="database_unavailable",
                status=503,
                retry_after=2,
            )
        return exc

    def convert_unhandled_exceptions(self, exc: Exception) -> exceptions.APIException:
        if isinstance(exc, exceptions.APIException):
            return exc
        return exceptions.APIException(NO_TRACE, "internal_error")

    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        headers = self.get_headers(exc)
        if isinstance(exc, exceptions.Throttled) and exc.wait is not None:
            headers["Retry-After"] = str(max(1, int(exc.wait)))
        return Response(data, status=exc.status_code, headers=headers, content_type=MEDIA_TYPE)

    def report_exception(self, exc: exceptions.APIException, response: Response) -> None:
        if exc.status_code != 503:  # a refusal that asks to come back is not a crash
            super().report_exception(exc, response)


class ProblemFormatter(ExceptionFormatter):
    """Write the problem document of a DRF exception."""

    def run(self) -> dict[str, Any]:
        request = self.context["request"]
        request_id = getattr(request, "request_id", "") if request is not None else ""
        common: dict[str, Any] = {"status": self.exc.status_code, "request_id": request_id}
        if isinstance(self.exc, exceptions.ValidationError):
            errors = list(flatten(self.exc.detail))
            sentence = errors[0]["detail"] if len(errors) == 1 else f"{len(errors)} fields refused."
            return problem_document(
                code="validation_failed", detail=sentence, errors=errors, **common
            )
        detail = str(self.exc.detail)
        if isinstance(self.exc, Refusal):
            return problem_document(
                code=self.exc.code,
                title=self.exc.title,
                detail=detail,
                errors=_blame(self.exc),
                **common,
            )
        code = str(self.exc.get_codes())
        if code == "error":
            code = CODE_OF_STATUS.get(self.exc.status_code, "refused")
        permission = getattr(self.original_exc, "permission", "")
        more: dict[str, Any] = {"permission": permission} if permission else {}
        return problem_document(code=code, detail=detail, **common, **more)


def flatten(detail: Any, place: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Yield one error for each message in DRF's nested detail, with its RFC 6901 pointer."""
    if isinstance(detail, exceptions.ErrorDetail):
        yield {"code": detail.code, "pointer": pointer(*place), "detail": str(detail)}
    elif isinstance(detail, dict):
        for name, inner in detail.items():
            at_parent = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from flatten(inner, place if at_parent else (*place, str(name)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_message = isinstance(inner, exceptions.ErrorDetail)
            yield from flatten(inner, place if is_message else (*place, str(index)))


def _blame(refusal: Refusal) -> list[dict[str, str]] | None:
    if refusal.pointer is None and refusal.parameter is None:
        return None
    error = {"code": refusal.code, "detail": str(refusal.detail)}
    if refusal.pointer is not None:
        error["pointer"] = refusal.pointer
    if refusal.parameter is not None:
        error["parameter"] = refusal.parameter
    return [error]


def _validation_detail(exc: DjangoValidationError) -> Any:
    if hasattr(exc, "error_dict"):
        return {
            (api_settings.NON_FIELD_ERRORS_KEY if name == "__all__" else name): [
                exceptions.ErrorDetail(message, error.code or "invalid")
                for error in errors
                for message in error.messages
            ]
            for name, errors in exc.error_dict.items()
        }
    return [
        exceptions.ErrorDetail(message, error.code or "invalid")
        for error in exc.error_list
        for message in error.messages
    ]
