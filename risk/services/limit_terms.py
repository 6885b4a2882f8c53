"""What a proposed limit says, and whether it makes sense, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import member_or_404
from energyopti.foundation.money import MoneyError
from energyopti.foundation.money import currency as known_currency
from risk.enums import Dimension, Excess, LimitMeasure, LimitScope, LossPeriod
from risk.models import Limit
from risk.queries.limit_measures.kinds import KINDS, Kind, UnitRule
from risk.queries.stresses import stresses_in_force
from trading.queries.books import book_for, counterparties_for
from trading.queries.markets import NoSuchMarket, commodity_by_code, market_by_code
from trading.queries.proposals import UnknownCounterparty

_CENT = Decimal("0.01")
# Scope → the field that names whose limit it is.
SCOPE_FIELDS = {
    LimitScope.BOOK: "book_id",
    LimitScope.TRADER: "trader_id",
    LimitScope.COUNTERPARTY: "counterparty_id",
}


class UnknownTrader(LookupError):
    """There is no such person in the actor's organizations."""


@dataclass(frozen=True, slots=True)
class LimitTerms:
    """
    A limit as it is proposed; fields as in `risk.models.Limit`.

    trader_id       of the user
    market, commodity   codes, empty for none
    unit            empty: the book's currency, MWh, "%" or "months", as the measure has it
    """

    measure: LimitMeasure
    amount: Decimal
    book_id: UUID | None = None
    trader_id: UUID | None = None
    counterparty_id: UUID | None = None
    unit: str = ""
    confidence: Decimal | None = None
    period: str = ""
    dimension: str = ""
    market: str = ""
    commodity: str = ""
    warn_share: Decimal = Decimal("0.8")
    excess: Excess = Excess.HARD


def checked_limit(actor: Actor, terms: LimitTerms) -> Limit:
    """
    Return the row of a limit, not yet written.

    :raises UnknownBook, UnknownCounterparty, UnknownTrader: for a scope not the actor's.
    :raises ValidationError: naming each field that breaks a rule.
    """
    kind = KINDS[terms.measure]
    row = _of_scope(actor, terms)
    problems: dict[str, str] = {}
    if LimitScope(row.scope) not in kind.scopes:
        names = " or a ".join(sorted(scope.label.lower() for scope in kind.scopes))
        problems[SCOPE_FIELDS[LimitScope(row.scope)]] = f"{kind.name} is held down for a {names}."
    row.measure, row.excess = terms.measure, terms.excess
    row.amount, row.warn_share = terms.amount, terms.warn_share
    amount = terms.amount
    if not amount.is_finite() or not 0 < amount < Decimal(10) ** 18 or amount % _CENT:
        problems["amount"] = f"{amount} must be above 0 with at most 2 decimals."
    elif kind.unit is UnitRule.PERCENT and amount > 100:
        problems["amount"] = "A share is 100 % at most."
    warn = terms.warn_share
    if not warn.is_finite() or not 0 < warn <= 1 or warn % Decimal("0.001"):
        problems["warn_share"] = "Is above 0 and at most 1, such as 0.8, with at most 3 decimals."
    problems |= _parameters(kind, terms, row)
    if terms.measure == LimitMeasure.STRESS and not stresses_in_force():
        problems["measure"] = "There is no approved stress to measure by yet."
    if "market" not in problems and "commodity" not in problems:
        problems |= _unit(actor, kind, terms, row)
    if problems:
        raise ValidationError(problems)
    return row


