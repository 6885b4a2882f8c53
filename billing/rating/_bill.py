"""From exact lines to what is payable: the contract's rounding, then value added tax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.rating._energy import LineKind, RatedLine, RatingError
from energyopti.foundation.money import Money, RoundingRule


@dataclass(frozen=True, slots=True)
class BillLine:
    """A rated line with the amount that the document shows."""

    rated: RatedLine
    amount: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """Payable lines and totals; the lines add up to `net`, and net and tax to `gross`."""

    lines: tuple[BillLine, ...]
    net: Money
    tax: Money
    gross: Money


def make_bill(
    lines: Sequence[RatedLine], *, rounding: RoundingRule, tax_rate: Decimal, currency: str
) -> Bill:
    """
    Round lines by the contract's rule and add value added tax once, on the net total.

    tax_rate    0.19 for 19 %; 0 to 1

    Where the rule rounds on the total, every line still shows payable amounts, and a line of
    its own says what rounding them apart would have changed.

    :raises RatingError: without lines, or for a tax rate outside 0..1.
    :raises CurrencyMismatch: if a line is in another currency.
    """
    if not lines:
        raise RatingError("lines: a bill needs at least one line.")
    if not 0 <= tax_rate <= 1:
        raise RatingError(f"tax_rate: {tax_rate} must be between 0 and 1.")
    rounded = [
        BillLine(line, line.amount.rounded(rounding.rounding, quantum=rounding.quantum))
        for line in lines
    ]
    net = rounding.total((line.amount for line in lines), code=currency)
    shown = Money.zero(currency)
    for line in rounded:
        shown = shown + line.amount
    difference = net - shown
    if difference.amount:
        rounded.append(
            BillLine(
                RatedLine(
                    kind=LineKind.ROUNDING,
                    description="Rounding, made once on the total",
                    quantity=Decimal(1),
                    unit="",
                    unit_price=None,
                    amount=difference,
                ),
                difference,
            )
        )
    tax = (net * tax_rate).rounded(rounding.rounding)
    return Bill(lines=tuple(rounded), net=net, tax=tax, gross=net + tax)
