"""The RSA key that signs partner tokens: from the environment, or made once on this machine."""

import os
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=4)
def local_signing_key(path: Path) -> str:
    """
    Return the PEM in the file, making the key on first use; for developers and the demo.

    Whoever creates the file first wins, so that two processes that start together agree. Only
    its owner can read it.
    """
    try:
        return path.read_text()
    except FileNotFoundError:
        pem = _new_key()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(pem)
    try:
        os.link(draft, path)  # fails where another process was faster; never half a file
    except FileExistsError:
        return path.read_text()
    finally:
        draft.unlink()
    return pem


def _new_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
