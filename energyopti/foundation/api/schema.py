"""
The OpenAPI 3.1 document: what drf-spectacular reads from the views, and what they all share.

Parameters, answers and headers that `ApiBehavior` gives to every operation are written here once,
so that an app describes only what is its own: description, examples, fields.
"""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from . import idempotency
from .refusals import MEDIA_TYPE, TITLES, problem_document
from .versions import API_VERSIONS

METHODS = ("get", "post", "put", "patch", "delete")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_SAFE = frozenset({"get"})

_ERRORS: dict[str, tuple[str, str, str]] = {
    # status: code, sentence, and the case that the example shows
    "400": ("validation_failed", "Fields, query, version or body refused.", "Say which side."),
    "401": ("not_authenticated", "No valid token or session.", "Send a token."),
    "403": ("permission_missing", "A permission or scope is missing.", "You need a permission."),
    "404": ("not_found", "Unknown, or not of your organizations.", "Nothing with this id."),
    "409": (
        "idempotency_key_in_progress",
        "In conflict with another request, or its first try is still running.",
        "The first request under this key is still running.",
    ),
    "413": ("body_too_large", "The body is too large.", "The body may have at most 2 MB."),
    "422": (
        "idempotency_key_reused",
        "Understood but refused by a rule, or the key was used for another request.",
        "This key was used for another request. Take a new key for a new request.",
    ),
    "429": ("throttled", "Too many requests; see `Retry-After`.", "Come back in 3 seconds."),
    "500": ("internal_error", "Our mistake; quote the request id.", "Something broke."),
}


class OperationSchema(AutoSchema):
    """Say what the view declares: permission, scope, and that it takes no Idempotency-Key."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None and not getattr(self.view, "idempotent", False):
            operation["x-natural-key"] = True
        permission = getattr(self.view, "permissions", {}).get(self.method)
        if operation is not None and permission:
            operation["x-permission"] = permission
        return operation

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Name the scope beside each scheme of tokens; without a scope, tokens are refused."""
        auths: list[dict[str, list[str]]] = super().get_auth()
        if not hasattr(self.view, "scopes"):
            return auths
        scope = self.view.scopes.get(self.method)
        return [
            {name: [scope] if scope and name != BrowserSessionScheme.name else []}
            for auth in auths
            for name in auth
            if scope or name == BrowserSessionScheme.name
        ]


class BrowserSessionScheme(OpenApiAuthenticationExtension):
    target_class = "energyopti.foundation.api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of the browser; writing also needs the CSRF token.",
        }


def only_versioned_routes(endpoints: list[Any], **_: Any) -> list[Any]:
    """Keep what is under /api/v1/ in the document."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


def describe_common_parts(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the parameters, refusals and headers that every operation has to the document."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _problem_schema()
    components["headers"] = _headers()
    components["parameters"] = _parameters()
    components["responses"] = _responses()
    for path, item in result.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                _describe(item[method], method=method, path=path)
    return result


def _describe(operation: dict[str, Any], *, method: str, path: str) -> None:
    parameters = operation.setdefault("parameters", [])
    parameters.append({"$ref": "#/components/parameters/ApiVersion"})
    has_natural_key = operation.pop("x-natural-key", False)
    if method.upper() in idempotency.METHODS and not has_natural_key:
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    responses = operation.setdefault("responses", {})
    for status in _ERRORS:
        if method in _SAFE and status in ("409", "413", "422"):
            continue
        if status == "404" and "{" not in path and method == "get":
            continue
        responses.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    for status, response in responses.items():
        if status.startswith("2") and "$ref" not in response:
            headers = response.setdefault("headers", {})
            for name in _headers():
                headers.setdefault(name, {"$ref": f"#/components/headers/{name}"})


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "RFC 9457 problem document. Decide by `code`; sentences may change.",
        "required": ["type", "title", "status", "detail", "code", "request_id"],
        "properties": {
            "type": {**text, "format": "uri", "description": "urn:energyopti:problem:<code>"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {**text, "examples": sorted(TITLES)},
            "request_id": {**text, "description": "The same as the header X-Request-ID."},
            "permission": {**text, "description": "With code permission_missing: which one."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "detail"],
                    "properties": {
                        "code": text,
                        "detail": text,
                        "pointer": {**text, "description": "RFC 6901 pointer into the body."},
                        "parameter": {**text, "description": "Query parameter or header."},
                    },
                },
            },
        },
    }


def _headers() -> dict[str, Any]:
    number, text = {"type": "integer"}, {"type": "string"}
    return {
        "Api-Version": {"description": "Version that was spoken.", "schema": text},
        "RateLimit-Limit": {"description": "Requests that fit at once.", "schema": number},
        "RateLimit-Remaining": {"description": "Requests left at once.", "schema": number},
        "RateLimit-Reset": {"description": "Seconds until all are back.", "schema": number},
        "X-Request-ID": {"description": "Id of the request in our logs.", "schema": text},
    }


def _parameters() -> dict[str, Any]:
    return {
        "ApiVersion": {
            "name": "Api-Version",
            "in": "header",
            "required": False,
            "description": "Dated version whose shapes the client knows; default is the current.",
            "schema": {
                "type": "string",
                "enum": [version.isoformat() for version in API_VERSIONS.versions],
            },
        },
        "IdempotencyKey": {
            "name": idempotency.HEADER,
            "in": "header",
            "required": False,
            "description": (
                "A value of your own, such as a UUID, new for each new request. The same request "
                "under the same key has one effect and gets the same answer again "
                "(`Idempotent-Replayed: true`); another body is refused with 422."
            ),
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
    }


def _responses() -> dict[str, Any]:
    described = {}
    for status, (code, sentence, detail) in _ERRORS.items():
        more: dict[str, Any] = {}
        if code == "validation_failed":
            detail = "Say BUY or SELL."
            more["errors"] = [
                {"code": "invalid_choice", "pointer": "/legs/0/side", "detail": detail}
            ]
        if code == "permission_missing":
            more["permission"] = "trading.capture_trade"
        example = problem_document(
            status=int(status), code=code, detail=detail, request_id="4f1c2a7e-req", **more
        )
        described[f"Problem{status}"] = {
            "description": sentence,
            "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": example}},
        }
        if status in ("409", "429"):
            described[f"Problem{status}"]["headers"] = {
                "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
            }
    return described


def undocumented(document: dict[str, Any]) -> list[str]:
    """
    Return what is missing in a document, one sentence each: descriptions, examples, refusals.

    A test holds this empty for the product's own document.
    """
    missing = []
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                where = f"{method.upper()} {path}"
                missing += [f"{where}: {lack}" for lack in _lacks(item[method])]
    return missing


def _lacks(operation: dict[str, Any]) -> list[str]:
    lacks = []
    if len(operation.get("description", "").strip()) < 10:
        lacks.append("no description")
    body = operation.get("requestBody", {}).get("content", {})
    if body and not any(_has_example(media) for media in body.values()):
        lacks.append("no example of a request")
    answers = {s: r for s, r in operation["responses"].items() if s.startswith("2")}
    if not answers:
        lacks.append("no successful answer")
    for status, answer in answers.items():
        content = answer.get("content", {})
        if content and not any(_has_example(media) for media in content.values()):
            lacks.append(f"no example of the answer {status}")
    if "429" not in operation["responses"] or "400" not in operation["responses"]:
        lacks.append("no refusals")
    return lacks


def _has_example(media: dict[str, Any]) -> bool:
    return bool(media.get("examples") or media.get("example"))
