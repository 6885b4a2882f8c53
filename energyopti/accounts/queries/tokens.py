"""Read an access token: signature, life, purpose, audience, client and owner, in that order."""

from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.internal.tokens import decode_jwt_token
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
    # Checks the key id against our own list, RS256 and no other algorithm, iss, exp, nbf and iat.
    claims = decode_jwt_token(value, verify_exp=True, verify_iss=True)
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
