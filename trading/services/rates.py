"""Book what interest, currencies and volatility are quoted at; corrections are new rows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.events.services import record_event

from ..models import Compounding, FxForwardQuote, InterestQuote, Market, VolKind, VolQuote
from ..queries.rates import latest_rows
from .changes import require_manager
from .locks import lock_keys

# Held while forwards are booked, so that a run's cut can wait for it.
# The locks under which quotes of interest, exchange rates and volatilities are booked.
RATE_KEYS = tuple(
    f"rates:{model._meta.db_table}" for model in (InterestQuote, FxForwardQuote, VolQuote)
)


class RatesRefused(ValueError):
    """A quote cannot be booked; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class InterestDraft:
    """A zero rate to a date; 0.025 is 2.5 %."""

    matures_on: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class FxForwardDraft:
    """What one unit of the base currency costs on a settlement date; the first is spot."""

    settles_on: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class VolDraft:
    """An implied volatility by contract, expiry and moneyness (strike / forward)."""

    contract: str
    expires_on: date
    moneyness: Decimal
    vol: Decimal


def book_interest(
    *,
    actor: Actor,
    currency: str,
    compounding: Compounding,
    drafts: Sequence[InterestDraft],
    valid_from: datetime,
    source: str,
) -> int:
    """
    Book a currency's zero rates of an instant and return how many were new or corrected.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises RatesRefused: naming the field, if no discount curve can be made of them.
    """
    check_interest(currency, compounding, drafts, valid_from)
    same = {"currency": currency, "compounding": compounding}
    return _book(actor, InterestQuote, same, drafts, ("rate",), valid_from, source)


def book_fx_forwards(
    *,
    actor: Actor,
    base: str,
    quote: str,
    drafts: Sequence[FxForwardDraft],
    valid_from: datetime,
    source: str,
) -> int:
    """Book a pair's outright forwards of an instant, spot first; refuses as `book_interest`."""
    check_fx_forwards(base, quote, drafts, valid_from)
    same = {"base": base, "quote": quote}
    return _book(actor, FxForwardQuote, same, drafts, ("rate",), valid_from, source)


def book_vols(
    *,
    actor: Actor,
    market: Market,
    kind: VolKind,
    drafts: Sequence[VolDraft],
    valid_from: datetime,
    source: str,
) -> int:
    """Book a market's volatilities of an instant; refuses as `book_interest`."""
    check_vols(market, kind, drafts, valid_from)
    same = {"market": market, "kind": kind}
    return _book(actor, VolQuote, same, drafts, ("vol",), valid_from, source)


def check_interest(
    currency: str, compounding: Compounding, drafts: Sequence[InterestDraft], valid_from: datetime
) -> None:
    """
    Refuse rates that make no discount factors above zero.

    :raises RatesRefused: naming the field.
    """
    from ..curves import Compounding as PureCompounding
    from ..curves import CurveError, DiscountCurve

    _check_once(drafts, "matures_on")
    try:
        DiscountCurve.from_rates(
            currency,
            valued_on=valid_from.date(),
            rates={each.matures_on: float(each.rate) for each in drafts},
            compounding=PureCompounding(str(compounding)),
        )
    except CurveError as error:
        raise RatesRefused(str(error)) from error


def check_fx_forwards(
    base: str, quote: str, drafts: Sequence[FxForwardDraft], valid_from: datetime
) -> None:
    """Refuse forwards that make no curve, or settle before they are quoted; as the above."""
    from ..curves import CurveError
    from ..queries.rates import fx_curve_of

    _check_once(drafts, "settles_on")
    if base == quote:
        raise RatesRefused(f"quote: {quote} is the base currency; a pair has two.")
    early = min(each.settles_on for each in drafts)
    if early < valid_from.date():
        raise RatesRefused(f"settles_on: {early} is before the quote of {valid_from.date()}.")
    try:
        fx_curve_of(base, quote, [(each.settles_on, float(each.rate)) for each in drafts])
    except CurveError as error:
        raise RatesRefused(str(error)) from error


def check_vols(
    market: Market, kind: VolKind, drafts: Sequence[VolDraft], valid_from: datetime
) -> None:
    """Refuse volatilities that are not above zero or make no surface; as the above."""
    from ..curves import CurveError, contract_interval
    from ..queries.rates import surface_of

    _check_once(drafts, "contract", "expires_on", "moneyness")
    for each in drafts:
        for field in ("vol", "moneyness"):
            if not getattr(each, field) > 0:
                raise RatesRefused(
                    f"{field}: {each.contract} is {getattr(each, field)}; it must be above zero."
                )
        if each.expires_on <= valid_from.date():
            raise RatesRefused(
                f"expires_on: {each.expires_on} is not after the quote of {valid_from.date()}."
            )
        try:
            contract_interval(each.contract, market.calendar)
        except CalendarError as error:
            raise RatesRefused(f"contract: {error}") from error
    try:
        surface_of(
            str(kind),
            valid_from.date(),
            [(d.contract, d.expires_on, float(d.moneyness), float(d.vol)) for d in drafts],
        )
    except CurveError as error:
        raise RatesRefused(str(error)) from error


def _check_once(drafts: Sequence[Any], *fields: str) -> None:
    if not drafts:
        raise RatesRefused("drafts: there is no quote to book.")
    keys = [tuple(getattr(each, name) for name in fields) for each in drafts]
    if len(set(keys)) != len(keys):
        raise RatesRefused(f"{fields[0]}: one is there twice.")


def _book(
    actor: Actor,
    model: type[models.Model],
    same: dict[str, Any],
    drafts: Sequence[Any],
    values: tuple[str, ...],
    valid_from: datetime,
    source: str,
) -> int:
    """Insert what differs from the version that holds, with one event."""
    require_manager(actor)
    table = model._meta.db_table
    with transaction.atomic():
        lock_keys([f"rates:{table}"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (recorded_at,) = cursor.fetchone()
        keys = [name for name in asdict(drafts[0]) if name not in values]
        held = {
            tuple(getattr(row, name) for name in keys): tuple(getattr(row, n) for n in values)
            for row in latest_rows(model, keys, **same, source=source, valid_from=valid_from)
        }
        rows = [
            model(
                **same, **asdict(draft), valid_from=valid_from, recorded_at=recorded_at,
                source=source, actor_id=actor.id,
            )
            for draft in drafts
            if held.get(tuple(getattr(draft, n) for n in keys))
            != tuple(getattr(draft, n) for n in values)
        ]  # fmt: skip
        for row in rows:
            try:
                row.full_clean()
            except ValidationError as error:
                field, messages = next(iter(error.message_dict.items()))
                raise RatesRefused(f"{field}: {' '.join(messages)}") from error
        model._default_manager.bulk_create(rows)
        if rows:
            name = " ".join(str(getattr(value, "code", value)) for value in same.values())
            record_event(
                type="rates.booked",
                actor=actor,
                aggregate_type=model._meta.model_name or table,
                aggregate_id=name,
                organization_id=None,
                payload={"source": source, "at": valid_from.isoformat(), "booked": len(rows)},
            )
    return len(rows)
