"""Words that other apps use with trading's services."""

from django.db import models


class Flow(models.TextChoices):
    """Which register of the meter counted: both count upward, so a volume has no sign."""

    IMPORT = "IMPORT", "Taken from the grid"
    EXPORT = "EXPORT", "Fed into the grid"


# An asset under this prefix is a battery's own meter: what the fleet's operator moved with it is
# not what the site consumed. Other assets are the site's meters.
BATTERY_METER = "device:"
