"""Second factors: secrets encrypted at rest, and who may not do without one."""

import base64
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied

from ..models import User


class SecondFactorAdapter(DefaultMFAAdapter):
    """Store TOTP secrets and recovery seeds encrypted, under a key derived from SECRET_KEY."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode("ascii")).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        """The last factor of somebody who must have one can be replaced, not removed."""
        if not must_have_second_factor(authenticator.user):
            return True
        others = (
            type(authenticator).objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        )
        return others.exclude(type=type(authenticator).Type.RECOVERY_CODES).exists()


def must_have_second_factor(user: User) -> bool:
    """Tell whether one of the user's roles is among MFA_REQUIRED_ROLES."""
    if not settings.MFA_REQUIRED_ROLES or user.is_service:
        return False
    if user.is_superuser:
        return True
    return user.groups.filter(name__in=settings.MFA_REQUIRED_ROLES).exists()


def has_second_factor(user: User) -> bool:
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(user))


class SecondFactorMissing(PermissionDenied):
    """The role needs a second factor and the user has none yet; the API answers 403."""

    def __init__(self) -> None:
        super().__init__("Your role needs a second factor: set one up under Settings → Security.")


def _cipher() -> Any:
    from cryptography.fernet import Fernet, MultiFernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    def derived(secret: str) -> Fernet:
        key = HKDF(SHA256(), 32, salt=None, info=b"energyopti second factors")
        return Fernet(base64.urlsafe_b64encode(key.derive(secret.encode())))

    # After a change of SECRET_KEY the former one, in SECRET_KEY_FALLBACKS, still opens old rows.
    return MultiFernet(
        [derived(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    )
