"""Set a drop copy up: its venue and what the venue's words mean here, as one description."""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import (
    Book,
    Counterparty,
    DropCopyAccount,
    DropCopyParty,
    DropCopyProduct,
    DropCopySession,
    DropCopyVenue,
    Market,
    PriceIndex,
)

from .changes import require_own
from .drop_copy import MANAGE


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """A venue with its mappings, in plain values by codes; names as in `models.drop_copy`."""

    venue: dict[str, Any]
    products: tuple[dict[str, Any], ...] = ()
    accounts: tuple[dict[str, Any], ...] = ()
    parties: tuple[dict[str, Any], ...] = ()


_VENUE = frozenset(
    {
        "code", "name", "mic", "time_zone", "host", "port", "use_tls",
        "sender_comp_id", "target_comp_id", "username", "heartbeat_seconds", "clock_skew_seconds",
        "sequence_reset", "clearing_house", "multileg",
    }
)  # fmt: skip
_PRODUCT = frozenset(
    {
        "symbol", "security_id", "cfi", "market", "product_kind", "shape", "period_rule",
        "period", "month_offset", "lot_size", "lot_unit", "lot_frequency",
        "price_scale", "currency", "index",
    }
)  # fmt: skip
_ACCOUNT = frozenset({"account", "book", "clearing_account"})
_PARTY = frozenset({"party_id", "counterparty"})


def configure_venue(*, actor: Actor, organization_id: UUID, terms: VenueTerms) -> DropCopyVenue:
    """
    Make a venue and its mappings be as described; what the description leaves out goes.

    The session's numbers and the inbox stay as they are. All or nothing, with one event.

    :raises PermissionMissing: without `trading.manage_drop_copy`.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises ValidationError: naming the section, the field and the rule.
    """
    actor.require(MANAGE)
    require_own(actor, organization_id)
    with transaction.atomic():
        _known("venue", terms.venue, _VENUE)
        code = str(terms.venue.get("code", ""))
        venue = DropCopyVenue.objects.select_for_update().filter(code__iexact=code).first()
        if venue is not None and venue.organization_id != organization_id:
            raise ValidationError({"venue.code": f"“{code}” is taken."})
        before = described(venue) if venue is not None else None
        venue = venue or DropCopyVenue(organization_id=organization_id)
        values = dict(terms.venue)
        house = values.pop("clearing_house", "")
        venue.clearing_house = _own(Counterparty, "venue.clearing_house", organization_id, house)
        _save("venue", venue, values)
        DropCopySession.objects.get_or_create(venue=venue)
        _write_mappings(venue, terms)
        after = described(venue)
        if before != after:
            record_event(
                type="drop_copy.venue_configured",
                actor=actor,
                aggregate_type="drop_copy_venue",
                aggregate_id=venue.pk,
                organization_id=organization_id,
                key=f"drop_copy:{venue.pk}",
                payload={"venue": venue.code},
                changes={
                    part: ((before or {}).get(part), after[part])
                    for part in after
                    if (before or {}).get(part) != after[part]
                },
            )
    return venue


def _write_mappings(venue: DropCopyVenue, terms: VenueTerms) -> None:
    for relation in (venue.products, venue.accounts, venue.parties):
        relation.all().delete()
    for number, given in enumerate(terms.products, start=1):
        part, values = f"product {number}", dict(given)
        _known(part, values, _PRODUCT)
        market = _shared(Market, f"{part}.market", values.pop("market", ""))
        index = values.pop("index", "")
        row = DropCopyProduct(venue=venue, market=market)
        row.index = _shared(PriceIndex, f"{part}.index", index) if index else None
        _save(part, row, values)
        if row.currency != market.currency:
            raise ValidationError(
                {f"{part}.currency": f"{market.code} is priced in {market.currency}."}
            )
    for number, given in enumerate(terms.accounts, start=1):
        part, values = f"account {number}", dict(given)
        _known(part, values, _ACCOUNT)
        book = _own(Book, f"{part}.book", venue.organization_id, values.pop("book", "") or "?")
        _save(part, DropCopyAccount(venue=venue, book=book), values)
    for number, given in enumerate(terms.parties, start=1):
        part, values = f"party {number}", dict(given)
        _known(part, values, _PARTY)
        name = values.pop("counterparty", "") or "?"
        company = _own(Counterparty, f"{part}.counterparty", venue.organization_id, name)
        _save(part, DropCopyParty(venue=venue, counterparty=company), values)


def described(venue: DropCopyVenue) -> dict[str, Any]:
    """Return a venue and its mappings as plain values, for an event and for comparison."""
    return {
        "venue": _values(venue, _VENUE),
        "products": [_values(row, _PRODUCT) for row in venue.products.order_by("id")],
        "accounts": [_values(row, _ACCOUNT) for row in venue.accounts.order_by("id")],
        "parties": [_values(row, _PARTY) for row in venue.parties.order_by("id")],
    }


def _values(row: models.Model, names: frozenset[str]) -> dict[str, Any]:
    found = {}
    for name in sorted(names):
        value = getattr(row, name)
        if isinstance(value, models.Model):
            value = value.code
        if isinstance(value, Decimal):
            value = f"{value.normalize():f}"
        found[name] = value
    return found


def _known(part: str, values: dict[str, Any], names: frozenset[str]) -> None:
    for name in values:
        if name not in names:
            raise ValidationError({f"{part}.{name}": "is not known here."})


def _shared(model: type[models.Model], field: str, code: Any) -> Any:
    row = model._default_manager.filter(code__iexact=str(code)).first()
    if row is None:
        raise ValidationError({field: f"There is no {model._meta.verbose_name} “{code}”."})
    return row


def _own(model: type[models.Model], field: str, organization_id: UUID, code: Any) -> Any:
    if not code:
        return None
    row = model._default_manager.filter(
        organization_id=organization_id, code__iexact=str(code)
    ).first()
    if row is None:
        raise ValidationError({field: f"There is no {model._meta.verbose_name} “{code}”."})
    return row


def _save(part: str, row: models.Model, values: dict[str, Any]) -> None:
    for name, value in values.items():
        # A TOML float is no decimal: 0.1 means one tenth here as everywhere.
        setattr(row, name, Decimal(str(value)) if isinstance(value, float) else value)
    try:
        row.full_clean()
    except ValidationError as error:
        raise ValidationError(
            {f"{part}.{name}": messages for name, messages in error.message_dict.items()}
        ) from error
    row.save()


def terms_of_toml(document: dict[str, Any]) -> VenueTerms:
    """
    Return a parsed TOML file (`[venue]`, `[[product]]`, `[[account]]`, `[[party]]`) as terms.

    :raises ValidationError: naming a section that is not known.
    """
    names = {"venue": "venue", "product": "products", "account": "accounts", "party": "parties"}
    assert {each.name for each in fields(VenueTerms)} == set(names.values())
    found: dict[str, Any] = {"venue": {}}
    for name, value in document.items():
        wanted = dict if name == "venue" else list
        if name not in names or not isinstance(value, wanted):
            raise ValidationError({name: "is no section here: venue, product, account, party."})
        if wanted is list and not all(isinstance(each, dict) for each in value):
            raise ValidationError({name: "is a table: write it as [[" + name + "]]."})
        found[names[name]] = value if wanted is dict else tuple(value)
    return VenueTerms(**found)
