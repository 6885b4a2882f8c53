"""REST of the complete view: contracts, trades, positions, risk and compliance in one call."""

from typing import ClassVar

from allauth.idp.oidc.models import Token
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.api.permissions import SIGNED_IN
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.serializers import StrictSerializer
from energyopti.foundation.api.views import ApiView

from ..queries.complete import complete_view
from .outputs import COMPLETE, CompleteOutput


class NothingAsked(StrictSerializer):
    """The view takes no parameters."""


class CompleteView(ApiView):
    """All that the caller may see of its desk."""

    permissions: ClassVar[dict[str, str]] = {"GET": SIGNED_IN}
    scopes: ClassVar[dict[str, str]] = {"GET": "me:read"}

    @extend_schema(
        description=(
            "Return contracts, trades, positions, risk and compliance of the caller at once. A "
            "section that the roles (of a token: its scopes too) do not show is absent and named "
            "in `not_permitted`."
        ),
        responses=CompleteOutput,
        examples=[COMPLETE],
    )
    def get(self, request: Request) -> Response:
        """Return every section that the caller may see."""
        self.query_of(NothingAsked)
        token = request.auth if isinstance(request.auth, Token) else None
        found = complete_view(
            actor_of(request._request),
            now=clock.now(),
            scopes=None if token is None else frozenset(token.get_scopes()),
        )
        return Response(CompleteOutput(found).data)
