"""Set hedge targets for a run of months, and withdraw them; each change is a next version."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.texts import check_plain
from trading.hedging import HedgeTerms
from trading.models import Book, HedgeTarget, Market
from trading.queries.books import book_for
from trading.queries.hedging import held_targets, run_of_months, terms_of

from .changes import as_json
from .locks import book_key, lock_keys, server_time

SET = "trading.set_hedge_targets"


class HedgeTargetsChanged(ValueError):
    """Somebody else changed a target of these months since they were read."""


def set_hedge_targets(
    *,
    actor: Actor,
    book_id: UUID,
    market: str,
    first: date,
    last: date,
    terms: HedgeTerms,
    expected_revision: int,
    reason: str,
) -> list[HedgeTarget]:
    """
    Set the same target for each delivery month from `first` to `last`, and return what is new.

    Months that aim at it already stay as they are.

    first, last         first days of months, both included
    expected_revision   the highest `id` of the months' targets when they were read, 0 for none

    :raises PermissionMissing: without `trading.set_hedge_targets`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises ValidationError: naming the field.
    :raises HedgeTargetsChanged: if there is a later one.
    """
    for field, value in (
        ("ratio_percent", terms.ratio_percent), ("tolerance_points", terms.tolerance_points)
    ):  # fmt: skip
        if not 0 <= value <= 150:
            raise ValidationError({field: "Is from 0 to 150."})
    return _write(actor, book_id, market, first, last, expected_revision, reason, terms=terms)


def withdraw_hedge_targets(
    *,
    actor: Actor,
    book_id: UUID,
    market: str,
    first: date,
    last: date,
    expected_revision: int,
    reason: str,
) -> list[HedgeTarget]:
    """
    Take the targets of a run of months away; arguments and errors as `set_hedge_targets`.

    Months without one stay so.
    """
    return _write(actor, book_id, market, first, last, expected_revision, reason, terms=None)


def _write(
    actor: Actor, book_id: UUID, code: str, first: date, last: date, expected: int, reason: str,
    *, terms: HedgeTerms | None,
) -> list[HedgeTarget]:  # fmt: skip
    actor.require(SET)
    book_for(actor, book_id)
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": "Say why."})
    try:
        check_plain(reason)
    except ValueError as error:
        raise ValidationError({"reason": str(error)}) from error
    months = run_of_months(first, last)
    market = Market.objects.filter(code__iexact=code).first()
    if market is None:
        raise ValidationError({"market": f"There is no delivery point “{code}”."})
    if market.price_unit != "MWh":
        raise ValidationError({"market": f"{market.code} is not delivered in MWh."})
    with transaction.atomic():
        lock_keys([book_key(book_id)])
        book = Book.objects.get(pk=book_id)
        held = {row.month: row for row in held_targets([book_id], months, market_id=market.pk)}
        revision = max((row.pk for row in held.values()), default=0)
        if revision != expected:
            raise HedgeTargetsChanged(
                f"expected_revision: these months are at {revision}, read at {expected}; "
                "look at them again."
            )
        now, rows = server_time(), []
        for month in months:
            before = held.get(month)
            was = terms_of(before)
            if was == terms:
                continue
            rows.append(
                HedgeTarget(
                    book=book, market=market, month=month,
                    version=1 if before is None else before.version + 1,
                    is_withdrawn=terms is None, reason=reason, recorded_by=actor.id,
                    recorded_at=now, **_as_numbers(terms or was),
                )
            )  # fmt: skip
        if not rows:
            return []
        written = HedgeTarget.objects.bulk_create(rows)
        record_event(
            type="hedge_targets.set" if terms else "hedge_targets.withdrawn",
            actor=actor,
            aggregate_type="hedge_target",
            aggregate_id=f"{book_id}:{market.code}",
            organization_id=book.organization_id,
            payload={
                "book": book.code, "market": market.code, "reason": reason,
                "months": [f"{row.month:%Y-%m}" for row in written],
                "revision": max(row.pk for row in written),
            },
            changes={
                f"{row.month:%Y-%m}": (_told(terms_of(held.get(row.month))), _told(terms))
                for row in written
            },
        )  # fmt: skip
    return written


def _as_numbers(terms: HedgeTerms | None) -> dict[str, object]:
    assert terms is not None
    return {
        "own_volume_mwh": terms.own_volume_mwh,
        "ratio_percent": terms.ratio_percent,
        "tolerance_points": terms.tolerance_points,
    }


def _told(terms: HedgeTerms | None) -> dict[str, object] | None:
    return None if terms is None else as_json(terms)