def _of_scope(actor: Actor, terms: LimitTerms) -> Limit:
    given = [name for name in SCOPE_FIELDS.values() if getattr(terms, name) is not None]
    if len(given) != 1:
        name = given[1] if given else "book_id"
        raise ValidationError({name: "A limit is of one book, one trader or one counterparty."})
    if terms.book_id is not None:
        book = book_for(actor, terms.book_id)
        return Limit(
            scope=LimitScope.BOOK, book_id=book.id, organization_id=book.organization_id,
            unit=book.reporting_currency,
        )  # fmt: skip
    if terms.counterparty_id is not None:
        party = next(
            (row for row in counterparties_for(actor) if row.id == terms.counterparty_id), None
        )
        if party is None:
            raise UnknownCounterparty("counterparty: there is no such counterparty for you.")
        return Limit(
            scope=LimitScope.COUNTERPARTY, counterparty_id=party.id,
            organization_id=party.organization_id,
        )  # fmt: skip
    assert terms.trader_id is not None
    try:
        user = member_or_404(actor, terms.trader_id)
    except Http404 as error:
        raise UnknownTrader("trader: there is no such person for you.") from error
    memberships = user.memberships.filter(organization_id__in=actor.organization_ids)
    return Limit(
        scope=LimitScope.TRADER, trader=f"user:{user.pk}",
        organization_id=memberships.order_by("id").values_list("organization_id", flat=True)[0],
    )  # fmt: skip


def _parameters(kind: Kind, terms: LimitTerms, row: Limit) -> dict[str, str]:
    """Write a measure's parameters into the row, and return what is wrong with them."""
    problems: dict[str, str] = {}
    for name in ("confidence", "period", "dimension", "market", "commodity"):
        value = getattr(terms, name)
        if value and name not in kind.fields:
            problems[name] = f"{kind.name} has none."
        elif not value and name in kind.required:
            problems[name] = f"{kind.name} needs one."
    if problems:
        return problems
    confidence = terms.confidence
    if confidence is not None and (
        not confidence.is_finite()
        or not Decimal("0.5") <= confidence < 1
        or confidence % Decimal("0.00001")
    ):
        problems["confidence"] = f"{confidence} must be from 0.5 to below 1."
    if terms.period and terms.period not in set(LossPeriod):
        problems["period"] = "Is DAY, MONTH or YEAR."
    if terms.dimension and terms.dimension not in set(Dimension):
        problems["dimension"] = "Is COUNTERPARTY, MARKET or TENOR."
    if terms.market and terms.commodity:
        problems["commodity"] = "A limit is of a market or of a commodity."
    try:
        row.market = market_by_code(terms.market) if terms.market else None
    except NoSuchMarket as error:
        problems["market"] = str(error)
    try:
        row.commodity = commodity_by_code(terms.commodity) if terms.commodity else None
    except NoSuchMarket as error:
        problems["commodity"] = str(error)
    row.confidence, row.period, row.dimension = confidence, terms.period, terms.dimension
    return problems


def _unit(actor: Actor, kind: Kind, terms: LimitTerms, row: Limit) -> dict[str, str]:
    """Write the unit into the row, and return what is wrong with it."""
    if kind.unit in (UnitRule.PERCENT, UnitRule.MONTHS):
        row.unit = kind.unit.value
        wrong = terms.unit not in ("", row.unit)
        return {"unit": f"{kind.name} is in {row.unit}."} if wrong else {}
    if kind.unit is UnitRule.MONEY:
        code = terms.unit or row.unit
        try:
            known_currency(code)
        except MoneyError:
            return {"unit": "A currency of ISO 4217 is needed, such as EUR."}
        if row.book_id is not None and code != row.unit:
            return {"unit": f"The book reports in {row.unit}."}
        row.unit = code
        return {}
    home = "MWh"
    if row.market is not None:
        home = row.market.price_unit
    units = [home]
    if kind.unit is UnitRule.VOLUME and home == "MWh":
        units.append("MW")
    row.unit = terms.unit or home
    if row.market is None and terms.unit and terms.unit not in units:
        # Of a commodity that is counted by the lot, in its own unit.
        units = [row.commodity.quantity_unit] if row.commodity is not None else units
    return {} if row.unit in units else {"unit": f"Is {' or '.join(units)}."}
