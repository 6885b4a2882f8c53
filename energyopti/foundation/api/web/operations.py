"""
The OpenAPI document as what the pages show: operations, fields in rows, commands to copy.

Nothing is added to the document here: a page says what a program would read.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schema import METHODS

# Deeper fields are in the document itself; a page that shows them reads like a dump.
DEPTH = 4
BROWSER = "session"


@dataclass(frozen=True)
class Row:
    """One field or parameter: its name with the path to it, its type, its bounds in words."""

    name: str
    kind: str
    required: bool = False
    description: str = ""
    place: str = ""


@dataclass(frozen=True)
class Example:
    title: str
    text: str


@dataclass(frozen=True)
class Body:
    """What a request sends or an answer brings in one media type."""

    media_type: str
    rows: list[Row]
    examples: list[Example]
    description: str = ""


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    bodies: list[Body] = field(default_factory=list)
    code: str = ""  # of the problem, where the answer is a refusal


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    tag: str
    method: str
    path: str
    title: str
    description: str
    permission: str
    scopes: list[str]
    sign_in: list[str]
    deprecated: bool
    parameters: list[Row]
    body: Body | None
    answers: list[Answer]
    refusals: list[Answer]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def haystack(self) -> str:
        """Everything that the filter looks through, in lower case."""
        words = (self.id, self.tag, self.method, self.path, self.title, self.description)
        return " ".join((*words, self.permission, *self.scopes)).lower()


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """Return every operation of a document in the order of tag, path and method."""
    reader = _Reader(document)
    found = [
        reader.operation(path, method, item[method])
        for path, item in document.get("paths", {}).items()
        for method in METHODS
        if method in item
    ]
    return sorted(found, key=lambda one: (one.tag, one.path, METHODS.index(one.method.lower())))


def matching(operations: list[Operation], words: str) -> list[Operation]:
    """Return the operations in which every word occurs, whatever its case."""
    wanted = words.lower().split()
    return [one for one in operations if all(word in one.haystack for word in wanted)]


def token_command(document: Mapping[str, Any], *, host: str) -> str:
    """Return the command that gets a partner's token, "" where the document knows no such flow."""
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        flow = scheme.get("flows", {}).get("clientCredentials")
        if flow:
            return (
                f"curl -sS -X POST {shlex.quote(host + flow['tokenUrl'])} \\\n"
                '  -u "$CLIENT_ID:$CLIENT_SECRET" \\\n'
                "  -d grant_type=client_credentials"
            )
    return ""


