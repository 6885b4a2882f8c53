"""Which code a stored result was computed by: stands beside its hash, never in it."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def code_version() -> str:
    """Return the installed version of the product, and of NumPy, which does the arithmetic."""
    try:
        own = version("energyopti-pro")
    except PackageNotFoundError:
        own = "source"
    return f"{own} numpy {version('numpy')}"
