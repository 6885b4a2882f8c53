"""How our own identity provider issues tokens to partners (allauth.idp.oidc)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from django.conf import settings
from django.core.exceptions import ValidationError

from ..scopes import SCOPES
from .signing_key import local_signing_key

if TYPE_CHECKING:  # allauth's models load this module to make their defaults
    from allauth.idp.oidc.models import PrivateKey


class TokenIssuer(DefaultOIDCAdapter):
    @property
    def scope_display(self) -> Mapping[str, Any]:
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

    def list_private_keys(self, **filters: Any) -> list[PrivateKey]:
        """Return the keys of the settings; without any, the key file of this machine."""
        from allauth.idp.oidc.models import PrivateKey

        keys: list[PrivateKey] = super().list_private_keys(**filters)
        if not keys and settings.IDP_OIDC_KEY_FILE:
            keys = [PrivateKey(pem=local_signing_key(Path(settings.IDP_OIDC_KEY_FILE)))]
        return keys

    def validate_resource_uris(self, *, uris: list[str], **_: Any) -> None:
        audience = self.api_audience()
        for uri in uris:
            if uri != audience and not uri.startswith(audience):
                raise ValidationError(f"{uri} is not served here; resources begin with {audience}")

    def api_audience(self) -> str:
        return f"{self.get_issuer()}/api/"

    def generate_client_secret(self) -> str:
        return secrets.token_urlsafe(40)
