"""Read an access token: signature, life, purpose, audience, client and owner, in that order."""

from functools import lru_cache
from typing import Any

from allauth.core.internal import jwkkit
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.models import Token

from ..models import User


class TokenRefused(ValueError):
    """A bearer token does not open this door; the message says why, without quoting it."""


def read_access_token(*, value: str, resource: str) -> tuple[User, Token]:
    """
    Return the service user that a token speaks for, and the token's row with its scopes.

    The signature alone is not enough: the row must still exist, so that revoking a key takes
    effect at once, and the token must have been issued as an access token for this resource.

    resource    absolute address being called; must lie within the token's audience.

    :raises TokenRefused: naming the rule that failed.
    """
    claims = _verified_claims(value)
    if claims is None:
        raise TokenRefused("The token is not valid or has expired.")
    if claims.get("token_use") != "access":
        raise TokenRefused("This is not an access token.")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not audiences or not is_resources_subset([resource], audiences):
        raise TokenRefused("The token was issued for another audience.")
    token: Token | None = (
        Token.objects.filter(client_id=claims.get("client_id"))
        .select_related("client__owner")
        .lookup(Token.Type.ACCESS_TOKEN, value)
    )
    if token is None:
        raise TokenRefused("The token has been revoked.")
    # A client-credentials request has no user of its own: the client's owner is who acts.
    owner = token.client.owner
    if owner is None or not owner.is_active or not owner.is_service:
        raise TokenRefused("The token's client has no active service user.")
    return owner, token


def _verified_claims(value: str) -> dict[str, Any] | None:
    """
    Return the claims of a token that one of our keys signed and whose time is now, else None.

    The key id is compared with our own keys, never used to look anything up; RS256 is the only
    algorithm. allauth's own check parses the private key anew for each request (40 ms).
    """
    import jwt

    adapter = get_adapter()
    try:
        key_id = jwt.get_unverified_header(value).get("kid")
        for key in adapter.list_private_keys(is_active=True):
            known_id, public_key = _public_key(key.pem)
            if key_id == known_id:
                return dict(
                    jwt.decode(
                        value,
                        public_key,
                        algorithms=["RS256"],
                        issuer=adapter.get_issuer(),
                        options={"require": ["exp", "iat", "iss"], "verify_aud": False},
                    )
                )
    except jwt.PyJWTError:
        return None
    return None


@lru_cache(maxsize=8)
def _public_key(pem: str) -> tuple[str, Any]:
    jwk, private_key = jwkkit.load_jwk_from_pem(pem)
    return jwk["kid"], private_key.public_key()
