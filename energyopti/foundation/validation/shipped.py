"""The reference cases that come with the product: each app names its own files of them."""

from pathlib import Path

from energyopti.foundation.registry import Registry

SHIPPED: Registry[Path] = Registry("shipped reference cases")


def ship_cases(name: str, path: Path) -> None:
    """Add a file of cases, in the format of `cases.read_cases`; twice the same changes nothing."""
    if name not in SHIPPED:
        SHIPPED.register(name, path)
