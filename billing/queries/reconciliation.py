"""
Check an invoice against the tables by a second way: one SQL statement, no rating code.

This is the one place where billing reads trading's tables itself. Going through the queries that
the invoice was computed with would let an error in them confirm itself.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from energyopti.foundation.money import MINOR_UNITS

from ..models import Invoice

# Readings and prices in the version known at the invoice's cut. A site's loads count where no
# meter at its connection contains them; storage never does. Each reading meets the terms of
# its local day (the latest that had begun) and the price of the period it lies in.
_RECOMPUTE = """
WITH register AS (
    SELECT DISTINCT ON (asset_id, flow, period_start) site_id, flow, period_start, energy_kwh,
           metering_point_kind AS kind,
           period_start + period_minutes * interval '1 minute' AS period_end
    FROM trading_actual
    WHERE organization_id = %(organization)s
      AND period_start >= %(start)s AND period_start < %(end)s AND recorded_at <= %(cut)s
    ORDER BY asset_id, flow, period_start, version DESC
), reading AS (
    SELECT site_id, period_start, period_end, energy_kwh
    FROM register
    WHERE flow = 'IMPORT'
      AND (cardinality(%(sites)s::uuid[]) = 0 OR site_id = ANY(%(sites)s::uuid[]))
      AND (kind = 'CONNECTION_POINT' OR kind = 'LOAD' AND NOT EXISTS (
          SELECT 1 FROM register point
          WHERE point.kind = 'CONNECTION_POINT' AND point.site_id = register.site_id
            AND point.period_start < register.period_end
            AND point.period_end > register.period_start
      ))
), price AS (
    SELECT DISTINCT ON (period_start) period_start, value,
           period_start + period_minutes * interval '1 minute' AS period_end
    FROM trading_price
    WHERE market_id = %(market)s AND series = 'spot' AND recorded_at <= %(cut)s
      AND period_start >= %(start)s AND period_start < %(end)s
    ORDER BY period_start, recorded_at DESC
), priced AS (
    SELECT reading.site_id, terms.id AS terms_id, reading.energy_kwh, terms.adder_per_kwh,
           reading.energy_kwh * coalesce(
               terms.fixed_price_per_kwh,
               (SELECT value * 0.001 FROM price
                WHERE price.period_start <= reading.period_start
                  AND price.period_end >= reading.period_end)
           ) AS cost
    FROM reading
    CROSS JOIN LATERAL (
        SELECT * FROM billing_contractterms
        WHERE contract_id = %(contract)s
          AND valid_from <= (reading.period_start AT TIME ZONE %(zone)s)::date
        ORDER BY version DESC LIMIT 1
    ) AS terms
)
SELECT terms_id, sum(energy_kwh), sum(cost), sum(energy_kwh * adder_per_kwh),
       count(*) FILTER (WHERE cost IS NULL)
FROM priced GROUP BY terms_id, site_id
"""


@dataclass(frozen=True)
class Reconciliation:
    """
    An invoice beside what the tables say, in its currency.

    energy_kwh, energy_amount    recomputed: metered kWh, and kWh × price to the cent
    invoiced_kwh, invoiced_amount    what the invoice's energy and supply lines say
    unpriced                     readings without a price
    """

    number: str
    energy_kwh: Decimal
    invoiced_kwh: Decimal
    energy_amount: Decimal
    invoiced_amount: Decimal
    unpriced: int
    currency: str

    @property
    def difference(self) -> Decimal:
        """Return invoiced less recomputed."""
        return self.invoiced_amount - self.energy_amount

    @property
    def agrees(self) -> bool:
        """Say whether volume and amount agree to the last digit and every reading is priced."""
        return self.difference == 0 and self.energy_kwh == self.invoiced_kwh and self.unpriced == 0


def reconcile_invoice(invoice: Invoice) -> Reconciliation:
    """
    Recompute metered kWh × price of an invoice from the tables, as known at its cut.

    Lines are rounded by Python's own decimal arithmetic under the contract's rule, one per place
    and terms as on the invoice; where the rule rounds the total only, exact sums are compared.
    """
    contract = invoice.contract
    with connection.cursor() as cursor:
        cursor.execute(
            _RECOMPUTE,
            {
                "organization": contract.organization_id,
                "sites": [site.pk for site in contract.sites.all()],
                "market": contract.market_id,
                "contract": contract.pk,
                "zone": contract.market.time_zone,
                "start": invoice.period_start,
                "end": invoice.period_end,
                "cut": invoice.data_cut_at,
            },
        )
        rows = cursor.fetchall()
    final = contract.terms.order_by("-version").filter(valid_from__lt=invoice.period_after).first()
    per_line = final.rounding_scope == "PER_LINE"
    energy_amount = Decimal(0)
    for _terms, _kwh, *amounts, _unpriced in rows:
        for amount in amounts:
            energy_amount += _rounded(amount, invoice.currency, final.rounding, per_line=per_line)
    lines = invoice.lines.filter(kind__in=["ENERGY", "ADDER"])
    return Reconciliation(
        number=invoice.number,
        energy_kwh=sum((row[1] for row in rows), Decimal(0)),
        invoiced_kwh=sum((line.quantity for line in lines if line.kind == "ENERGY"), Decimal(0)),
        energy_amount=energy_amount,
        invoiced_amount=sum(
            (line.amount if per_line else line.exact_amount for line in lines), Decimal(0)
        ),
        unpriced=sum(row[4] for row in rows),
        currency=invoice.currency,
    )


def _rounded(amount: Decimal | None, currency: str, rounding: str, *, per_line: bool) -> Decimal:
    """Round under a rule by its name in `decimal`, which the invoice's code does not use."""
    if amount is None:
        return Decimal(0)  # the reading without a price is counted in `unpriced`
    if not per_line:
        return amount
    step = Decimal(1).scaleb(-MINOR_UNITS[currency])
    return amount.quantize(step, rounding=f"ROUND_{rounding}")
