"""What storage consumed: not what it was charged with, but what it did not give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from energyopti.accounts.models import Site
from energyopti.foundation.intervals import Interval
from trading.enums import Flow
from trading.queries.actuals import KnownActual

_MILLIWATT_HOUR = Decimal("0.000001")


@dataclass(frozen=True)
class StorageBalance:
    """
    What the storage of a site took and gave in a month, in kWh.

    imports    what was taken, by period, in the order of time
    """

    site: Site
    imports: tuple[tuple[Interval, Decimal], ...]
    exported_kwh: Decimal

    @property
    def imported_kwh(self) -> Decimal:
        return sum((energy_kwh for _at, energy_kwh in self.imports), Decimal(0))

    @property
    def losses_kwh(self) -> Decimal:
        """
        Return what was taken and not given back; 0 if more was given than taken.

        Energy still stored at the month's end counts as lost until it is given back, and a month
        that empties what an earlier one stored counts nothing: each is at most one charge of the
        batteries.
        """
        return max(Decimal(0), self.imported_kwh - self.exported_kwh)

    def losses(self) -> list[tuple[Interval, Decimal]]:
        """
        Spread the losses over the periods of charging, by what was taken in each.

        The running sum is rounded to the milliwatt-hour, so that the parts add up to the whole.
        """
        imported, losses = self.imported_kwh, self.losses_kwh
        parts = []
        taken = counted = Decimal(0)
        for at, energy_kwh in self.imports:
            taken += energy_kwh
            until = (losses * taken / imported if imported else Decimal(0)).quantize(
                _MILLIWATT_HOUR, rounding=ROUND_HALF_EVEN
            )
            parts.append((at, until - counted))
            counted = until
        return parts


def storage_balances(stored: Mapping[Site, Sequence[KnownActual]]) -> list[StorageBalance]:
    """Return the balance of each site's storage, by the site's name."""
    return [
        StorageBalance(
            site=site,
            imports=tuple(
                (volume.interval, volume.energy_kwh)
                for volume in volumes
                if volume.flow == Flow.IMPORT
            ),
            exported_kwh=sum(
                (volume.energy_kwh for volume in volumes if volume.flow == Flow.EXPORT), Decimal(0)
            ),
        )
        for site, volumes in sorted(stored.items(), key=lambda entry: str(entry[0].name))
    ]
