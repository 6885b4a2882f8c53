"""
Greenhouse-gas arithmetic: metered consumption × emission factor, by the GHG Protocol.

Pure. Only the location-based method of scope 2 is here; the market-based one needs certificates.
"""

from compliance.carbon._location_based import (
    CarbonError,
    Consumption,
    EmissionFactor,
    EmissionLine,
    FactorConflict,
    FactorMissing,
    Footprint,
    location_based,
)

__all__ = [
    "CarbonError",
    "Consumption",
    "EmissionFactor",
    "EmissionLine",
    "FactorConflict",
    "FactorMissing",
    "Footprint",
    "location_based",
]