def scopes_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the scopes that tokens may have, with their sentences."""
    found: dict[str, str] = {}
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        for flow in scheme.get("flows", {}).values():
            found |= flow.get("scopes", {})
    return dict(sorted(found.items()))


def curl_command(operation: Operation, *, host: str) -> str:
    """
    Return the operation as a command of the shell, ready but for the variables it names.

    host   origin, such as https://energyopti.example; path parameters become $VARIABLES.
    """
    path, query = operation.path, []
    for row in operation.parameters:
        if row.place == "path":
            path = path.replace("{" + row.name + "}", f"${{{row.name.upper()}}}")
        elif row.place == "query" and row.required:
            query.append(f'  --data-urlencode "{row.name}=${{{row.name.upper()}}}"')
    parts = [f'curl -sS -X {operation.method} "{host}{path}"']
    if query:
        parts += ["  --get", *query]
    if operation.sign_in == [BROWSER]:
        parts.append('  -b "sessionid=$SESSION"')
    elif operation.sign_in:
        parts.append('  -H "Authorization: Bearer $TOKEN"')
    if any(row.name == "Idempotency-Key" for row in operation.parameters):
        parts.append('  -H "Idempotency-Key: $(uuidgen)"')
    if operation.body is not None:
        parts.append(f"  -H 'Content-Type: {operation.body.media_type}'")
        if operation.body.examples:
            parts.append(f"  --data {shlex.quote(operation.body.examples[0].text)}")
    return " \\\n".join(parts)


class _Reader:
    """Reads one document, following its references."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def operation(self, path: str, method: str, raw: Mapping[str, Any]) -> Operation:
        answers = [self._answer(status, found) for status, found in raw["responses"].items()]
        content = self._resolve(raw.get("requestBody", {})).get("content", {})
        bodies = self._bodies(content)
        security = raw.get("security", [])
        return Operation(
            id=raw["operationId"],
            tag=(raw.get("tags") or ["other"])[0],
            method=method.upper(),
            path=path,
            title=raw.get("summary") or _first_sentence(raw.get("description", "")),
            description=raw.get("description", ""),
            permission=raw.get("x-permission", ""),
            scopes=sorted({scope for way in security for found in way.values() for scope in found}),
            sign_in=sorted({name for way in security for name in way}),
            deprecated=bool(raw.get("deprecated")),
            parameters=[self._parameter(one) for one in raw.get("parameters", [])],
            body=bodies[0] if bodies else None,
            answers=sorted((one for one in answers if not one.code), key=lambda one: one.status),
            refusals=sorted((one for one in answers if one.code), key=lambda one: one.status),
            raw=raw,
        )

    def _parameter(self, raw: Mapping[str, Any]) -> Row:
        found = self._resolve(raw)
        schema = self._resolve(found.get("schema", {}))
        return Row(
            name=found["name"],
            kind=self._kind(found.get("schema", {})),
            required=bool(found.get("required")),
            description=_sentences(found.get("description", ""), *_bounds(schema)),
            place=found["in"],
        )

    def _answer(self, status: str, raw: Mapping[str, Any]) -> Answer:
        found = self._resolve(raw)
        bodies = self._bodies(found.get("content", {}))
        code = ""
        if status >= "4":
            for media in found.get("content", {}).values():
                code = str(media.get("example", {}).get("code", "")) or "problem"
        return Answer(status, found.get("description", ""), bodies, code)

    def _bodies(self, content: Mapping[str, Any]) -> list[Body]:
        return [
            Body(
                media_type=media_type,
                rows=list(self._rows(media.get("schema", {}))),
                examples=list(_examples(media)),
                description=self._resolve(media.get("schema", {})).get("description", ""),
            )
            for media_type, media in content.items()
        ]

    def _rows(self, raw: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[Row]:
        schema = self._first(raw)
        if schema.get("type") == "array" and depth < DEPTH:
            yield from self._rows(schema.get("items", {}), f"{prefix}[]", depth)
            return
        required = set(schema.get("required", []))
        for name, inner in schema.get("properties", {}).items():
            found = self._first(inner)
            place = f"{prefix}.{name}" if prefix else name
            yield Row(
                name=place,
                kind=self._kind(inner),
                required=name in required,
                description=_sentences(
                    inner.get("description") or found.get("description", ""), *_bounds(found)
                ),
            )
            if depth + 1 < DEPTH:
                yield from self._rows(inner, place, depth + 1)

    def _kind(self, raw: Mapping[str, Any]) -> str:
        schema = self._resolve(raw)
        for word in ("oneOf", "anyOf"):
            if word in schema:
                kinds = dict.fromkeys(self._kind(one) for one in schema[word])
                return " or ".join(kinds)
        if "allOf" in schema:
            return self._kind(schema["allOf"][0])
        kind = schema.get("type", "")
        if isinstance(kind, list):
            kind = " or ".join(kind)
        if kind == "array":
            return f"array of {self._kind(schema.get('items', {})) or 'anything'}"
        if not kind and "enum" in schema:
            kind = "number" if isinstance(schema["enum"][0], int | float) else "string"
        form = schema.get("format")
        return f"{kind} ({form})" if form else str(kind)

    def _first(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a schema, of alternatives the first that is one."""
        schema = self._resolve(raw)
        for word in ("oneOf", "anyOf", "allOf"):
            for one in schema.get(word, []):
                found = self._first(one)
                if found.get("type") != "null":
                    return found
        return schema

    def _resolve(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in raw:
            found: Any = self._document
            for step in raw["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            raw = found
        return raw


def _examples(media: Mapping[str, Any]) -> Iterator[Example]:
    if "example" in media:
        yield Example("Example", _pretty(media["example"]))
    for name, example in media.get("examples", {}).items():
        yield Example(example.get("summary") or name, _pretty(example.get("value")))


def _pretty(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "default": "default {}",
}


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in schema:
        yield "one of " + ", ".join(str(value) for value in schema["enum"])
    for word, sentence in _BOUNDS.items():
        if word in schema and schema[word] not in ("", None):
            yield sentence.format(schema[word])


def _sentences(description: str, *bounds: str) -> str:
    # A choice's own list of values repeats what the bounds say.
    text = " ".join(line for line in description.split("\n") if not line.startswith("* `")).strip()
    if not bounds:
        return text
    words = "; ".join(bounds)
    words = words[0].upper() + words[1:] + "."
    return f"{text} {words}" if text else words


def _first_sentence(description: str) -> str:
    return description.strip().split("\n")[0].split(". ")[0].split(": ")[0].rstrip(".")
