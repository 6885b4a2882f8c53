"""Every option that the ticket can say is valued, or refused there by field."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import pytest

from energyopti.accounts.actors import Actor
from tests.factories.curves import SYSTEM
from tests.factories.trades import RECEIVED_AT, TRADED_AT, make_market
from trading.deals import OptionType
from trading.models import OptionFamily, OptionOutcome, PricingFormula, PublicationPolicy
from trading.queries.proposals import Answers, TradeInvalid, propose
from trading.queries.valuation import Universe, held_legs, market_facts, option_facts
from trading.services.curve_definitions import define_curve
from trading.services.exercise import decide_options
from trading.services.locks import server_time
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import value_organization
from trading.valuation import value_options
from trading.web.deal_forms import Known
from trading.web.option_form import OptionForm

from .desk import publish
from .options_desk import CALL, CLOSE, EVENING, choose, index_in, option, option_desk, quote_vols
from .options_desk import second_market as french_market

pytestmark = pytest.mark.django_db
HOME, OTHER, THERM, POUND, TWIN = "EPEX-DE-DA", "EPEX-FR-DA", "GAS-DA", "GB-DA", "DE-ID"
SPREADS = (OptionType.SPREAD_CALL, OptionType.SPREAD_PUT)
BEFORE, WITHIN = "2026-12-20T12:00", "2027-02-10T12:00"
# MWh of power for a price per therm of gas: 3,600 MJ over 105.505585262 MJ.
THERMS = Decimal(3_600_000_000) / Decimal("105505585.262")


def gas_market():
    """Gas per therm in euros, with an index and a curve."""
    gas = make_market("GAS", price_unit="therm")
    define_curve(
        actor=SYSTEM, market=gas, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    index_in(gas, THERM, price_unit="therm")
    publish(gas, {"Q1-27": "0.90"}, at=CLOSE)
    return gas


def everything(desk):
    """Beside DE: FR and gas with volatilities and all models, pounds, a second index of DE."""
    french_market(desk)
    quote_vols(gas_market(), {"Jan27": "0.7", "Feb27": "0.6", "Mar27": "0.5"}, at=CLOSE)
    pounds = make_market("GB", time_zone="Europe/London", currency="GBP")
    index_in(pounds, POUND, currency="GBP")
    index_in(desk.market, TWIN)
    for code in ("FR", "GAS"):
        for family in (OptionFamily.VANILLA, OptionFamily.AVERAGE):
            choose(desk, ModelTerms(code, family, PricingFormula.BLACK76))
    choose(desk, ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BLACK76,
                            second_market="GAS", correlation=Decimal("0.5")))  # fmt: skip


def forms():
    """What the ticket can say: type × style × settlement × when it is decided × underlying."""
    fields = OptionForm.base_fields
    choices = [[value for value, _ in fields[name].choices]
               for name in ("option_type", "style", "settlement")]  # fmt: skip
    for kind, style, settlement, expiry in product(*choices, (BEFORE, WITHIN)):
        pairs: list[tuple[str, str, dict[str, str]]]
        pairs = [(code, "", {}) for code in (HOME, OTHER, THERM, POUND)]
        pairs += [(HOME, "", {"ratio": "2"}), (HOME, "", {"period_2": "Q3-27"})]
        if OptionType(kind) in SPREADS:
            pairs = [(HOME, code, {}) for code in (OTHER, THERM, POUND, TWIN)]
            pairs += [
                (HOME, THERM, {"ratio": "62", "ratio_unit": "therm", "cost": "2.5"}),
                (HOME, THERM, {"ratio": "62"}),
                (HOME, THERM, {"ratio": "0", "ratio_unit": "MWh"}),
                (HOME, HOME, {"period_2": "Q3-27"}),
                (HOME, TWIN, {"period_2": "Q1-27"}),
                (HOME, OTHER, {"period_2": "Q2-27", "ratio": "1.25"}),
            ]
        for index, second, of_spread in pairs:
            yield {
                "side": "BUY", "option_type": kind, "style": style, "settlement": settlement,
                "quantity": "10", "unit": "MW:HOUR", "area": "DE", "product": "base",
                "period": "Q1-27", "index": index, "index_2": second, "strike": "20",
                "strike_2": "40" if kind == "COLLAR" else "", "expiry": expiry,
                "exercises": "2026-12-10T12:00" if style == "BERMUDAN" else "", **of_spread,
            }  # fmt: skip


def test_every_option_of_the_ticket_is_valued_or_refused_by_a_field_of_it():
    desk = option_desk()
    everything(desk)
    known, answers = Known.now(TRADED_AT), Answers()
    accepted, refused = [], Counter()
    for said in forms():
        form = OptionForm(said, known=known)
        if not form.is_valid():
            refused.update(list(form.errors))
            continue
        try:
            propose(
                actor=desk.trader, deal=form.deal, book_id=desk.book.pk,
                counterparty_id=desk.counterparty.pk, traded_at=TRADED_AT,
                received_at=RECEIVED_AT, answers=answers,
            )  # fmt: skip
        except TradeInvalid as error:
            field = form.rule_fields.get(error.field, error.field)
            assert field in form.fields and error.message, (said, error)
            refused[field] += 1
        else:
            accepted.append((said, form.deal.options[0]))

    universe, cut = Universe(), {"as_of": EVENING, "known_at": server_time()}
    held = held_legs(universe, [(n, 1, leg) for n, (_, leg) in enumerate(accepted)])
    state = market_facts(universe, **cut).state
    facts = option_facts(universe, state, **cut)
    worth = value_options(
        universe.contracts, facts.optionlets, held.holdings(len(universe.lines)), state,
        facts.market,
    )  # fmt: skip
    lines = {trade: line for (trade, _), line in universe.lines.items()}
    without = {
        n: held.refused.get(n) or [facts.reasons.get(at) for trade, at in
                                   zip(held.trade, held.optionlet, strict=True) if trade == n]
        for n in range(len(accepted))
        if n in held.refused or worth.lines_missing[lines[n]]
    }  # fmt: skip
    unvalued = [(accepted[n], why) for n, why in without.items()]

    assert unvalued == []
    assert set(refused) == {
        "index", "expiry", "settlement", "style", "ratio", "ratio_unit", "period_2",
    }  # fmt: skip
    # What the list above has in it: an average of spreads, and gas per therm under power.
    valued = {(leg.option_type.value, leg.style.value, said["index_2"] or said["index"])
              for n, (said, leg) in enumerate(accepted) if n not in without}  # fmt: skip
    assert ("SPREAD_PUT", "ASIAN", THERM) in valued and ("CAP", "EUROPEAN", THERM) in valued
    assert not [row for row in valued if row[2] in (POUND, TWIN)]
    # Nor is one that says a ratio or a second delivery and is refused anything but said so.
    of_spread = {(leg.option_type.value, str(leg.ratio), said.get("period_2", ""), said["index_2"])
                 for said, leg in accepted if len(leg.underlying) > 1}  # fmt: skip
    assert of_spread == {
        (kind.value, *rest) for kind in SPREADS
        for rest in (("1", "", OTHER), ("1", "", THERM), ("62", "", THERM), ("1", "Q3-27", HOME),
                     ("1.25", "Q2-27", OTHER))
    }  # fmt: skip


def test_gas_per_therm_counts_exactly_under_an_option_per_megawatt_hour():
    desk = option_desk(with_model=False)
    gas_market()
    gas = Known.now(TRADED_AT).indices[THERM]
    receipt = desk.deal(
        deal=option(CALL, underlying=(gas,), strikes=(Decimal(20),), premium=Decimal(0))
    )
    at = datetime(2026, 12, 18, 17, tzinfo=UTC)
    publish(make_market("GAS"), {"Q1-27": "0.8125"}, at=at)
    decide_options(actor=Actor.system("beat"), as_of=CALL.expiry)

    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=CALL.expiry
    )

    outcome = OptionOutcome.objects.get()
    price = Decimal("0.8125") * THERMS
    assert Decimal(outcome.prices[0]) == price.quantize(Decimal("0.000001"))
    assert outcome.cash == (21590 * (price - 20)).quantize(Decimal("0.01"))
    found = run.values.get(trade__ref=receipt.ref)
    assert (found.realised, found.unrealised) == (outcome.cash, 0)
