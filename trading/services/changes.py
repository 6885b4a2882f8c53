"""Write reference data: rules, row and event in one transaction, with what was and what is."""

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from psycopg.errors import UniqueViolation

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.queries.organizations import operating_organization_ids
from energyopti.foundation.events.services import record_event
from energyopti.foundation.texts import check_plain

MANAGE = "trading.manage_reference_data"


class ForeignOrganization(LookupError):
    """The organization is not one of the actor's."""


def require_manager(actor: Actor) -> None:
    """
    Go on only for whom the shared reference data is in the hands of.

    All organizations read the same commodities, markets and shapes, so changing them takes the
    permission and membership of an operating company: a customer's officer changes only what
    is the customer's own.

    :raises PermissionMissing: without either.
    """
    actor.require(MANAGE)
    if actor.user is not None and not operating_organization_ids(actor.own_organization_ids):
        raise PermissionMissing(MANAGE)


def require_own(actor: Actor, organization_id: UUID) -> None:
    """
    Go on only for an organization of the actor's.

    :raises ForeignOrganization: for any other; whether it exists is not said.
    """
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")


def check_texts(terms: Any) -> None:
    """
    Refuse terms of which a text would be a formula.

    :raises ValidationError: naming the field.
    """
    for each in fields(terms):
        value = getattr(terms, each.name)
        try:
            if isinstance(value, str) and value:
                check_plain(value)
        except ValueError as error:
            raise ValidationError({each.name: str(error)}) from error


def write_new(
    *,
    actor: Actor,
    row: models.Model,
    terms: Any,
    aggregate: str,
    key: object,
    verb: str = "added",
    organization_id: UUID | None = None,
    also: Callable[[], None] | None = None,
) -> None:
    """
    Save a row that is new and tell of it.

    also    what belongs to the row and needs its key, in the same transaction

    :raises ValidationError: naming the field or the rule.
    """
    check_texts(terms)
    with transaction.atomic():
        row.full_clean()
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            # Between the look and the write somebody else was faster; the database says so.
            if not isinstance(error.__cause__, UniqueViolation):
                raise
            field = "code" if hasattr(terms, "code") else "reference"
            raise CodeTaken(field, str(getattr(terms, field, key))) from error
        if also is not None:
            also()
        record_event(
            type=f"{aggregate}.{verb}",
            actor=actor,
            aggregate_type=aggregate,
            aggregate_id=key,
            organization_id=organization_id,
            payload=as_json(terms),
        )


def write_changes(
    *,
    actor: Actor,
    row: models.Model,
    before: Any,
    after: Any,
    aggregate: str,
    key: object,
    organization_id: UUID | None = None,
    also: Callable[[], None] | None = None,
) -> None:
    """
    Save a row whose terms are others now, and tell of each field that changed.

    The same terms again write nothing. The caller holds the row's lock in its transaction.

    :raises ValidationError: naming the field or the rule.
    """
    changed = differences(before, after)
    if not changed:
        return
    check_texts(after)
    with transaction.atomic():
        row.full_clean()
        row.save()
        if also is not None:
            also()
        record_event(
            type=f"{aggregate}.amended",
            actor=actor,
            aggregate_type=aggregate,
            aggregate_id=key,
            organization_id=organization_id,
            payload={"fields": sorted(changed)},
            changes={name: (_json(old), _json(new)) for name, (old, new) in changed.items()},
        )


def differences(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """Return the fields in which two terms of one kind differ, with both values."""
    return {
        each.name: (getattr(before, each.name), getattr(after, each.name))
        for each in fields(after)
        if getattr(before, each.name) != getattr(after, each.name)
    }


def found(rows: Any, field: str, code: str, what: str, **where: Any) -> Any:
    """
    Return the row of a code, None for an empty one.

    :raises ValidationError: naming the field and the code that nothing has.
    """
    if not code:
        return None
    row = rows.filter(**(where or {"code__iexact": code})).first()
    if row is None:
        raise ValidationError({field: f"There is no {what} “{code}”."})
    return row


class CodeTaken(ValidationError):
    """Another row has the code already, or got it in this very moment."""

    def __init__(self, field: str, code: str) -> None:
        self.pointer = f"/{field}"
        self._words = f"{field}: “{code}” is taken."
        super().__init__({field: f"“{code}” is taken."})

    def __str__(self) -> str:
        return self._words


def refuse_taken(rows: Any, field: str, code: str, **where: Any) -> None:
    """
    Refuse a code that another row has, whatever its case.

    :raises CodeTaken: naming the field and the code.
    """
    if rows.filter(**(where or {"code__iexact": code})).exists():
        raise CodeTaken(field, code)


def as_json(terms: Any) -> dict[str, Any]:
    """Return terms as an event's payload: decimals as strings, times as ISO 8601."""
    return {name: _json(value) for name, value in asdict(terms).items()}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value // timedelta(minutes=1)} min"
    if isinstance(value, tuple | list):
        return [_json(each) for each in value]
    if isinstance(value, dict):
        return {name: _json(each) for name, each in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return as_json(value)
    return value
