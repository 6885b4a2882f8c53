"""How long to wait after a failure: twice as long each time, with jitter so a fleet spreads."""

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Seconds between `first` and `longest`; `dice` are handed in so that tests can seed it."""

    first: float = 0.5
    longest: float = 30.0
    dice: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next(self) -> float:
        """Count a failure and return the seconds to wait: half to all of the doubled time."""
        ceiling: float = min(self.longest, self.first * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return ceiling * (0.5 + self.dice.random() / 2)

    def spread(self, seconds: float) -> float:
        """Return about as many seconds, so that what started together drifts apart."""
        return seconds * (0.9 + 0.2 * self.dice.random())

    def reset(self) -> None:
        self.failures = 0
