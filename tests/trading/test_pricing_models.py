"""Pricing models: proposed with a reason, decided by another person, known from then on."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.accounts import make_user
from tests.factories.curves import CLOSE, quote, three_markets
from tests.factories.trades import make_desk, make_market
from trading.models import OptionFamily, PricingFormula, PricingModel
from trading.queries.pricing_models import model_key, models_at
from trading.services.pricing_models import (
    ModelTerms,
    PricingModelRefused,
    decide_model,
    propose_model,
)

pytestmark = pytest.mark.django_db
LIST = "/api/v1/trading/pricing-models"
TERMS = ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BLACK76)
SPREAD = ModelTerms(
    "DE", OptionFamily.SPREAD, PricingFormula.BLACK76, second_market="FR",
    correlation=Decimal("0.8"),
)  # fmt: skip
KEY = model_key(OptionFamily.VANILLA, "DE")


@pytest.fixture
def desk():
    make_market("FR")
    make_market("GB", time_zone="Europe/London", currency="GBP")
    return make_desk()


@pytest.fixture
def second(desk):
    return Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))


def client_of(actor):
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_version_holds_from_its_approval_and_older_cuts_keep_the_one_before(desk, second):
    first = propose_model(actor=desk.officer, terms=TERMS, reason="liquid")
    assert models_at() == {}
    decide_model(actor=second, model_id=first.pk, approve=True, reason="")
    displaced = replace(
        TERMS, formula=PricingFormula.DISPLACED_BLACK, displacement=Decimal(50), vol_source="desk"
    )
    next_one = propose_model(actor=second, terms=displaced, reason="negative prices")
    before = models_at()[KEY]
    decided = decide_model(actor=desk.officer, model_id=next_one.pk, approve=True, reason="seen")
    declined = propose_model(actor=second, terms=TERMS, reason="back again")
    decide_model(actor=desk.officer, model_id=declined.pk, approve=False, reason="why?")

    assert (before.number, models_at()[KEY].number) == (1, 2)
    first.refresh_from_db()
    assert models_at(first.decided_at)[KEY].number == 1
    assert models_at(decided.decided_at)[KEY].displacement == 50
    assert models_at(first.recorded_at) == {}
    told = Event.objects.filter(aggregate_type="pricing_model").order_by("id")
    assert [event.type.partition(".")[2] for event in told] == [
        "proposed", "approved", "proposed", "approved", "proposed", "declined",
    ]  # fmt: skip
    assert told[3].payload["formula"] == "DISPLACED_BLACK"


def test_nobody_decides_on_an_own_proposal_or_twice_or_declines_without_a_reason(desk, second):
    row = propose_model(actor=desk.officer, terms=SPREAD, reason="history of two years")

    with pytest.raises(SecondPersonNeeded):
        decide_model(actor=desk.officer, model_id=row.pk, approve=True, reason="")
    with pytest.raises(PricingModelRefused, match="reason"):
        decide_model(actor=second, model_id=row.pk, approve=False, reason=" ")
    decide_model(actor=second, model_id=row.pk, approve=True, reason="")
    with pytest.raises(PricingModelRefused, match="approved already"):
        decide_model(actor=second, model_id=row.pk, approve=False, reason="no")
    with pytest.raises(PricingModelRefused, match="no such version"):
        decide_model(actor=second, model_id=0, approve=True, reason="")
    with pytest.raises(IntegrityError), transaction.atomic():
        PricingModel.objects.filter(pk=row.pk).update(decided_by=row.proposed_by)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, market="XX"), "market"),
        (replace(TERMS, displacement=Decimal(1)), "displacement"),
        (replace(TERMS, formula=PricingFormula.DISPLACED_BLACK), "displacement"),
        (replace(TERMS, correlation=Decimal("0.5")), "correlation"),
        (replace(TERMS, second_market="FR"), "second_market"),
        (replace(TERMS, vol_source="a\x00b"), "vol_source"),
        (replace(SPREAD, second_market=""), "second_market"),
        (replace(SPREAD, second_market="de"), "second_market"),
        (replace(SPREAD, second_market="GB"), "second_market"),
        (replace(SPREAD, correlation=None), "correlation"),
        (replace(SPREAD, correlation=Decimal("1.01")), "correlation"),
        (replace(SPREAD, correlation_days=60), "correlation"),
        (replace(SPREAD, correlation=None, correlation_days=10), "correlation_days"),
        (replace(SPREAD, correlation=None, correlation_days=60), "correlation_days"),
        (replace(TERMS, correlation_days=60), "correlation_days"),
        (replace(TERMS, contract_correlation=Decimal("1.1")), "contract_correlation"),
        (replace(TERMS, contract_correlation=Decimal("-0.1")), "contract_correlation"),
        (replace(SPREAD, formula=PricingFormula.DISPLACED_BLACK, displacement=Decimal(5)),
         "formula"),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_are_refused_by_field(desk, terms, field):
    with pytest.raises(ValidationError) as refused:
        propose_model(actor=desk.officer, terms=terms, reason="why not", as_of=CLOSE)

    assert list(refused.value.message_dict) == [field]
    assert not PricingModel.objects.exists()


def test_a_reason_and_the_permission_are_needed(desk):
    with pytest.raises(ValidationError, match="Say why"):
        propose_model(actor=desk.officer, terms=TERMS, reason=" ")
    with pytest.raises(PermissionMissing):
        propose_model(actor=desk.trader, terms=TERMS, reason="liquid")
    row = propose_model(actor=desk.officer, terms=TERMS, reason="liquid")
    with pytest.raises(PermissionMissing):
        decide_model(actor=desk.trader, model_id=row.pk, approve=True, reason="")


def test_the_page_proposes_and_another_person_approves_there(desk, second):
    officer, other = client_of(desk.officer), client_of(second)
    page, form = reverse("trading:pricing_models"), reverse("trading:propose_pricing_model")
    given = {"market": "DE", "family": "VANILLA", "formula": "BLACK76", "discounting": "CURVE"}

    assert b"No model yet" in officer.get(page).content
    assert officer.get(form).status_code == 200
    refused = officer.post(form, {**given, "displacement": "5", "reason": "liquid"})
    assert refused.status_code == 422 and b"Only a displaced formula" in refused.content
    assert officer.post(form, {**given, "reason": "liquid"}).status_code == 302
    assert b"Approve</button>" not in officer.get(page).content
    assert b"Approve</button>" in other.get(page).content
    row = PricingModel.objects.get()
    verdict = reverse("trading:decide_pricing_model", args=[row.pk])
    assert other.post(verdict, {"verdict": "approve"}, follow=True).status_code == 200
    shown = officer.get(page).content
    assert b"In use" in shown and b"liquid" in shown
    assert b"contracts together at 1.00, the upper bound" in shown
    assert officer.post(verdict, {"verdict": "maybe"}).status_code == 400
    late = other.post(verdict, {"verdict": "approve"}, follow=True)
    assert b"approved already" in late.content

    trader = client_of(desk.trader)
    assert trader.get(page).status_code == 200
    assert b"Propose a model" not in trader.get(page).content
    assert trader.get(form).status_code == trader.post(verdict).status_code == 403
    with CaptureQueriesContext(connection) as one:
        trader.get(page)
    propose_model(actor=desk.officer, terms=SPREAD, reason="spread")
    with CaptureQueriesContext(connection) as two:
        assert "correlation 0.8" in trader.get(page).content.decode()
    assert len(one) == len(two)


def test_rest_lists_proposes_and_decides(desk, second):
    officer, other, trader = client_of(desk.officer), client_of(second), client_of(desk.trader)
    body = {"market": "DE", "family": "VANILLA", "formula": "DISPLACED_BLACK",
            "displacement": "50", "contract_correlation": "0.85",
            "reason": "negative prices"}  # fmt: skip

    made = officer.post(LIST, body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["contract_correlation"] == "0.850000"
    assert made.json()["status"] == "PENDING" and made.json()["displacement"] == "50.000000"
    wrong = officer.post(LIST, {**body, "displacement": "0"}, content_type="application/json")
    assert wrong.status_code == 400 and "displacement" in wrong.content.decode()
    address = f"{LIST}/{made.json()['id']}/decision"
    verdict = {"verdict": "APPROVE"}
    own = officer.post(address, verdict, content_type="application/json")
    assert own.status_code == 409
    done = other.post(address, verdict, content_type="application/json")
    assert done.status_code == 200 and done.json()["status"] == "APPROVED"
    again = other.post(address, verdict, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "pricing_model_refused")
    listed = trader.get(LIST).json()["results"]
    assert [(row["version"], row["second_market"]) for row in listed] == [(1, "")]
    assert trader.post(LIST, body, content_type="application/json").status_code == 403


def test_a_correlation_of_history_is_that_of_daily_changes_of_the_same_contracts(desk):
    three_markets()
    rng = np.random.default_rng(7)
    moves = rng.standard_normal((2, 40))
    moves[1] = 0.6 * moves[0] + 0.8 * moves[1]
    prices = 80 * np.exp(np.cumsum(0.02 * moves, axis=1))
    for market, row in zip((desk.market, make_market("FR")), prices.round(2), strict=True):
        for number, price in enumerate(row.tolist()):
            at = CLOSE - timedelta(days=40 - number)
            quote(market, {("Cal27", "BASE"): f"{price:.2f}"}, at=at)
    terms = replace(SPREAD, correlation=None, correlation_days=30)

    row = propose_model(actor=desk.officer, terms=terms, reason="30 days", as_of=CLOSE)

    # The last 31 of 40 days, as rounded to cents.
    changes = np.diff(np.log(prices.round(2)[:, -31:]), axis=1)
    expected = np.corrcoef(changes)[0, 1]
    assert (row.correlation_days, row.number) == (30, 1)
    assert float(row.correlation) == pytest.approx(expected, abs=1e-6)
    page = client_of(desk.officer).get(reverse("trading:pricing_models")).content.decode()
    assert "of 30 trading days" in page
