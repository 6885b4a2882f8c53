"""Tokens that must not open the API (rows 5 and 7 of the attack list), and those that must."""

import hashlib
import hmac
import json
from datetime import timedelta

import jwt
import pytest
from allauth.core.internal import jwkkit
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client as ProviderClient
from allauth.idp.oidc.models import Token
from cryptography.hazmat.primitives import serialization
from django.test import Client
from django.utils import timezone

from energyopti.accounts.models import ApiClient, User
from energyopti.accounts.scopes import SCOPES
from tests.factories.accounts import make_key, make_organization, make_user
from tests.security.tokens import (
    SITES_URL,
    access_token,
    call,
    claims_of,
    in_seconds,
    request_token,
    signed,
    unsigned,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.security.api_sample")]


@pytest.fixture(autouse=True)
def operating_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCOPES._entries, "sites:operate", "Operate your sites")


@pytest.fixture
def web() -> Client:
    return Client()


@pytest.fixture
def key() -> tuple[ApiClient, str]:
    return make_key("organizations:read")


@pytest.fixture
def token(web: Client, key: tuple[ApiClient, str]) -> str:
    return access_token(web, key[0].client_id, key[1])


def refused(answer) -> bool:
    return answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_token_acts_as_the_service_user_of_its_key(web, key, token) -> None:
    answer = call(web, token)

    assert answer.status_code == 200
    client = key[0]
    assert answer.json() == {
        "actor": f"user:{client.service_user_id}",
        "organizations": [str(client.organization_id)],
    }


def test_token_carries_issuer_audience_subject_and_scope(token, key) -> None:
    claims = claims_of(token)

    assert claims["iss"] == "http://testserver"
    assert claims["aud"] == ["http://testserver/api/"]
    assert claims["sub"] == str(key[0].service_user_id)
    assert claims["scope"] == "organizations:read"
    assert claims["exp"] - claims["iat"] == 900


def test_stranger_is_challenged(web) -> None:
    answer = web.get(SITES_URL)

    assert refused(answer)
    assert "error=" not in answer.headers["WWW-Authenticate"]


def test_algorithm_none_is_refused(web, token) -> None:
    claims = claims_of(token)
    kid = jwt.get_unverified_header(token)["kid"]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        forged = unsigned(claims, {"alg": algorithm, "typ": "JWT", "kid": kid})
        assert refused(call(web, forged)), algorithm


def test_public_key_as_hmac_secret_is_refused(web, token) -> None:
    _, private_key = jwkkit.load_jwk_from_pem(get_adapter().get_signing_key().pem)
    public_pem = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "typ": "JWT", "kid": jwt.get_unverified_header(token)["kid"]}
    unsigned_part = unsigned(claims_of(token), header).rpartition(".")[0]
    signature = hmac.new(public_pem, unsigned_part.encode(), hashlib.sha256).digest()

    assert refused(call(web, unsigned(claims_of(token), header, signature)))


@pytest.mark.parametrize(
    "change",
    [
        {"exp": in_seconds(-60)},
        {"nbf": in_seconds(600)},
        {"iss": "https://evil.example"},
        {"aud": ["https://evil.example/api/"]},
        {"aud": ["http://testserver/elsewhere/"]},
        {"aud": []},
        {"token_use": "id"},
        {"client_id": "somebody-else"},
        {"jti": "another"},
    ],
    ids=lambda change: "-".join(f"{k}" for k in change),
)
def test_changed_claim_is_refused_even_with_our_signature(web, token, change) -> None:
    assert refused(call(web, signed({**claims_of(token), **change})))


@pytest.mark.parametrize("missing", ["exp", "iss", "aud", "token_use", "client_id"])
def test_missing_claim_is_refused(web, token, missing) -> None:
    claims = claims_of(token)
    del claims[missing]

    assert refused(call(web, signed(claims)))


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "http://evil.example/k", "", 7]
)
def test_key_id_is_looked_up_in_our_list_only(web, token, kid) -> None:
    header = {"alg": "RS256", "typ": "JWT", "kid": kid}

    assert refused(call(web, unsigned(claims_of(token), header, b"x" * 256)))


def test_id_token_is_no_access_token(web, key) -> None:
    client = key[0]
    id_token = signed(
        {
            "iss": "http://testserver",
            "aud": client.client_id,
            "sub": str(client.service_user_id),
            "iat": in_seconds(0),
            "exp": in_seconds(300),
        }
    )

    assert refused(call(web, id_token))


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer ey.ey.ey",
        "Bearer \xff\xfe",
        "Bearer " + "x" * 9000,
    ],
)
def test_malformed_header_is_refused(web, header) -> None:
    assert refused(web.get(SITES_URL, headers={"authorization": header}))


def test_bad_token_is_not_rescued_by_a_session(web, token) -> None:
    web.force_login(make_user(organization=make_organization()))

    assert refused(call(web, token[:-4] + "AAAA"))


def test_token_in_the_query_string_is_ignored(web, token) -> None:
    assert refused(web.get(SITES_URL, {"access_token": token}))


def test_deleting_the_row_ends_the_token_at_once(web, token) -> None:
    Token.objects.all().delete()

    assert refused(call(web, token))


def test_expired_row_ends_the_token_although_its_claim_does_not(web, token) -> None:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert refused(call(web, token))


def test_client_without_owner_is_refused(web, token) -> None:
    ProviderClient.objects.update(owner=None)

    assert refused(call(web, token))


