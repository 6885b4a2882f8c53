"""What a risk run is asked to calculate: method, confidences, horizon, simulation; checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from risk.models import RunMethod

if TYPE_CHECKING:
    from risk.engine import Simulation

BATCHES = 10
MOST_PATHS = 100_000
MOST_CONFIDENCES = 4
MOST_DAYS = 20
LAWS = {"GAUSSIAN": "Gaussian", "STUDENT_T": "Student's t"}
DEFAULT_CONFIDENCES = (Decimal("0.99"), Decimal("0.975"))


class RunRefused(ValueError):
    """A run cannot be asked for like this; `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


@dataclass(frozen=True, slots=True)
class RunTerms:
    """
    How a run calculates.

    horizon_days    of the numbers; moves of a shorter span grow by the root of time
    law, degrees    of simulated moves; degrees of freedom of Student's t, above 2
    paths           all batches together; the half are mirror images of the others

    :raises RunRefused: naming the field and the rule.
    """

    method: RunMethod = RunMethod("HISTORICAL")  # noqa: RUF009 - an enum member
    confidences: tuple[Decimal, ...] = DEFAULT_CONFIDENCES
    horizon_days: int = 1
    law: str = "GAUSSIAN"
    degrees: float | None = None
    paths: int = 10_000
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.confidences) <= MOST_CONFIDENCES:
            raise RunRefused("confidences", f"from 1 to {MOST_CONFIDENCES} of them.")
        if len(set(self.confidences)) != len(self.confidences):
            raise RunRefused("confidences", "each only once.")
        for confidence in self.confidences:
            if not confidence.is_finite() or not 0 < confidence < 1:
                raise RunRefused("confidences", f"{confidence} must lie between 0 and 1.")
            if confidence % Decimal("0.00001"):
                raise RunRefused("confidences", f"{confidence} must have at most 5 decimals.")
        if not 1 <= self.horizon_days <= MOST_DAYS:
            raise RunRefused("horizon_days", f"must be from 1 to {MOST_DAYS}.")
        if self.method != RunMethod.MONTE_CARLO:
            return
        if self.law not in LAWS:
            raise RunRefused("law", f"must be one of {', '.join(LAWS)}.")
        if (self.law == "STUDENT_T") != (self.degrees is not None):
            raise RunRefused("degrees", "of freedom are of Student's t, and needed there.")
        if self.degrees is not None and not 2 < self.degrees <= 1000:
            raise RunRefused("degrees", f"{self.degrees:g} must be above 2 and at most 1000.")
        if not 1000 <= self.paths <= MOST_PATHS or self.paths % (2 * BATCHES):
            raise RunRefused("paths", f"from 1,000 to {MOST_PATHS:,}, a multiple of {2 * BATCHES}.")
        if not 0 <= self.seed < 2**31:
            raise RunRefused("seed", "must be from 0 to 2147483647.")

    def stored(self) -> dict[str, Any]:
        """Return it as a run keeps it; without what the method does not use."""
        told: dict[str, Any] = {
            "method": self.method.value,
            "confidences": [f"{c.normalize():f}" for c in self.confidences],
            "horizon_days": self.horizon_days,
        }
        if self.method == RunMethod.MONTE_CARLO:
            told |= {
                "law": self.law, "degrees": self.degrees, "paths": self.paths, "seed": self.seed,
                "batches": BATCHES,
            }  # fmt: skip
        return told

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> RunTerms:
        """Return what a run keeps."""
        given = {key: value for key, value in stored.items() if key != "batches"}
        given["method"] = RunMethod(given["method"])
        given["confidences"] = tuple(map(Decimal, given["confidences"]))
        return cls(**given)

    @property
    def simulation(self) -> Simulation:
        """Return how paths are drawn."""
        from risk.engine import Simulation

        return Simulation(paths=self.paths, batches=BATCHES, seed=self.seed, degrees=self.degrees)
