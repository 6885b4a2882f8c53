"""How a person likes the pages: theme, colors of gain and loss, single-letter keys."""

from django.conf import settings
from django.db import models


class PagePreference(models.Model):
    """One row a user, written when something is chosen that differs from the default."""

    class Theme(models.TextChoices):
        SYSTEM = "system", "As the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Palette(models.TextChoices):
        STANDARD = "standard", "Green and red"
        BLUE_ORANGE = "blue-orange", "Blue and orange"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="page_preference"
    )
    theme = models.CharField(max_length=12, choices=Theme.choices, default=Theme.SYSTEM)
    palette = models.CharField(max_length=12, choices=Palette.choices, default=Palette.STANDARD)
    single_keys = models.BooleanField(
        default=True, help_text="Single letters act as shortcuts (WCAG 2.1.4 asks for a switch)."
    )

    def __str__(self) -> str:
        return f"Page preferences of {self.user}"
