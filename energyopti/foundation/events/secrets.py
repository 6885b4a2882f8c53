"""Which fields of an event are secrets; their values never reach the log."""

import re
from functools import lru_cache
from typing import Any

MASK = "***"
# Short words are secrets only when they stand alone: "company" holds "pan", "secretary" "secret".
SECRET_WORDS = frozenset(
    {"authorization", "credential", "cvc", "cvv", "otp", "pan", "passcode", "pin", "pwd"}
    | {"secret", "token"}
)
# Written together in many ways (apiKey, api_key, APIKEY), and long enough to be found anywhere.
SECRET_PHRASES = (
    *("accesstoken", "apikey", "clientsecret", "passphrase", "passwd", "password", "privatekey"),
    *("recoverycode", "refreshtoken", "secretkey", "sessionkey", "signingkey"),
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


# Events repeat a few hundred names of fields.
@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Tell whether a field of this name holds a secret (a password, key, token or card number)."""
    words = [word.lower() for word in _WORD.findall(name)]
    if any(word in SECRET_WORDS or word.removesuffix("s") in SECRET_WORDS for word in words):
        return True
    joined = "".join(words)
    return any(phrase in joined for phrase in SECRET_PHRASES)


def mask_secrets(value: Any) -> Any:
    """Return the JSON value with everything under the name of a secret replaced by a mask."""
    if isinstance(value, dict):
        return {
            name: MASK if is_secret(str(name)) else mask_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask_secrets(item) for item in value]
    return value


def mask_change(field: str, before: Any, after: Any) -> dict[str, Any]:
    """Return what the log keeps of one changed field: before and after, masked if secret."""
    if is_secret(field):
        return {"before": MASK, "after": MASK}
    return {"before": mask_secrets(before), "after": mask_secrets(after)}
