"""Add and amend price indices, and book exchange rates; all organizations share both."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import FxRate, LoadShape, Market, PriceIndex
from trading.models.commodities import check_price_unit, check_unit
from trading.queries.reference import index_terms
from trading.reference import FxRateTerms, IndexTerms

from .changes import (
    check_texts,
    found,
    refuse_taken,
    require_manager,
    write_changes,
    write_new,
)


def add_index(*, actor: Actor, terms: IndexTerms) -> PriceIndex:
    """
    Add a price index under a code that no other has.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field: a load shape that its market does not have, a
        unit in which the commodity is not counted.
    """
    require_manager(actor)
    with transaction.atomic():
        refuse_taken(PriceIndex.objects, "code", terms.code)
        row = _fill(PriceIndex(code=terms.code), terms)
        write_new(actor=actor, row=row, terms=terms, aggregate="price_index", key=terms.code)
    return row


def amend_index(*, actor: Actor, terms: IndexTerms) -> PriceIndex:
    """
    Change what is said of a price index; its market, currency and unit stay.

    :raises PermissionMissing: as `add_index`.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    with transaction.atomic():
        row = found(
            PriceIndex.objects.select_for_update(of=("self",)).select_related("market"),
            "code",
            terms.code,
            "price index",
        )
        before = index_terms(row)
        for field in ("market", "currency", "price_unit"):
            if getattr(before, field) != getattr(terms, field):
                raise ValidationError(
                    {
                        field: f"{row.code} stays {getattr(before, field)}: another price is "
                        "another index."
                    }
                )
        _fill(row, terms)
        write_changes(
            actor=actor, row=row, before=before, after=terms, aggregate="price_index", key=row.code
        )
    return row


def _fill(row: PriceIndex, terms: IndexTerms) -> PriceIndex:
    market = found(Market.objects.select_related("commodity"), "market", terms.market, "market")
    if market is None:
        raise ValidationError({"market": "Say at which market the price is formed."})
    try:
        check_unit(terms.price_unit)
        check_price_unit(market.commodity, terms.price_unit)
    except ValidationError as error:
        raise ValidationError({"price_unit": error.messages}) from error
    if (
        terms.load_shape
        and not LoadShape.objects.filter(
            calendar_id=market.shape_calendar_id, code=terms.load_shape
        ).exists()
    ):
        raise ValidationError({"load_shape": f"{market.code} has no shape “{terms.load_shape}”."})
    row.market, row.name, row.currency = market, terms.name, terms.currency
    row.price_unit, row.frequency, row.load_shape = (
        terms.price_unit,
        terms.frequency,
        terms.load_shape,
    )
    row.publication_days, row.publication_time = terms.publication_days, terms.publication_time
    row.source, row.is_active = terms.source, terms.is_active
    return row


def book_fx_rates(*, actor: Actor, rates: Sequence[FxRateTerms]) -> list[FxRate]:
    """
    Book exchange rates: each once, a changed one as a new version; return the rows written.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field, or a rate that is there twice.
    """
    require_manager(actor)
    keys = [(r.base, r.quote, r.source, r.valid_from) for r in rates]
    if len(set(keys)) != len(keys):
        raise ValidationError({"valid_from": "A rate of one pair, source and time is there twice."})
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trading_fxrate'))")
        known = {
            (row.base, row.quote, row.source, row.valid_from): row.rate
            for row in FxRate.objects.filter(
                valid_from__in={r.valid_from for r in rates}, base__in={r.base for r in rates}
            ).order_by("recorded_at", "id")
        }
        changed = [
            rate for rate, key in zip(rates, keys, strict=True) if known.get(key) != rate.rate
        ]
        written = []
        with connection.cursor() as cursor:
            # The wall clock, not the transaction's: a correction in the same transaction is later.
            cursor.execute("SELECT clock_timestamp()")
            (recorded_at,) = cursor.fetchone()
        for rate in changed:
            row = checked_rate(rate)
            row.recorded_at = recorded_at
            written.append(row)
        FxRate.objects.bulk_create(written)
        if written:
            corrected = sum((k in known) for k in keys) - (len(rates) - len(changed))
            record_event(
                type="fx_rates.booked",
                actor=actor,
                aggregate_type="fx_rates",
                aggregate_id="all",
                organization_id=None,
                payload={
                    "pairs": sorted({f"{row.base}/{row.quote}" for row in written}),
                    "first_valid_from": min(row.valid_from for row in written).isoformat(),
                    "latest_valid_from": max(row.valid_from for row in written).isoformat(),
                    "new": len(written) - corrected,
                    "corrected": corrected,
                    "rates": [
                        [row.base, row.quote, row.valid_from.isoformat(), str(row.rate)]
                        for row in written[:200]
                    ],
                },
            )
    return written


def checked_rate(terms: FxRateTerms) -> FxRate:
    """
    Return a rate that may be booked, as a row that is not saved.

    The table's constraints are said here in Python: asking the database of each of ten thousand
    rows would take a minute.

    :raises ValidationError: naming the field.
    """
    row = FxRate(
        base=terms.base,
        quote=terms.quote,
        rate=terms.rate,
        valid_from=terms.valid_from,
        source=terms.source,
    )
    row.clean_fields(exclude={"recorded_at"})
    check_texts(terms)
    if terms.base == terms.quote:
        raise ValidationError({"quote": "A rate is between two different currencies."})
    if terms.rate <= 0:
        raise ValidationError({"rate": "A rate is more than zero."})
    return row
