"""
The roles of the product (DESIGN §8). A role is a group; what it may do is said by each app.

An app calls `grant_to_roles` in its `ready()`; `migrate` writes the sum into the groups.
"""

from enum import StrEnum


class Role(StrEnum):
    """Names of the groups, as people see them."""

    TRADER = "Trader"
    RISK_OFFICER = "Risk Officer"
    ENERGY_MANAGER = "Energy Manager"
    UTILITY_OPERATOR = "Utility Operator"
    ESG_OFFICER = "ESG Officer"
    COMPLIANCE_OFFICER = "Compliance Officer"
    DEVICE_OPERATOR = "Device Operator"
    PARTNER = "Partner"
    SUPPORT_AGENT = "Support Agent"
    ADMIN = "Admin"


_granted: dict[Role, set[str]] = {role: set() for role in Role}


def grant_to_roles(permission: str, *roles: Role) -> None:
    """
    Let each of the roles hold a permission ("trading.capture_trade"); Admin holds every one.

    The permission must exist (a model's default or `Meta.permissions`) when `migrate` has run.
    """
    for role in {*roles, Role.ADMIN}:
        _granted[role].add(permission)


def permissions_of(role: Role) -> frozenset[str]:
    """Return the permissions that the apps granted to a role."""
    return frozenset(_granted[role])
