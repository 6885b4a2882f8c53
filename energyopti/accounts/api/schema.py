"""How partners sign in, for the OpenAPI document."""

from typing import Any

from django.urls import reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "energyopti.accounts.api.authentication.BearerAuthentication"
    name = "partner"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "oauth2",
            "description": "Client credentials of an API key; each operation names its scope.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": reverse("idp:oidc:token"),
                    "scopes": _scopes(),
                }
            },
        }


def _scopes() -> dict[str, str]:
    from ..scopes import SCOPES

    return dict(SCOPES.items())
