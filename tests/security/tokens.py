"""Ask our identity provider for tokens the way a partner does, and forge some it never made."""

import base64
import json
import time
from typing import Any

import jwt
from allauth.core.internal import jwkkit
from allauth.idp.oidc.adapter import get_adapter
from django.test import Client

TOKEN_URL = "/identity/o/api/token"
SITES_URL = "/api/v1/sample/sites/"


def request_token(web: Client, client_id: str, secret: str, **form: Any) -> Any:
    credentials = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return web.post(
        TOKEN_URL,
        {"grant_type": "client_credentials", **form},
        headers={"authorization": f"Basic {credentials}"},
    )


def access_token(web: Client, client_id: str, secret: str, **form: Any) -> str:
    answer = request_token(web, client_id, secret, **form)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["access_token"])


def call(web: Client, token: str, url: str = SITES_URL, method: str = "get") -> Any:
    return getattr(web, method)(url, headers={"authorization": f"Bearer {token}"})


def claims_of(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def signed(claims: dict[str, Any], **headers: Any) -> str:
    """Sign with our own key: what a leaked signing service, or a confused one, could make."""
    jwk, private_key = jwkkit.load_jwk_from_pem(get_adapter().get_signing_key().pem)
    return jwt.encode(
        claims, private_key, algorithm="RS256", headers={"kid": jwk["kid"], **headers}
    )


def unsigned(claims: dict[str, Any], header: dict[str, Any], signature: bytes = b"") -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    return ".".join(
        (part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature))
    )


def in_seconds(seconds: int) -> int:
    return int(time.time()) + seconds
