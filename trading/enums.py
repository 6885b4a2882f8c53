"""Words that other apps use with trading's services."""

from enum import StrEnum

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


class QuoteQuality(models.TextChoices):
    """How a quote came about."""

    SETTLEMENT = "SETTLEMENT", "Settlement price"
    INDICATIVE = "INDICATIVE", "Indicative"
    SIMULATED = "SIMULATED", "Simulated"


class TradeStatus(StrEnum):
    """
    Where a trade is in its life. Only from LIVE on does it count in positions and results;
    PENDING waits for a second person and is reserved in limits.
    """

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    LIVE = "LIVE"
    NOVATED = "NOVATED"
    TERMINATED = "TERMINATED"
    MATURED = "MATURED"
    SETTLED = "SETTLED"
    CANCELLED = "CANCELLED"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(TRADE_STATUS_CHOICES)[self.value]


TRADE_STATUS_CHOICES = [
    ("DRAFT", "Draft"),
    ("PENDING", "Waits for release"),
    ("LIVE", "Live"),
    ("NOVATED", "Novated"),
    ("TERMINATED", "Terminated"),
    ("MATURED", "Matured"),
    ("SETTLED", "Settled"),
    ("CANCELLED", "Cancelled"),
]


class Stage(StrEnum):
    """What a position is for: one that is held, or one that only reserves limits."""

    LIVE = "LIVE"
    PENDING = "PENDING"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(STAGE_CHOICES)[self.value]


STAGE_CHOICES = [
    ("LIVE", "Held"),
    ("PENDING", "Waits for release"),
]


class Compounding(models.TextChoices):
    """How a rate over t years (ACT/365) becomes a discount factor."""

    SIMPLE = "SIMPLE", "Simple, 1 / (1 + r t)"
    ANNUAL = "ANNUAL", "Annual, (1 + r)^-t"
    CONTINUOUS = "CONTINUOUS", "Continuous, e^(-r t)"


class VolKind(models.TextChoices):
    """What a volatility multiplies."""

    LOGNORMAL = "LOGNORMAL", "Lognormal, per year"
    NORMAL = "NORMAL", "Normal, currency per unit and year"


class OptionFamily(models.TextChoices):
    """What an option is on: a forward, the difference of two, or an average of fixings."""

    VANILLA = "VANILLA", "On a forward"
    SPREAD = "SPREAD", "On the spread of two forwards"
    AVERAGE = "AVERAGE", "On an average of fixings"


class ProcessKind(models.TextChoices):
    """How a market's prices move, or how two markets' news go together."""

    SPOT_NORMAL = "SPOT_NORMAL", "Mean-reverting spot, normal"
    SPOT_LOGNORMAL = "SPOT_LOGNORMAL", "Mean-reverting spot, lognormal"
    TWO_FACTOR = "TWO_FACTOR", "Two-factor forwards, lognormal"
    CORRELATION = "CORRELATION", "Correlation of two markets"


class CalibrationBasis(models.TextChoices):
    """What a process is calibrated to: fixings for spot, contracts or volatilities for forwards."""

    FIXINGS = "FIXINGS", "History of fixings"
    QUOTES = "QUOTES", "History of quoted contracts"
    VOLATILITIES = "VOLATILITIES", "Quoted volatilities"


class PricingFormula(models.TextChoices):
    """How the forward moves; each reads volatilities of its own kind from the surface."""

    BLACK76 = "BLACK76", "Black-76, lognormal"
    BACHELIER = "BACHELIER", "Bachelier, normal"
    DISPLACED_BLACK = "DISPLACED_BLACK", "Displaced Black, lognormal of price + displacement"
