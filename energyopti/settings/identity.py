"""
Settings of sign-in, of the partner tokens and of what is logged about either.

A part of `base`; COMPLIANCE notes and `docs/identity.md` say why each is as it is.
"""

import environ

env = environ.Env()

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# --- guardian: object permission on containers; no anonymous user row, no methods patched in.
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None

# --- allauth: people are invited, sign in by e-mail, and nobody learns who has an account.
ACCOUNT_ADAPTER = "energyopti.accounts.sign_in.account.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_DEFAULT_HTTP_PROTOCOL = env("PUBLIC_SCHEME", default="http")
ACCOUNT_RATE_LIMITS = {
    "login": "20/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "10/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
# X-Forwarded-For is the client's own word unless this many proxies of ours stand before us.
ALLAUTH_TRUSTED_PROXY_COUNT: int = env.int("API_TRUSTED_PROXY_COUNT", default=0)

# --- second factors
MFA_ADAPTER = "energyopti.accounts.sign_in.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TOTP_ISSUER = "EnergyOpti-Pro"
# One window of 30 s: a code that is counted as used stays used for as long as it is valid.
MFA_TOTP_TOLERANCE = 0
MFA_RECOVERY_CODES_SHOW_ONCE = True
# The demo and the tests empty this; a role named here cannot work without a second factor.
MFA_REQUIRED_ROLES: list[str] = env.list("MFA_REQUIRED_ROLES", default=["Admin", "Risk Officer"])

USERSESSIONS_TRACK_ACTIVITY = True
HEADLESS_CLIENTS = ("app", "browser")

# --- single sign-on: lists of providers as JSON, see docs/identity.md; more may be in the admin.
SOCIALACCOUNT_ADAPTER = "energyopti.accounts.sign_in.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"APPS": env.json("OIDC_PROVIDERS", default=[])},
    "saml": {"APPS": env.json("SAML_PROVIDERS", default=[])},
}

# --- our own identity provider, for partners: client credentials → a JWT for 15 minutes.
IDP_OIDC_ADAPTER = "energyopti.accounts.sign_in.token_issuer.TokenIssuer"
IDP_OIDC_PRIVATE_KEY: str = env("IDP_OIDC_PRIVATE_KEY", default="").replace("\\n", "\n")
# Where there is no key in the environment, one is made in this file; production insists on the key.
IDP_OIDC_KEY_FILE: str = env("IDP_OIDC_KEY_FILE", default="")
IDP_OIDC_ACCESS_TOKEN_FORMAT = "jwt"  # noqa: S105  the format, not a token
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 900
IDP_OIDC_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
# Dynamic registration and introspection stay off: nobody needs them here.
IDP_OIDC_DCR_ENABLED = False
IDP_OIDC_INTROSPECTION_ENABLED = False
