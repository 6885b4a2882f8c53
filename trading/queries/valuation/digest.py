"""The hash of what a run was told, in one form."""

import hashlib
import json
from typing import Any


def digest_of(content: Any) -> str:
    """Return the SHA-256 of what JSON can say, in one form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
