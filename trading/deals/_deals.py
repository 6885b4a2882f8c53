"""A deal: its kind, our side and its legs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from energyopti.foundation.money import Side
from trading.deals._errors import DealError
from trading.deals._legs import Delivery, Fee, FeeBasis, Fixed, Floating, Option, check_name
from trading.deals._schedules import Schedule
from trading.deals._structures import Structure
from trading.deals._volumes import Profile

Leg = Delivery | Fixed | Floating | Option | Structure | Fee
_MIC = re.compile(r"[A-Z0-9]{4}")


class ProductKind(StrEnum):
    """What sort of deal it is; `contract_type` is ACER's code of it (REMIT table 1)."""

    PHYSICAL_FORWARD = "PHYSICAL_FORWARD"
    INDEX_FORWARD = "INDEX_FORWARD"
    PROFILE_FORWARD = "PROFILE_FORWARD"
    AS_GENERATED = "AS_GENERATED"
    PPA = "PPA"
    FUTURE = "FUTURE"
    FINANCIAL_FORWARD = "FINANCIAL_FORWARD"
    SWAP = "SWAP"
    BASIS_SWAP = "BASIS_SWAP"
    CERTIFICATE = "CERTIFICATE"
    OPTION = "OPTION"
    SWING = "SWING"
    STORAGE = "STORAGE"
    TOLLING = "TOLLING"
    BATTERY_TOLLING = "BATTERY_TOLLING"
    TRANSMISSION_RIGHT = "TRANSMISSION_RIGHT"

    @property
    def contract_type(self) -> str:
        """Return ACER's contract type: FW, FU, SW, OP, OT for other contracts, or FW_PPA."""
        return _CONTRACT_TYPES.get(self, "FW")


_CONTRACT_TYPES = {
    ProductKind.PPA: "FW_PPA",
    ProductKind.FUTURE: "FU",
    ProductKind.SWAP: "SW",
    ProductKind.BASIS_SWAP: "SW",
    ProductKind.OPTION: "OP",
    ProductKind.SWING: "OP",
    ProductKind.STORAGE: "OT",
    ProductKind.TOLLING: "OT",
    ProductKind.BATTERY_TOLLING: "OT",
    ProductKind.TRANSMISSION_RIGHT: "OT",
}


@dataclass(frozen=True, slots=True)
class Deal:
    """
    Hold a deal as its legs; the constructors in `_products` make it.

    side                ours; what it means for each kind is in its constructor
    package_id          shared by deals that were agreed together, empty for one alone
    mic                 ISO 10383 code of the exchange, for futures
    clearing_account    where the clearing house books it

    :raises DealError: naming the field.
    """

    kind: ProductKind
    side: Side
    legs: tuple[Leg, ...]
    package_id: str = ""
    mic: str = ""
    clearing_account: str = ""

    def __post_init__(self) -> None:
        if all(isinstance(leg, Fee) for leg in self.legs):
            raise DealError("legs", "a deal has a leg that is not a fee.")
        if self.mic and _MIC.fullmatch(self.mic) is None:
            raise DealError("mic", f"{self.mic!r} is not four capitals or digits of ISO 10383.")
        if self.kind is ProductKind.FUTURE and not self.mic:
            raise DealError("mic", "a future names its exchange.")
        for field in ("package_id", "clearing_account"):
            if getattr(self, field):
                check_name(field, getattr(self, field))
        for fee in self.fees:
            if fee.basis is FeeBasis.PER_LOT and (
                isinstance(self.schedule.volume, Profile) or self.schedule.volume.lots is None
            ):
                raise DealError("fee", "is per lot, and the deal is not in lots.")

    @property
    def schedule(self) -> Schedule:
        """Return what the deal is about: the schedule of its first leg that has one."""
        return next(leg.schedule for leg in self.legs if not isinstance(leg, Fee))

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """Return the delivery legs."""
        return tuple(leg for leg in self.legs if isinstance(leg, Delivery))

    @property
    def fixed_legs(self) -> tuple[Fixed, ...]:
        """Return the fixed legs."""
        return tuple(leg for leg in self.legs if isinstance(leg, Fixed))

    @property
    def floating_legs(self) -> tuple[Floating, ...]:
        """Return the floating legs."""
        return tuple(leg for leg in self.legs if isinstance(leg, Floating))

    @property
    def options(self) -> tuple[Option, ...]:
        """Return the option legs, which pricing values."""
        return tuple(leg for leg in self.legs if isinstance(leg, Option))

    @property
    def structures(self) -> tuple[Structure, ...]:
        """Return the legs with choices in them, which pricing values."""
        return tuple(leg for leg in self.legs if isinstance(leg, Structure))

    @property
    def choices(self) -> tuple[Option | Structure, ...]:
        """Return the legs that somebody chooses in: options and structures."""
        return (*self.options, *self.structures)

    @property
    def fees(self) -> tuple[Fee, ...]:
        """Return the fee legs."""
        return tuple(leg for leg in self.legs if isinstance(leg, Fee))


def mirrored(deal: Deal) -> Deal:
    """
    Return the same deal seen from the other side, without its fees.

    Fees are between one side and a third party.
    """
    other = Side.SELL if deal.side is Side.BUY else Side.BUY
    legs = tuple(
        replace(leg, direction=leg.direction.other) for leg in deal.legs if not isinstance(leg, Fee)
    )
    return replace(deal, side=other, legs=legs)
