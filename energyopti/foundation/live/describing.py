"""The AsyncAPI document of the live websockets, made of their routes and consumers."""

import re
from importlib import import_module
from typing import Any

from django.conf import settings
from django.urls import URLPattern

from .consumers import (
    INBOUND_BYTES,
    INBOUND_PER_MINUTE,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    NOT_UNDERSTOOD,
    RECHECK_SECONDS,
    TOO_MANY,
    TRY_AGAIN_LATER,
    LiveConsumer,
)

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_CLOSES = {
    TRY_AGAIN_LATER: "the database does not answer; connect again",
    NOT_UNDERSTOOD: "the client sent something else than the one message there is",
    NOT_SIGNED_IN: "nobody is signed in, or no longer",
    NOT_ALLOWED: "the roles do not allow it, or what may be watched has changed",
    NOT_FOUND: "there is no such object for the user",
    TOO_MANY: f"the client sent more than {INBOUND_PER_MINUTE} messages in a minute",
}
_ENVELOPE = {
    "sequence": {"type": "integer", "description": "Rises; a frame with a lower one is old."},
    "topic": {"type": "string"},
}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of all websockets of the project."""
    routes = import_module(settings.ROOT_URLCONF).websocket_urlpatterns
    channels = {name: channel for route in routes for name, channel in [_channel(route)]}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "EnergyOpti-Pro live feeds",
            "version": settings.SPECTACULAR_SETTINGS["VERSION"],
            "description": _description(),
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "{host}", "protocol": "wss", "variables": {"host": {}}}},
        "channels": channels,
        "operations": {
            f"{direction}_{name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [
                    {"$ref": f"#/channels/{name}/messages/{message}"} for message in messages
                ],
            }
            for name in channels
            for direction, action, messages in (
                ("frames_of", "send", ("frame", "feed")),
                ("ask", "receive", ("ask",)),
            )
        },
    }


def _channel(route: URLPattern) -> tuple[str, dict[str, Any]]:
    consumer: type[LiveConsumer] = route.callback.consumer_class
    path = str(route.pattern)
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", consumer.__name__.removesuffix("Consumer")).lower()
    frame = {
        "type": "object",
        "required": ["sequence", "topic", *consumer.frame["required"]],
        "properties": {**_ENVELOPE, **consumer.frame["properties"]},
    }
    return name, {
        "address": "/" + _PARAMETER.sub(r"{\2}", path),
        "description": (consumer.__doc__ or "").strip(),
        "parameters": {
            found: {"description": f"a {kind or 'text'}"}
            for kind, found in _PARAMETER.findall(path)
        },
        "messages": {
            "frame": {"summary": "The whole state of a topic", "payload": frame},
            "feed": {
                "summary": "Whether frames come at all; poll while it is down",
                "payload": {
                    "type": "object",
                    "required": ["feed"],
                    "properties": {"feed": {"enum": ["up", "down"]}},
                },
            },
            "ask": {
                "summary": "Have the snapshots sent again",
                "payload": {
                    "type": "object",
                    "required": ["action"],
                    "properties": {"action": {"const": "snapshot"}},
                    "additionalProperties": False,
                },
            },
        },
    }


def _description() -> str:
    closes = "; ".join(f"{code}: {why}" for code, why in sorted(_CLOSES.items()))
    return (
        "Sign in as on the site: the session's cookie goes with the handshake. The snapshot of "
        "each topic comes first, then its newest state after each change: who reads slowly gets "
        "the latest and not all. After `feed: up` the snapshots come again, with numbers of their "
        f"own. Grants are checked again every {RECHECK_SECONDS:.0f} s. A message of a client has "
        f"at most {INBOUND_BYTES} bytes. Codes that a socket is closed with: {closes}."
    )
