"""
A refusal and the document it becomes (RFC 9457); imported by what DRF loads while it starts.

`problems` next door turns every other exception into the same document.
"""

from http import HTTPStatus
from typing import Any

from rest_framework import exceptions

MEDIA_TYPE = "application/problem+json"
NO_TRACE = "Something broke on our side. Nothing of this request was kept; quote the request id."

TITLES: dict[str, str] = {
    "validation_failed": "The request has fields that are not valid",
    "not_authenticated": "Sign in or send a token",
    "authentication_failed": "The token or session is not valid",
    "permission_denied": "You may not do this",
    "permission_missing": "A permission is missing",
    "not_found": "There is nothing here",
    "method_not_allowed": "This method is not offered here",
    "not_acceptable": "This representation is not offered",
    "unsupported_media_type": "This kind of body is not understood",
    "body_too_large": "The body is too large",
    "throttled": "Too many requests",
    "internal_error": "Internal error",
    "database_unavailable": "The database does not answer",
}
CODE_OF_STATUS: dict[int, str] = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    429: "throttled",
    500: "internal_error",
    503: "database_unavailable",
}


class Refusal(exceptions.APIException):
    """
    A refusal with a status, a code, a sentence and, where a field is to blame, its place.

    pointer      JSON pointer into the body ("" is the body itself), None if not the body's fault.
    parameter    name of the query parameter or header to blame.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int = 400,
        pointer: str | None = None,
        parameter: str | None = None,
        title: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.pointer = pointer
        self.parameter = parameter
        self.title = title
        self.wait = retry_after
        # What the single error is called; the document itself may say "validation_failed".
        self.code = code


def problem_document(
    *,
    status: int,
    code: str = "",
    title: str = "",
    detail: str = "",
    request_id: str = "",
    errors: list[dict[str, str]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the members of a problem document; `errors` is there only when fields are to blame."""
    code = code or CODE_OF_STATUS.get(status, "refused" if status < 500 else "internal_error")
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Refused"
    title = title or TITLES.get(code, "") or phrase
    return {
        "type": f"urn:energyopti:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": request_id,
        **({"errors": errors} if errors else {}),
        **more,
    }


def pointer(*tokens: str) -> str:
    """Return the JSON pointer (RFC 6901) of a path; no tokens is the whole document."""
    return "".join("/" + token.replace("~", "~0").replace("/", "~1") for token in tokens)
