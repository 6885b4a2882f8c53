"""Who a partner's bearer token speaks for: the service user of an API client."""

from allauth.idp.oidc.contrib.rest_framework.authentication import TokenAuthentication
from allauth.idp.oidc.models import Token
from django.utils import timezone
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from ..models import User
from ..queries.tokens import TokenRefused, read_access_token
from ..services.clients import note_use


class BearerAuthentication(TokenAuthentication):
    """
    Accept our own access tokens in `Authorization: Bearer`, and nothing that merely looks like one.

    Stands first in the list of authenticators, because DRF asks the first one what to answer a
    stranger: with a challenge the answer is 401, without it 403. A bad token is refused at once
    instead of trying the session cookie next.
    """

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise InvalidToken("The header is not “Authorization: Bearer <token>”.")
        try:
            user, token = read_access_token(
                value=words[1].decode("ascii"),
                resource=request.build_absolute_uri(request.path),
            )
        except UnicodeDecodeError as error:
            raise InvalidToken("The token has characters that no token has.") from error
        except TokenRefused as refusal:
            raise InvalidToken(str(refusal)) from refusal
        note_use(client_id=token.client_id, used_at=timezone.now())
        return user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that goes with a 401 (RFC 6750 §3)."""
        challenge = f'{self.keyword} realm="energyopti"'
        if get_authorization_header(request):
            challenge += ', error="invalid_token"'
        return challenge


class InvalidToken(AuthenticationFailed):
    """401 with the code that RFC 6750 gives it."""

    default_code = "invalid_token"
