"""Words that other apps use with trading's services."""

from django.db import models


class Flow(models.TextChoices):
    """Which register of the meter counted: both count upward, so a volume has no sign."""

    IMPORT = "IMPORT", "Taken from the grid"
    EXPORT = "EXPORT", "Fed into the grid"


class MeteringPointKind(models.TextChoices):
    """
    What a register measures, by where its meter sits.

    CONNECTION_POINT    all that crosses between a site and the grid; loads and storage behind it
                        are contained in it
    LOAD                what a site's loads took, without its storage
    STORAGE             what storage alone took and gave: a dedicated measurement device

    Words of the harmonised electricity market role model (ENTSO-E, EFET, ebIX), in which a
    metering point is where energy is measured or computed, and of Regulation (EU) 2019/943
    as amended by (EU) 2024/1747 (dedicated measurement device).
    """

    CONNECTION_POINT = "CONNECTION_POINT", "Grid connection of the site"
    LOAD = "LOAD", "Loads of the site, without storage"
    STORAGE = "STORAGE", "Storage"
