from .organizations import Membership, Organization, Site
from .users import User

__all__ = ["Membership", "Organization", "Site", "User"]
