"""What a contract's days would be billed, computed from the tables and stored by nobody."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.rating import (
    Bill,
    IntervalPrice,
    MeterReading,
    MeterSeries,
    PriceRule,
    RatedLine,
    make_bill,
    rate_energy,
    standing_charge,
)
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Site
from energyopti.foundation.calendars import DatePeriod, tzdata_version
from energyopti.foundation.intervals import Interval
from trading.queries.actuals import actuals, uncontained
from trading.queries.prices import exact_prices

from ..models import Contract, ContractTerms


class NothingAgreed(ValueError):
    """No terms of the contract hold on a day of the period; names the day."""


class TermsDisagree(ValueError):
    """Terms within one period tax or round differently; bill their days apart."""


@dataclass(frozen=True)
class Segment:
    """Consecutive days of a period under one version of terms."""

    days: DatePeriod
    terms: ContractTerms


@dataclass(frozen=True)
class Draft:
    """
    The bill of a period with everything it was computed from.

    energy_kwh    taken by the sites, each kWh once
    content       canonical data: every number as a string
    """

    contract: Contract
    period: DatePeriod
    interval: Interval
    bill: Bill
    energy_kwh: Decimal
    payment_days: int
    content: dict[str, Any]


def draft_invoice(contract: Contract, period: DatePeriod, *, cut_at: datetime) -> Draft:
    """
    Compute the bill of a contract for a run of local days from what was recorded up to a cut.

    Billed is what each site took: at its grid connection, or, where no meter sits there, by its
    loads. A battery behind the connection is in that reading; one beside the loads is its
    operator's and no part of the supply. What was fed in is not billed: a contract that pays for
    it has no terms for that yet.

    :raises NothingAgreed: if a day has no terms.
    :raises TermsDisagree: if terms within the period tax or round differently.
    :raises MeterGap: naming the meter and interval without a reading.
    :raises PriceGap: naming the interval without a price.
    """
    segments = segments_of(contract, period)
    final = segments[-1].terms
    for segment in segments:
        if segment.terms.rounding_rule() != final.rounding_rule() or (
            segment.terms.tax_rate != final.tax_rate
        ):
            raise TermsDisagree(
                f"period: terms v{segment.terms.version} and v{final.version} differ in tax or "
                f"rounding; end the invoice on {final.valid_from}."
            )
    lines: list[RatedLine] = []
    told: list[dict[str, Any]] = []
    energy_kwh = Decimal(0)
    for segment in segments:
        interval = contract.calendar.span(segment.days)
        meters = _meters(contract, interval, cut_at)
        prices = _prices(contract, segment.terms, interval, cut_at)
        terms = segment.terms.rating_terms(contract.currency)
        days = sum(1 for _day in contract.calendar.days(segment.days))
        lines += rate_energy(meters=meters, prices=prices, terms=terms, period=interval)
        lines += standing_charge(terms=terms, days=days)
        energy_kwh += sum(
            (reading.energy_kwh for meter in meters for reading in meter.readings), Decimal(0)
        )
        told.append(_segment_content(segment, meters, prices))
    bill = make_bill(
        lines,
        rounding=final.rounding_rule(),
        tax_rate=final.tax_rate,
        currency=contract.currency,
    )
    interval = contract.calendar.span(period)
    return Draft(
        contract=contract,
        period=period,
        interval=interval,
        bill=bill,
        energy_kwh=energy_kwh,
        payment_days=final.payment_days,
        content=_content(contract, period, interval, told, bill, final, cut_at),
    )


def segments_of(contract: Contract, period: DatePeriod) -> list[Segment]:
    """
    Split a period where the contract's terms change.

    :raises NothingAgreed: naming the first day without terms.
    """
    versions = list(contract.terms.order_by("-version"))
    segments: list[Segment] = []
    for day in period.dates():
        terms = _in_force(versions, day)
        if terms is None:
            raise NothingAgreed(f"period: contract {contract.reference} has no terms on {day}.")
        after = day + timedelta(days=1)
        if segments and segments[-1].terms == terms:
            segments[-1] = Segment(DatePeriod(segments[-1].days.first, after), terms)
        else:
            segments.append(Segment(DatePeriod(day, after), terms))
    return segments


def _in_force(versions: list[ContractTerms], day: date) -> ContractTerms | None:
    """Return the latest version that has begun by a day, unless it has ended."""
    for terms in versions:
        if terms.valid_from <= day:
            ended = terms.valid_until is not None and terms.valid_until <= day
            return None if ended else terms
    return None


def _meters(contract: Contract, interval: Interval, cut_at: datetime) -> list[MeterSeries]:
    sites = {
        site.pk: site.name for site in Site.objects.filter(organization_id=contract.organization_id)
    }
    chosen = {site.pk for site in contract.sites.all()}
    volumes = actuals(
        actor=Actor.system("billing"),
        interval=interval,
        organization_ids=[contract.organization_id],
        as_of=cut_at,
    )
    readings: dict[tuple[str, str], list[MeterReading]] = {}
    for volume in uncontained(volumes):
        if not volume.is_supply:
            continue
        if chosen and volume.site_id not in chosen:
            continue
        place = sites.get(volume.site_id, contract.organization.name)
        readings.setdefault((place, volume.asset_id), []).append(
            MeterReading(volume.interval, volume.energy_kwh)
        )
    return [
        MeterSeries(meter=asset, place=place, readings=tuple(rows))
        for (place, asset), rows in sorted(readings.items())
    ]


def _prices(
    contract: Contract, terms: ContractTerms, interval: Interval, cut_at: datetime
) -> list[IntervalPrice]:
    if terms.price_rule != PriceRule.SPOT:
        return []
    return [
        IntervalPrice(price.interval, price.value)
        for price in exact_prices(contract.market, interval, as_of=cut_at)
    ]


def _segment_content(
    segment: Segment, meters: list[MeterSeries], prices: list[IntervalPrice]
) -> dict[str, Any]:
    terms = segment.terms
    return {
        "first": segment.days.first.isoformat(),
        "after": segment.days.after.isoformat(),
        "terms": {
            "version": str(terms.version),
            "price_rule": terms.price_rule,
            "adder_per_kwh": str(terms.adder_per_kwh),
            "fixed_price_per_kwh": terms.fixed_price_per_kwh and str(terms.fixed_price_per_kwh),
            "standing_charge_per_day": str(terms.standing_charge_per_day),
            "tax_rate": str(terms.tax_rate),
            "rounding": terms.rounding,
            "rounding_scope": terms.rounding_scope,
        },
        "prices_per_mwh": [
            [price.interval.start.isoformat(), price.interval.end.isoformat(), _plain(price)]
            for price in prices
        ],
        "meters": [
            {
                "meter": meter.meter,
                "place": meter.place,
                "readings_kwh": [
                    [
                        reading.interval.start.isoformat(),
                        reading.interval.end.isoformat(),
                        f"{reading.energy_kwh:f}",
                    ]
                    for reading in meter.readings
                ],
            }
            for meter in meters
        ],
    }


def _plain(price: IntervalPrice) -> str:
    """Return a price without the zeros that its column pads it with."""
    text = f"{price.price_per_mwh:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _content(
    contract: Contract,
    period: DatePeriod,
    interval: Interval,
    segments: list[dict[str, Any]],
    bill: Bill,
    terms: ContractTerms,
    cut_at: datetime,
) -> dict[str, Any]:
    return {
        "schema": "energyopti.invoice.1",
        "issuer": {"id": str(contract.issuer_id), "name": contract.issuer.name},
        "customer": {"id": str(contract.organization_id), "name": contract.organization.name},
        "contract": contract.reference,
        "market": {"code": contract.market.code, "time_zone": contract.market.time_zone},
        "currency": contract.currency,
        "period": {
            "first": period.first.isoformat(),
            "after": period.after.isoformat(),
            "start": interval.start.isoformat(),
            "end": interval.end.isoformat(),
        },
        "segments": segments,
        "lines": [
            {
                "kind": line.rated.kind.value,
                "description": line.rated.description,
                "quantity": f"{line.rated.quantity:f}",
                "unit": line.rated.unit,
                "exact_amount": f"{line.rated.amount.amount:f}",
                "amount": f"{line.amount.amount:f}",
            }
            for line in bill.lines
        ],
        "net": f"{bill.net.amount:f}",
        "tax_rate": str(terms.tax_rate),
        "tax": f"{bill.tax.amount:f}",
        "gross": f"{bill.gross.amount:f}",
        "data_cut_at": cut_at.isoformat(),
        "versions": {"tzdata": tzdata_version()},
    }
