"""What the pages need to know about a person's taste: from the session, at first from the table."""

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

from ..models import PagePreference

SESSION_KEY = "page_preference"


@dataclass(frozen=True)
class Preferences:
    """Values of `PagePreference`, or its defaults for a stranger."""

    theme: str = "system"
    palette: str = "standard"
    single_keys: bool = True


def preferences_of(request: HttpRequest) -> Preferences:
    """
    Return the preferences of whoever asks.

    One query in the first request of a session, none after it.
    """
    session: Any = getattr(request, "session", None)
    user: Any = getattr(request, "user", None)
    if session is None or user is None or not user.is_authenticated:
        return Preferences()
    remembered = session.get(SESSION_KEY)
    if remembered is None:
        row = PagePreference.objects.filter(user=user).first()
        preferences = Preferences(row.theme, row.palette, row.single_keys) if row else Preferences()
        session[SESSION_KEY] = asdict(preferences)
        return preferences
    return Preferences(**remembered)
