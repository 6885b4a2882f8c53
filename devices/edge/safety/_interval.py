"""An interval of power whose bounds remember who set them."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Bound:
    """One end of an interval: the power in kW and who asked for it."""

    power_kw: float
    by: str


@dataclass(frozen=True)
class PowerInterval:
    """
    The powers that are allowed, lower to upper, in kW at the meter; > 0 discharges, < 0 charges.

    Narrowing never leaves the interval: who asks for what is not inside gets the nearest end.

    :raises ValueError: for bounds that are not finite or not in order.
    """

    lower: Bound
    upper: Bound

    def __post_init__(self) -> None:
        low, high = self.lower.power_kw, self.upper.power_kw
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise ValueError(f"lower {low} kW must not be above upper {high} kW, both finite")

    @classmethod
    def between(cls, lower_kw: float, upper_kw: float, by: str) -> "PowerInterval":
        return cls(Bound(lower_kw, by), Bound(upper_kw, by))

    def clamp(self, power_kw: float) -> float:
        """Return the power inside that is nearest to the one asked for."""
        _refuse_undefined(power_kw)
        return min(max(power_kw, self.lower.power_kw), self.upper.power_kw)

    def covers(self, other: "PowerInterval") -> bool:
        return (
            self.lower.power_kw <= other.lower.power_kw
            and other.upper.power_kw <= self.upper.power_kw
        )

    def at_least(self, power_kw: float, by: str) -> "PowerInterval":
        if self.clamp(power_kw) == self.lower.power_kw:
            return self
        return replace(self, lower=Bound(self.clamp(power_kw), by))

    def at_most(self, power_kw: float, by: str) -> "PowerInterval":
        if self.clamp(power_kw) == self.upper.power_kw:
            return self
        return replace(self, upper=Bound(self.clamp(power_kw), by))

    def exactly(self, power_kw: float, by: str) -> "PowerInterval":
        nearest = Bound(self.clamp(power_kw), by)
        return PowerInterval(nearest, nearest)


def _refuse_undefined(power_kw: float) -> None:
    # min() and max() would let a NaN through or not, by the order of their arguments.
    if math.isnan(power_kw):
        raise ValueError("power_kw is not a number")
