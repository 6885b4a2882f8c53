"""
The kinds of container on which access can be granted: organization, site, and trading's book.

A container is where object permission lives; the thousands of rows inside are filtered by the ids
of the containers, resolved once per request, and never carry permissions of their own.
"""

from dataclasses import dataclass

from energyopti.foundation.registry import Registry


@dataclass(frozen=True)
class Grantable:
    """
    A kind of container.

    model               "app.Model" with a primary key of its own.
    organization_path   from a row to its organization's id ("id" for the organization itself).
    levels              what may be granted on it: level → permission, the first being "view".
    open_to_members     True where belonging to the organization is enough to see the container
                        (sites); False where a member needs a grant (books, because two desks of
                        one company must not see each other).
    everywhere          permission of roles that see every container of their organizations.
    """

    model: str
    organization_path: str
    levels: dict[str, str]
    open_to_members: bool
    everywhere: str = ""


GRANTABLE: Registry[Grantable] = Registry("grantable containers")


def register_account_containers() -> None:
    """Declare the two kinds that are accounts' own; trading registers "book" beside them."""
    if "organization" in GRANTABLE:
        return
    GRANTABLE.register(
        "organization",
        Grantable(
            model="accounts.Organization",
            organization_path="id",
            levels={"view": "accounts.view_organization"},
            open_to_members=True,
        ),
    )
    GRANTABLE.register(
        "site",
        Grantable(
            model="accounts.Site",
            organization_path="organization_id",
            levels={"view": "accounts.view_site", "operate": "accounts.operate_site"},
            open_to_members=True,
        ),
    )
