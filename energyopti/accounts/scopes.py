"""
What a partner's token may ask for. Apps register their scopes in `ready()`.

A scope is "<subject>:<verb>" ("trades:read"). It narrows what the service user's role may do and
never adds to it: a call needs both the scope and the permission.
"""

import re

from energyopti.foundation.registry import Registry

SCOPES: Registry[str] = Registry("API scopes")
_FORM = re.compile(r"[a-z][a-z0-9_]*:[a-z][a-z_]*")


def register_scope(name: str, description: str) -> None:
    """
    Add a scope that partners may be given, with the sentence that people see beside it.

    :raises ValueError: if the name is not "<subject>:<verb>" in lower case.
    """
    if not _FORM.fullmatch(name):
        raise ValueError(f"scope {name!r} is not of the form subject:verb in lower case")
    if name not in SCOPES:
        SCOPES.register(name, description)
