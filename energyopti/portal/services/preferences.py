"""Change how a person likes the pages."""

from energyopti.accounts.actors import Actor

from ..models import PagePreference


class PreferenceUnknown(ValueError):
    """A value that is none of the choices."""


def choose_preferences(
    *, actor: Actor, theme: str, palette: str, single_keys: bool
) -> PagePreference:
    """
    Keep a person's choices; no event, as this is nobody else's business.

    :raises PreferenceUnknown: naming the field and its choices.
    """
    if actor.user is None:
        raise PreferenceUnknown("actor: only a person has page preferences")
    for field, value, choices in (
        ("theme", theme, PagePreference.Theme.values),
        ("palette", palette, PagePreference.Palette.values),
    ):
        if value not in choices:
            raise PreferenceUnknown(f"{field}: “{value}” is none of {', '.join(choices)}")
    preference, _ = PagePreference.objects.update_or_create(
        user=actor.user,
        defaults={"theme": theme, "palette": palette, "single_keys": single_keys},
    )
    return preference