def test_inactive_owner_is_refused(web, key, token) -> None:
    User.objects.filter(pk=key[0].service_user_id).update(is_active=False)

    assert refused(call(web, token))


def test_owner_who_is_a_person_is_refused(web, token) -> None:
    ProviderClient.objects.update(owner=make_user(organization=make_organization()))

    assert refused(call(web, token))


def test_scope_is_needed_beside_the_permission(web, token) -> None:
    answer = call(web, token, method="post")

    # Partner lacks the permission as well; either answer is 403.
    assert answer.status_code == 403


def test_token_that_may_read_may_not_write(web, key) -> None:
    client, secret = make_key("organizations:read", "sites:operate")
    from django.contrib.auth.models import Group

    client.service_user.groups.add(Group.objects.get(name="Device Operator"))
    narrow = access_token(web, client.client_id, secret, scope="organizations:read")
    wide = access_token(web, client.client_id, secret, scope="organizations:read sites:operate")

    assert call(web, narrow, method="post").status_code == 403
    assert json.loads(call(web, narrow, method="post").content)["code"] == "insufficient_scope"
    assert call(web, wide, method="post").status_code == 201


def test_unlisted_scope_is_not_issued(web, key) -> None:
    answer = request_token(web, key[0].client_id, key[1], scope="organizations:read sites:operate")

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


def test_wrong_secret_gets_no_token(web, key) -> None:
    answer = request_token(web, key[0].client_id, "wrong")

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit"])
def test_key_has_no_other_grant_than_client_credentials(web, key, grant) -> None:
    answer = request_token(web, key[0].client_id, key[1], grant_type=grant, username="a", code="b")

    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()


def test_resource_of_somebody_else_is_no_audience(web, key) -> None:
    for resource in ("https://evil.example/api/", "http://testserver.evil.example/api/"):
        answer = request_token(web, key[0].client_id, key[1], resource=resource)
        assert answer.status_code == 400, resource
        assert answer.json()["error"] == "invalid_target"


@pytest.mark.parametrize("resource", ["foo", "http://", "/api/", "http://testserver/api/../x", "#"])
def test_malformed_resource_is_a_bad_request_not_a_failure(web, key, resource) -> None:
    answer = request_token(web, key[0].client_id, key[1], resource=resource)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_target"


def test_nul_in_the_client_id_is_a_bad_request(web) -> None:
    answer = web.post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials", "client_id": "a\x00b", "client_secret": "x"},
    )

    assert answer.status_code == 400


def test_nul_in_basic_credentials_is_refused(web) -> None:
    assert request_token(web, "a\x00b", "x").status_code in {400, 401}


def test_guessing_secrets_is_slowed_down_whatever_the_forwarded_address(web, key) -> None:
    import base64

    wrong = base64.b64encode(f"{key[0].client_id}:wrong".encode()).decode()
    answers = [
        web.post(
            "/identity/o/api/token",
            {"grant_type": "client_credentials"},
            headers={"authorization": f"Basic {wrong}", "x-forwarded-for": f"198.51.100.{n}"},
            REMOTE_ADDR="203.0.113.77",
        ).status_code
        for n in range(25)
    ]

    assert answers[:20] == [401] * 20
    assert set(answers[20:]) == {429}


def test_narrower_resource_opens_only_what_lies_inside(web, key) -> None:
    inside = access_token(
        web, key[0].client_id, key[1], resource="http://testserver/api/v1/sample/sites"
    )

    assert call(web, inside).status_code == 200
    assert refused(call(web, inside, url="/api/v1/sample/me/"))


def test_view_that_declares_nothing_is_closed(web, token) -> None:
    assert call(web, token, url="/api/v1/sample/forgotten/").status_code == 403
    web.force_login(make_user(organization=make_organization()))
    assert web.get("/api/v1/sample/forgotten/").status_code == 403


def test_view_without_scope_is_closed_to_tokens_but_not_to_people(web, token) -> None:
    from energyopti.accounts.roles import Role

    assert call(web, token, url="/api/v1/sample/no-tokens/").status_code == 403
    web.force_login(make_user(Role.TRADER, organization=make_organization()))
    assert web.get("/api/v1/sample/no-tokens/").status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_other_methods_are_405(web, token, method) -> None:
    assert call(web, token, method=method).status_code == 405


@pytest.mark.parametrize("method", ["head", "options"])
def test_head_and_options_need_what_get_needs(web, method) -> None:
    web.force_login(make_user(organization=make_organization()))  # no role

    assert getattr(web, method)(SITES_URL).status_code in {403, 405}


def test_method_override_header_changes_nothing(web, token) -> None:
    answer = web.get(
        SITES_URL,
        headers={"authorization": f"Bearer {token}", "x-http-method-override": "POST"},
    )

    assert answer.status_code == 200
    assert "done" not in answer.json()


def test_discovery_lists_our_scopes_and_our_key(web) -> None:
    discovery = web.get("/.well-known/openid-configuration").json()
    keys = web.get("/.well-known/jwks.json").json()["keys"]

    assert {"openid", "organizations:read", "sites:operate"} <= set(discovery["scopes_supported"])
    assert discovery["token_endpoint"] == "http://testserver/identity/o/api/token"
    assert "introspection_endpoint" not in discovery
    assert "registration_endpoint" not in discovery
    assert len(keys) == 1
    assert not {"d", "p", "q"} & keys[0].keys()


@pytest.mark.parametrize("path", ["/identity/o/api/clients", "/identity/o/api/introspect"])
def test_registration_and_introspection_are_off(web, path) -> None:
    assert web.post(path, {}).status_code == 404
