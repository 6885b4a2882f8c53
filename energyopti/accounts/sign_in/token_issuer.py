"""How our own identity provider issues tokens to partners (allauth.idp.oidc)."""

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.core.exceptions import ValidationError

from ..scopes import SCOPES


class TokenIssuer(DefaultOIDCAdapter):
    @property
    def scope_display(self) -> Mapping[str, Any]:  # type: ignore[override]
        """Return the standard scopes and those that the apps registered, each with its sentence."""
        return {**DefaultOIDCAdapter.scope_display, **dict(SCOPES.items())}

    def populate_server_metadata(self, data: dict[str, str | list[str]]) -> None:
        """Name the registered scopes in the discovery document; by default it lists OpenID's."""
        data["scopes_supported"] = [*data["scopes_supported"], *SCOPES]
        data["grant_types_supported"] = ["authorization_code", "client_credentials"]

    def populate_access_token(
        self, access_token: dict[str, Any], *, client: Any, scopes: Iterable[str], **_: Any
    ) -> None:
        """
        Give every token an audience and a subject.

        A client-credentials token has neither by default, and would open any door that trusts
        our key. Without a resource indicator the audience is our API.
        """
        access_token.setdefault("aud", [self.api_audience()])
        if client.owner_id is not None:
            access_token.setdefault("sub", str(client.owner_id))

    def validate_resource_uris(self, *, uris: list[str], **_: Any) -> None:
        audience = self.api_audience()
        for uri in uris:
            if uri != audience and not uri.startswith(audience):
                raise ValidationError(f"{uri} is not served here; resources begin with {audience}")

    def api_audience(self) -> str:
        return f"{self.get_issuer()}/api/"

    def generate_client_secret(self) -> str:
        import secrets

        return secrets.token_urlsafe(40)
