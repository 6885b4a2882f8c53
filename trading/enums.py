"""Words that other apps use with trading's services."""

from django.db import models


class Flow(models.TextChoices):
    """Which register of the meter counted: both count upward, so a volume has no sign."""

    IMPORT = "IMPORT", "Taken from the grid"
    EXPORT = "EXPORT", "Fed into the grid"
