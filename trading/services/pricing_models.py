"""Propose which formula values the options of a market, and decide on what another proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.proposals.services import (
    DecisionRefused,
    decide_version,
    next_number,
    said_why,
)
from energyopti.foundation.texts import check_words
from trading.models import (
    Discounting,
    Market,
    OptionFamily,
    PricingFormula,
    PricingModel,
)
from trading.queries.pricing_models import FEWEST_CHANGES, quoted_correlation

from .curve_definitions import require_operator
from .locks import lock_keys, server_time

PROPOSE = "trading.propose_pricing_model"
APPROVE = "trading.approve_pricing_model"
MODELS_KEY = "pricing_models"
_CURVE = Discounting(Discounting.CURVE)


class PricingModelRefused(DecisionRefused):
    """A decision does not fit the version; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """What a model says; fields as in `trading.models.PricingModel`, markets by code."""

    market: str
    family: OptionFamily
    formula: PricingFormula
    second_market: str = ""
    displacement: Decimal = Decimal(0)
    correlation: Decimal | None = None
    correlation_days: int | None = None
    contract_correlation: Decimal = Decimal(1)
    discounting: Discounting = _CURVE
    vol_source: str = ""


def propose_model(
    *, actor: Actor, terms: ModelTerms, reason: str, as_of: datetime | None = None
) -> PricingModel:
    """
    Propose the next version of a market's model; it values nothing until another approves it.

    as_of       until when quotes count for `correlation_days`, which needs it; what they say is
                kept as the correlation

    :raises PermissionMissing: without `trading.propose_pricing_model` in an operating company.
    :raises ValidationError: naming the field.
    """
    require_operator(actor, PROPOSE)
    words = said_why(reason)
    try:
        check_words(terms.vol_source)
    except ValueError as error:
        raise ValidationError({"vol_source": str(error)}) from error
    _check(terms)
    market = named_market("market", terms.market)
    second = named_market("second_market", terms.second_market) if terms.second_market else None
    if second is not None and market.currency != second.currency:
        raise ValidationError(
            {"second_market": f"{second.code} is priced in {second.currency}, {market.code} in"
             f" {market.currency}."}
        )  # fmt: skip
    correlation = terms.correlation
    if terms.correlation_days is not None:
        assert second is not None, "a spread has two markets"
        correlation = _of_history(market, second, terms, as_of)
    with transaction.atomic():
        lock_keys([MODELS_KEY])
        same = {"market": market, "second_market": second, "family": terms.family}
        row = PricingModel(
            **same, number=next_number(PricingModel.objects.filter(**same)), formula=terms.formula,
            displacement=terms.displacement, correlation=correlation,
            correlation_days=terms.correlation_days,
            contract_correlation=terms.contract_correlation,
            discounting=terms.discounting, vol_source=terms.vol_source.strip(), reason=words,
            proposed_by=actor.id, recorded_at=server_time(),
        )  # fmt: skip
        row.full_clean()
        row.save(force_insert=True)
        _tell(actor, row, "pricing_model.proposed", words)
    return row


def decide_model(*, actor: Actor, model_id: int, approve: bool, reason: str) -> PricingModel:
    """
    Approve or decline a version; an approved one values from now on, in cuts that know of it.

    :raises PermissionMissing: without `trading.approve_pricing_model` in an operating company.
    :raises PricingModelRefused: for one that is not there, decided already, or declined
        without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    require_operator(actor, APPROVE)
    with transaction.atomic():
        lock_keys([MODELS_KEY])
        row = decide_version(
            PricingModel, model_id, beside=("market", "second_market"), what="model",
            actor=actor, approve=approve, reason=reason, decided_at=server_time(),
            refused=PricingModelRefused,
        )  # fmt: skip
        _tell(actor, row, f"pricing_model.{row.status.lower()}", row.decision_reason)
    return row


def _check(terms: ModelTerms) -> None:
    if not terms.displacement.is_finite():
        raise ValidationError({"displacement": "Is a number."})
    if terms.formula == PricingFormula.DISPLACED_BLACK:
        if terms.displacement <= 0:
            raise ValidationError({"displacement": "Must be above 0 for a displaced formula."})
    elif terms.displacement:
        raise ValidationError({"displacement": "Only a displaced formula has one."})
    within = terms.contract_correlation
    if not (within.is_finite() and 0 <= within <= 1):
        raise ValidationError({"contract_correlation": "Is from 0 to 1."})
    if terms.family != OptionFamily.SPREAD:
        for field in ("second_market", "correlation", "correlation_days"):
            if getattr(terms, field) not in ("", None):
                raise ValidationError({field: "Only a spread has one."})
        return
    if not terms.second_market:
        raise ValidationError({"second_market": "Say what is subtracted."})
    if terms.second_market.lower() == terms.market.lower():
        raise ValidationError({"second_market": "Is another than the first."})
    if (terms.correlation is None) is (terms.correlation_days is None):
        raise ValidationError(
            {"correlation": "State how the two move together, or over how many days of quotes."}
        )
    if terms.correlation_days is not None and not 20 <= terms.correlation_days <= 1000:
        raise ValidationError({"correlation_days": "Is from 20 to 1000 trading days."})
    if terms.correlation is not None and not (
        terms.correlation.is_finite() and -1 <= terms.correlation <= 1
    ):
        raise ValidationError({"correlation": "Is from −1 to 1."})
    if terms.formula == PricingFormula.DISPLACED_BLACK:
        raise ValidationError({"formula": "Spreads are valued by Black-76 or Bachelier."})


def _of_history(
    market: Market, second: Market, terms: ModelTerms, as_of: datetime | None
) -> Decimal:
    assert as_of is not None and terms.correlation_days is not None, "history ends somewhere"
    found = quoted_correlation(
        market, second, as_of=as_of, days=terms.correlation_days,
        is_normal=terms.formula == PricingFormula.BACHELIER,
    )  # fmt: skip
    if found is None:
        raise ValidationError(
            {"correlation_days": f"{market.code} and {second.code} have fewer than"
             f" {FEWEST_CHANGES} daily changes of the same contracts in these days."}
        )  # fmt: skip
    return Decimal(f"{found:.6f}")


def named_market(field: str, code: str) -> Market:
    """
    Return the market of a code, in whichever case.

    :raises ValidationError: naming the field.
    """
    found = Market.objects.filter(code__iexact=code).first()
    if found is None:
        raise ValidationError({field: f"There is no market “{code}”."})
    return found


def _tell(actor: Actor, row: PricingModel, kind: str, reason: str) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="pricing_model",
        aggregate_id=row.pk,
        organization_id=None,
        key=f"market:{row.market.code}",
        payload={
            "market": row.market.code,
            "second_market": "" if row.second_market is None else row.second_market.code,
            "family": str(row.family), "number": row.number, "formula": str(row.formula),
            "displacement": str(row.displacement),
            "correlation": None if row.correlation is None else str(row.correlation),
            "correlation_days": row.correlation_days,
            "contract_correlation": str(row.contract_correlation),
            "discounting": str(row.discounting), "vol_source": row.vol_source,
            "reason": reason,
        },
    )  # fmt: skip
