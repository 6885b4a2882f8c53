"""How long to wait after a failure: twice as long each time, with jitter so a fleet spreads."""

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Seconds between `first` and `longest`; `random` is handed in so that tests can seed it."""

    first: float = 0.5
    longest: float = 30.0
    random: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next(self) -> float:
        """Count a failure and return the seconds to wait: half to all of the doubled time."""
        ceiling: float = min(self.longest, self.first * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return ceiling * (0.5 + self.random.random() / 2)

    def spread(self, seconds: float) -> float:
        """Return about as many seconds, so that what started together drifts apart."""
        return seconds * (0.9 + 0.2 * self.random.random())

    def reset(self) -> None:
        self.failures = 0
