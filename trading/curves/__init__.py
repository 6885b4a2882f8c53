"""
Market curves: forward prices from overlapping quotes, discount factors, FX, volatilities.

Pure. `build_curve` makes a `ForwardCurve` of base load. `bootstrap` takes quotes of any load and
makes one price a cell (segment × load), `shape_curve` makes that a price a day, hour or quarter
hour; both stay linear in the quotes, so risk can work on quotes. Axis order of matrices:
delivery (segment, cell or period), quote.
"""

from trading.curves._bands import BandedCurve, bootstrap_within_bands
from trading.curves._bootstrap import METHOD, METHOD_VERSION, bootstrap, build_curve
from trading.curves._cells import Cells
from trading.curves._contracts import contract_code, contract_interval, contract_period
from trading.curves._curve import ForwardCurve, LoadCurve
from trading.curves._discount import Compounding, DiscountCurve
from trading.curves._fx import FxForwardCurve, cross, triangle_gap
from trading.curves._grids import DeliveryGrid, day_of_week_factors
from trading.curves._loads import LoadHours
from trading.curves._measures import Weighting
from trading.curves._premiums import SpreadRule
from trading.curves._profiles import DayKinds, ShapeKind, SpotProfile, learn_profile
from trading.curves._quotes import (
    BASE,
    CurveDoesNotCover,
    CurveError,
    CurveQuote,
    HedgeLeg,
    LeftOut,
    QuoteQuality,
)
from trading.curves._shaping import ShapedCurve, Smoothing, delivery_grid, shape_curve
from trading.curves._spline import SplineEnd
from trading.curves._vols import CalendarArbitrage, VolAxis, VolKind, VolSlice, VolSurface

__all__ = [
    "BASE",
    "METHOD",
    "METHOD_VERSION",
    "BandedCurve",
    "CalendarArbitrage",
    "Cells",
    "Compounding",
    "CurveDoesNotCover",
    "CurveError",
    "CurveQuote",
    "DayKinds",
    "DeliveryGrid",
    "DiscountCurve",
    "ForwardCurve",
    "FxForwardCurve",
    "HedgeLeg",
    "LeftOut",
    "LoadCurve",
    "LoadHours",
    "QuoteQuality",
    "ShapeKind",
    "ShapedCurve",
    "Smoothing",
    "SplineEnd",
    "SpotProfile",
    "SpreadRule",
    "VolAxis",
    "VolKind",
    "VolSlice",
    "VolSurface",
    "Weighting",
    "bootstrap",
    "bootstrap_within_bands",
    "build_curve",
    "contract_code",
    "contract_interval",
    "contract_period",
    "cross",
    "day_of_week_factors",
    "delivery_grid",
    "learn_profile",
    "shape_curve",
    "triangle_gap",
]
