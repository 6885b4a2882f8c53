"""Definitions of scenarios under four eyes, and the sets that they make of quoted history."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.exceptions import ValidationError

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from risk.engine import Garch, filtered_returns, month_number
from risk.models import (
    MoveRule,
    ProxyRule,
    ScenarioDefinition,
    ScenarioProxy,
    ScenarioSet,
    ScenarioShocks,
    Weighting,
)
from risk.queries.bases import basis
from risk.services.scenario_definitions import (
    DefinitionRefused,
    DefinitionTerms,
    RuleTerms,
    decide_definition,
    propose_definition,
)
from risk.services.snapshots import NoBasis, build_snapshot, trial_basis
from tests.factories.accounts import make_user
from tests.factories.curves import three_markets
from tests.factories.trades import make_desk
from trading.models import Market, PublicationPolicy, QuoteQuality, VolKind
from trading.queries.marks import month_marks
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.quotes import QuoteDraft, book_quotes
from trading.services.rates import VolDraft, book_vols

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
LAST = date(2026, 11, 20)
DESK = DefinitionTerms("DESK", "Head of market risk")


def weekdays(count):
    found, day = [], LAST
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


DAYS = weekdays(121)


def at(market, day, hour=18):
    return market.calendar.instant(datetime.combine(day, datetime.min.time().replace(hour=hour)))


def quoted(market, prices, days=DAYS):
    """Quote Cal27 and Cal28 at the same price on some days, and publish the curve of the last."""
    drafts = [
        QuoteDraft(contract, Decimal(f"{price:.4f}"), at(market, day))
        for contract in ("Cal27", "Cal28")
        for day, price in zip(days, prices, strict=True)
    ]
    book_quotes(
        actor=SYSTEM, market=market, drafts=drafts, source="test",
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )  # fmt: skip
    definition = define_curve(
        actor=SYSTEM, market=market, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    build_version(actor=SYSTEM, definition=definition, as_of=NOW(market))


def NOW(market):
    return at(market, LAST, 23)


def walk(level):
    return level + np.cumsum(np.random.default_rng(4).normal(0, 1, len(DAYS)))


@pytest.fixture
def markets():
    return three_markets()


def test_a_gas_month_ends_at_six_in_the_morning(markets):
    de = markets["DE"]
    Market.objects.filter(pk=de.pk).update(day_start=timedelta(hours=6))
    quoted(Market.objects.get(pk=de.pk), walk(85.0))
    night = datetime.fromisoformat("2026-12-01T03:00:00+01:00")

    built = build_snapshot(actor=SYSTEM, valued_at=night)

    curve = basis(built.snapshot_id).markets[de.pk].curve
    assert curve.origin == month_number(date(2026, 11, 1))
    january = month_marks(as_of=night)[de.pk].price(date(2027, 1, 1))
    assert january is not None and curve.prices[2] == january
    assert np.isnan(curve.prices[:2]).all()


@pytest.fixture
def officers(markets):
    desk = make_desk()
    second = make_user(Role.RISK_OFFICER, organization=desk.organization)
    return desk.officer, Actor.for_user(second), desk.trader


def approved(officers, terms, as_of):
    row = propose_definition(actor=officers[0], terms=terms, reason="review", as_of=as_of)
    return decide_definition(
        actor=officers[1], definition_id=row.pk, approve=True, reason="checked"
    )


def test_what_the_product_comes_with_is_version_1_and_the_set_names_it(markets):
    de = markets["DE"]
    prices = walk(85.0)
    quoted(de, prices)

    first = build_snapshot(actor=SYSTEM, valued_at=NOW(de))
    again = build_snapshot(actor=SYSTEM, valued_at=NOW(de))

    definition, made = ScenarioDefinition.objects.get(), ScenarioSet.objects.get()
    assert str(definition) == "DESK v1" and definition.owner == "Market risk"
    assert made.definition == definition and not again.is_new
    assert made.method == (
        "absolute changes of forward contracts by time to delivery, unweighted; definition DESK v1"
    )
    moves = np.diff(np.round(prices, 4))
    shocks = basis(first.snapshot_id).markets[de.pk].shocks
    np.testing.assert_allclose(shocks[:, 5], moves, atol=1e-9)


def test_another_person_approves_with_a_reason_and_the_next_set_follows(markets, officers):
    de, (officer, second, trader) = markets["DE"], officers
    prices = np.round(walk(85.0), 4)
    quoted(de, prices)
    before = build_snapshot(actor=SYSTEM, valued_at=NOW(de))
    terms = replace(DESK, rules=(RuleTerms(rule=MoveRule.RELATIVE),))
    with pytest.raises(PermissionMissing):
        propose_definition(actor=trader, terms=terms, reason="no", as_of=NOW(de))

    row = propose_definition(actor=officer, terms=terms, reason="levels moved", as_of=NOW(de))
    assert build_snapshot(actor=SYSTEM, valued_at=NOW(de)).snapshot_id == before.snapshot_id
    with pytest.raises(SecondPersonNeeded):
        decide_definition(actor=officer, definition_id=row.pk, approve=True, reason="mine")
    with pytest.raises(DefinitionRefused, match="reason: say why it is approved"):
        decide_definition(actor=second, definition_id=row.pk, approve=True, reason=" ")
    decide_definition(actor=second, definition_id=row.pk, approve=True, reason="back-test")
    with pytest.raises(DefinitionRefused, match="is approved already"):
        decide_definition(actor=second, definition_id=row.pk, approve=False, reason="late")

    after = basis(build_snapshot(actor=SYSTEM, valued_at=NOW(de)).snapshot_id)
    expected = prices[-1] * (prices[1:] / prices[:-1] - 1)
    np.testing.assert_allclose(after.markets[de.pk].shocks[:, 8], expected, atol=1e-6)
    assert after.method.startswith("relative changes") and "DESK v2" in after.method
    events = Event.objects.filter(aggregate_type="scenario_definition").order_by("id")
    assert [event.type for event in events] == [
        "scenario_definition.proposed", "scenario_definition.approved",
    ]  # fmt: skip


REFUSED = [
    ({"code": "desk 1"}, "code"),
    ({"owner": " "}, "owner"),
    ({"owner": "=cmd"}, "owner"),
    ({"scenarios": 99}, "scenarios"),
    ({"horizon_days": 2}, "horizon_days"),
    ({"code": "TEN", "horizon_days": 21}, "horizon_days"),
    ({"window_from": LAST, "window_until": LAST}, "window_until"),
    ({"decay": 0.9}, "decay"),
    ({"weighting": Weighting.EWMA}, "decay"),
    ({"weighting": Weighting.GARCH, "garch_alpha": 0.2, "garch_beta": 0.8}, "garch_beta"),
    ({"code": "TEN", "weighting": Weighting.EWMA, "decay": 0.94, "horizon_days": 10},
     "weighting"),
    ({"weighting": Weighting.EWMA, "decay": 0.94, "window_until": LAST}, "weighting"),
    ({"rules": (RuleTerms("DE"),)}, "rules"),
    ({"rules": (RuleTerms(), RuleTerms("DE"), RuleTerms("DE"))}, "rules"),
    ({"rules": (RuleTerms(), RuleTerms("XX"))}, "rules.XX.market"),
    ({"rules": (RuleTerms(displacement=3.0),)}, "rules.default.displacement"),
    ({"rules": (RuleTerms(rule=MoveRule.DISPLACED),)}, "rules.default.displacement"),
    ({"rules": (RuleTerms(), RuleTerms("DE", proxy_market="GB"))}, "rules.DE.proxy_rule"),
    ({"rules": (RuleTerms(), RuleTerms("DE", proxy_market="DE", proxy_rule=ProxyRule.AS_IS))},
     "rules.DE.proxy_market"),
    ({"rules": (RuleTerms(), RuleTerms("DE", proxy_market="GB", proxy_rule=ProxyRule.AS_IS))},
     "rules.DE.proxy_rule"),
    ({"rules": (RuleTerms(rule=MoveRule.RELATIVE),
                RuleTerms("DE", proxy_market="GB", proxy_rule=ProxyRule.SCALED))},
     "rules.DE.proxy_market"),
    ({"rules": (RuleTerms(), RuleTerms("DE", proxy_market="GB", proxy_rule=ProxyRule.SCALED),
                RuleTerms("GB", proxy_market="PJM", proxy_rule=ProxyRule.SCALED))},
     "rules.DE.proxy_market"),
]  # fmt: skip


def test_terms_that_do_not_fit_are_refused_by_field(officers):
    for changes, field in REFUSED:
        with pytest.raises(ValidationError) as refused:
            propose_definition(
                actor=officers[0], terms=replace(DESK, **changes), reason="x", as_of=at_noon()
            )
        assert list(refused.value.message_dict) == [field], changes
    assert not ScenarioDefinition.objects.exists()


def at_noon():
    return datetime.fromisoformat("2026-11-20T12:00:00+00:00")


def test_a_price_at_or_below_zero_needs_amounts_or_a_displacement(markets, officers):
    de = markets["DE"]
    prices = walk(85.0)
    prices[60] = -12.5
    quoted(de, prices)

    def proposed(rule):
        return propose_definition(
            actor=officers[0], terms=replace(DESK, rules=(rule,)), reason="x", as_of=NOW(de)
        )

    with pytest.raises(ValidationError) as refused:
        proposed(RuleTerms(rule=MoveRule.LOGARITHMIC))
    assert refused.value.message_dict == {
        "rules.default.rule": [f"DE was at -12.5 on {DAYS[60]}: must be DISPLACED or ABSOLUTE."]
    }
    with pytest.raises(ValidationError, match=r"must be above 12\.5"):
        proposed(RuleTerms(rule=MoveRule.DISPLACED, displacement=12.0))
    row = proposed(RuleTerms(rule=MoveRule.DISPLACED, displacement=50.0))

    shocks = trial_basis(row, valued_at=NOW(de))[0].markets[de.pk].shocks
    rounded = np.round(prices, 4) + 50
    expected = rounded[-1] * (rounded[1:] / rounded[:-1] - 1)
    np.testing.assert_allclose(shocks[:, 4], expected, atol=1e-6)


def test_a_rule_that_a_later_price_breaks_stops_the_set_by_name(markets, officers):
    de = markets["DE"]
    quoted(de, [*walk(85.0)[:-1], 2.0])
    row = approved(officers, replace(DESK, rules=(RuleTerms(rule=MoveRule.RELATIVE),)), NOW(de))
    later = at(de, LAST + timedelta(days=3), 23)
    book_quotes(
        actor=SYSTEM, market=de, source="test", quality=QuoteQuality(QuoteQuality.SETTLEMENT),
        drafts=[QuoteDraft("Cal27", Decimal("-3"), at(de, LAST + timedelta(days=3)))],
    )  # fmt: skip

    with pytest.raises(NoBasis, match=r"DE: history: .* -3\.0 must be above 0 for RELATIVE"):
        trial_basis(row, valued_at=later)


def test_a_short_history_is_carried_by_its_proxy_and_registered(markets, officers):
    de, gb = markets["DE"], markets["GB"]
    prices = np.round(walk(85.0), 4)
    quoted(de, prices)
    # GB is quoted on the last 41 days and moves by three times what DE does.
    gb_prices = 60 + 3 * (prices[-41:] - prices[-41])
    quoted(gb, gb_prices, DAYS[-41:])
    alone = build_snapshot(actor=SYSTEM, valued_at=NOW(gb))
    assert alone.left_out[0].startswith("GB has 41 quoted days; 101 are the least")

    rule = RuleTerms("GB", proxy_market="DE", proxy_rule=ProxyRule.SCALED)
    approved(officers, replace(DESK, rules=(RuleTerms(), rule)), NOW(gb))
    built = build_snapshot(actor=SYSTEM, valued_at=NOW(gb))

    held = basis(built.snapshot_id).markets
    np.testing.assert_allclose(held[gb.pk].shocks[:, 3], 3 * np.diff(prices), atol=1e-6)
    entry = ScenarioProxy.objects.get(kind="MARKET")
    assert (entry.market_id, entry.scenarios, entry.compared) == (gb.pk, 80, 40)
    assert entry.stands_in == "the moves of DE by the ratio of volatilities"
    assert (entry.correlation, entry.ratio) == (pytest.approx(1.0), pytest.approx(3.0))
    assert entry.scenario_set.definition.owner == "Head of market risk"


def test_moves_are_brought_to_todays_volatility(markets, officers):
    de = markets["DE"]
    prices = walk(85.0)
    prices[-20:] = prices[-21] + 4 * (prices[-20:] - prices[-21])
    quoted(de, prices)
    moves = np.diff(np.round(prices, 4))
    ewma = replace(DESK, code="FHS", weighting=Weighting.EWMA, decay=0.94)
    garch = replace(DESK, code="GARCH", weighting=Weighting.GARCH, garch_alpha=0.1, garch_beta=0.85)

    found = [
        trial_basis(
            propose_definition(actor=officers[0], terms=terms, reason="x", as_of=NOW(de)),
            valued_at=NOW(de),
        )[0]
        for terms in (ewma, garch)
    ]

    long_run = Garch(0.05 * float(np.mean(moves**2)), 0.1, 0.85)
    for on, model in zip(found, (Garch.ewma(0.94), long_run), strict=True):
        shocks = on.markets[de.pk].shocks
        np.testing.assert_allclose(shocks[:, 6], filtered_returns(moves, model), atol=1e-9)
        assert shocks[:50, 6].std() > 1.5 * moves[:50].std()
    assert "EWMA, decay 0.94" in found[0].method
    assert "GARCH(1,1), α 0.1, β 0.85" in found[1].method


def test_a_window_and_moves_of_several_days(markets, officers):
    de = markets["DE"]
    prices = np.round(walk(85.0), 4)
    quoted(de, prices)
    terms = DefinitionTerms(
        "STRESS", "Market risk", horizon_days=5, window_from=DAYS[2], window_until=DAYS[-4]
    )

    row = propose_definition(actor=officers[0], terms=terms, reason="x", as_of=NOW(de))
    on, days = trial_basis(row, valued_at=NOW(de))

    within = prices[2:-3]
    np.testing.assert_allclose(on.markets[de.pk].shocks[:, 7], within[5:] - within[:-5], atol=1e-9)
    assert on.horizon_days == 5 and (days[0], days[-1]) == (DAYS[7], DAYS[-4])
    assert f"over 5 days, unweighted; days from {DAYS[2]} until {DAYS[-4]}" in on.method


def test_volatilities_move_by_contract_and_expiry_and_are_held_where_unknown(markets):
    de = markets["DE"]
    quoted(de, walk(85.0))
    # The nearest expiry changes on the last day, and its level is another: that is no move.
    for place, (day, vol) in enumerate(zip(DAYS[-4:], (0.40, 0.42, 0.41, 0.44), strict=True)):
        near = (
            [] if place == 3 else [VolDraft("Cal27", LAST, Decimal(1), Decimal(f"{vol + 0.2:.2f}"))]
        )
        book_vols(
            actor=SYSTEM, market=de, kind=VolKind(VolKind.LOGNORMAL), source="test",
            valid_from=at(de, day),
            drafts=[*near,
                    VolDraft("Cal27", date(2026, 12, 28), Decimal("0.9"), Decimal(str(vol))),
                    VolDraft("Cal27", date(2026, 12, 28), Decimal("1.1"), Decimal(str(vol)))],
        )  # fmt: skip

    built = build_snapshot(actor=SYSTEM, valued_at=NOW(de))

    held = basis(built.snapshot_id).markets[de.pk]
    assert held.vol_kind == "LOGNORMAL" and held.vols.shape == held.shocks.shape
    assert held.vols[-3:, 2] == pytest.approx([0.02, -0.01, 0.03])
    assert not held.vols[:-3].any()
    entry = ScenarioProxy.objects.get(kind="VOLATILITY")
    assert (entry.market_id, entry.scenarios) == (de.pk, 117)
    assert ScenarioShocks.objects.get().rule == "ABSOLUTE"


def test_without_quoted_volatilities_they_are_held_and_registered(markets):
    de = markets["DE"]
    quoted(de, walk(85.0))

    built = build_snapshot(actor=SYSTEM, valued_at=NOW(de))

    assert basis(built.snapshot_id).markets[de.pk].vols is None
    assert ScenarioProxy.objects.get(kind="VOLATILITY").scenarios == 120
