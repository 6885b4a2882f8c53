from .clients import ApiClient
from .organizations import Membership, Organization, Site
from .ownership import OwnedQuerySet
from .users import User

__all__ = ["ApiClient", "Membership", "Organization", "OwnedQuerySet", "Site", "User"]
