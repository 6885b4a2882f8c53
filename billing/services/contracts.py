"""Agree supply contracts and their later terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from billing.rating import PriceRule
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, Site
from energyopti.foundation.events.services import record_event
from energyopti.foundation.money import MoneyError, Rounding, RoundingScope, currency

from ..models import Contract, ContractTerms


class ContractRefused(ValueError):
    """A contract or its terms break a rule; names the field and the rule."""


@dataclass(frozen=True)
class Terms:
    """
    What is agreed about price, from a local day on.

    adder_per_kwh, fixed_price_per_kwh     currency per kWh; the latter only with the rule FIXED
    standing_charge_per_day                currency per local day
    tax_rate                               0.19 for 19 %
    """

    valid_from: date
    price_rule: PriceRule
    tax_rate: Decimal
    adder_per_kwh: Decimal = Decimal(0)
    fixed_price_per_kwh: Decimal | None = None
    standing_charge_per_day: Decimal = Decimal(0)
    valid_until: date | None = None
    rounding: Rounding = Rounding.HALF_UP
    rounding_scope: RoundingScope = RoundingScope.PER_LINE
    payment_days: int = 14

    def check(self) -> None:
        """
        Refuse terms that nobody could bill by.

        :raises ContractRefused: naming the field and the rule.
        """
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ContractRefused("valid_until: must be later than valid_from.")
        if (self.price_rule is PriceRule.FIXED) != (self.fixed_price_per_kwh is not None):
            raise ContractRefused(
                "fixed_price_per_kwh: give it with the rule FIXED, and only with that one."
            )
        if not 0 <= self.tax_rate <= 1:
            raise ContractRefused(f"tax_rate: {self.tax_rate} must be between 0 and 1.")
        if self.standing_charge_per_day < 0:
            raise ContractRefused("standing_charge_per_day: must not be negative.")
        for name, places in (
            ("adder_per_kwh", 8),
            ("fixed_price_per_kwh", 8),
            ("standing_charge_per_day", 4),
            ("tax_rate", 4),
        ):
            value = getattr(self, name)
            # The database would round silently, and the invoice would not be what was agreed.
            if value is not None and value != round(value, places):
                raise ContractRefused(f"{name}: {value} has more than {places} decimals.")


def agree_contract(
    *,
    actor: Actor,
    issuer: Organization,
    organization: Organization,
    market: Any,
    reference: str,
    terms: Terms,
    agreed_at: datetime,
    sites: Sequence[Site] = (),
) -> Contract:
    """
    Agree a supply contract with a customer; its first terms begin with it.

    market    a `trading.Market`: its prices, zone and currency apply
    sites     of the customer; none means all that it has and will have

    :raises ContractRefused: if parties, sites, currency or terms do not fit.
    :raises PermissionMissing: without `billing.agree_contract`.
    """
    actor.require("billing.agree_contract")
    terms.check()
    if not reference.strip():
        raise ContractRefused("reference: give the contract a reference.")
    if organization.parent_id != issuer.pk:
        raise ContractRefused(f"organization: {organization} is not a customer of {issuer}.")
    if {issuer.pk, organization.pk} - actor.organization_ids:
        raise ContractRefused("issuer: you can agree contracts only for your organization.")
    strangers = [str(site) for site in sites if site.organization_id != organization.pk]
    if strangers:
        raise ContractRefused(f"sites: {', '.join(strangers)} does not belong to {organization}.")
    try:
        currency(market.currency)
    except MoneyError as error:
        raise ContractRefused(f"market: {error}") from error
    with transaction.atomic():
        if Contract.objects.filter(reference=reference).exists():
            raise ContractRefused(f"reference: there is already a contract {reference}.")
        contract = Contract.objects.create(
            reference=reference,
            issuer=issuer,
            organization=organization,
            market=market,
            currency=market.currency,
            agreed_at=agreed_at,
        )
        contract.sites.set(sites)
        first = _add_terms(contract, terms, version=1)
        record_event(
            type="contract.agreed",
            actor=actor,
            aggregate_type="contract",
            aggregate_id=reference,
            organization_id=organization.pk,
            payload={
                "issuer": str(issuer.pk),
                "market": market.code,
                "sites": sorted(str(site.pk) for site in sites),
                "terms": _told(first),
            },
        )
    return contract


def agree_terms(
    *, actor: Actor, contract: Contract, terms: Terms, agreed_at: datetime
) -> ContractTerms:
    """
    Agree new terms that replace the present ones from their first day on.

    :raises ContractRefused: if they would begin before the present ones, or on days that an
        invoice already covers.
    """
    actor.require("billing.agree_contract")
    terms.check()
    if contract.issuer_id not in actor.organization_ids:
        raise ContractRefused("contract: you can agree terms only for your organization.")
    with transaction.atomic():
        lock_contract(contract)
        present = contract.terms.order_by("-version").first()
        if terms.valid_from <= present.valid_from:
            raise ContractRefused(
                f"valid_from: the present terms began on {present.valid_from}; later ones must "
                "begin after that."
            )
        billed = contract.invoices.filter(period_after__gt=terms.valid_from).first()
        if billed is not None:
            raise ContractRefused(
                f"valid_from: invoice {billed.number} already covers days up to "
                f"{billed.period_after}."
            )
        added = _add_terms(contract, terms, version=present.version + 1)
        before, after = _told(present), _told(added)
        record_event(
            type="contract.terms_agreed",
            actor=actor,
            aggregate_type="contract",
            aggregate_id=contract.reference,
            organization_id=contract.organization_id,
            payload={"agreed_at": agreed_at.isoformat(), "terms": after},
            changes={
                name: (before[name], after[name]) for name in after if before[name] != after[name]
            },
        )
    return added


def lock_contract(contract: Contract) -> None:
    """
    Wait until nobody else bills this contract or changes its terms, until the transaction ends.

    An advisory lock, because a row that may not be updated cannot be locked for update either.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"billing.contract:{contract.pk}"],
        )


def _add_terms(contract: Contract, terms: Terms, *, version: int) -> ContractTerms:
    return ContractTerms.objects.create(
        contract=contract,
        version=version,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        price_rule=terms.price_rule.value,
        adder_per_kwh=terms.adder_per_kwh,
        fixed_price_per_kwh=terms.fixed_price_per_kwh,
        standing_charge_per_day=terms.standing_charge_per_day,
        tax_rate=terms.tax_rate,
        rounding=terms.rounding.value,
        rounding_scope=terms.rounding_scope.value,
        payment_days=terms.payment_days,
    )


def _told(terms: ContractTerms) -> dict[str, str | None]:
    """Return terms as an event tells them: decimals and dates as text."""
    return {
        name: None if getattr(terms, name) is None else str(getattr(terms, name))
        for name in (
            "version",
            "valid_from",
            "valid_until",
            "price_rule",
            "adder_per_kwh",
            "fixed_price_per_kwh",
            "standing_charge_per_day",
            "tax_rate",
            "rounding",
            "rounding_scope",
            "payment_days",
        )
    }
