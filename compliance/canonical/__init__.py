"""
Canonical JSON (RFC 8785) and its SHA-256: one value has one hash, on every machine.

Pure. Numbers that RFC 8785 cannot carry exactly (integers beyond 2⁵³, decimals beyond float64)
become tagged strings, so that two different stored numbers never share a hash.
"""

from compliance.canonical._json import canonical_json, read_exactly, sha256_of

__all__ = ["canonical_json", "read_exactly", "sha256_of"]
