"""
One of each product through its whole life: booked in three ways, valued, explained, paid once.

All live on one desk through the same days; each test looks at one product. A quick part runs with
every change, the rest is slow.
"""

from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Sum

from trading import deals
from trading.deals import Structure
from trading.models import (
    OptionGreek,
    OptionOutcome,
    PnlReport,
    StructureValue,
    Trade,
    TradeVersion,
)
from trading.queries.summaries import terms_json

from .desk_of_each import AFTER, API, BUMPS, EXERCISED, NOMINATED, clock_at, open_world
from .products import PRODUCTS

pytestmark = pytest.mark.django_db
QUICK = ("swap", "PPA with floor and cap", "physical call", "cap", "Asian call", "swing",
         "spark spread with heat rate")  # fmt: skip
CENT = Decimal("0.01")


def each(names=tuple(PRODUCTS)):
    """Return products as parameters; all but the quick ones are slow."""
    return [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in names]


OPTIONS = [name for name, terms in PRODUCTS.items() if terms["product"] == "OPTION"]
CONTRACTS = [name for name, terms in PRODUCTS.items() if "structure" in terms]


@pytest.fixture(scope="module")
def desk(request, django_db_setup, django_db_blocker):
    """The desk after all its days, in one transaction; of the products that are asked for."""
    wanted = {
        item.callspec.params["name"]
        for item in request.session.items
        if item.path == request.path and "name" in getattr(item, "callspec", request).params
    }
    names = [name for name in PRODUCTS if name in wanted]
    bumps = list(BUMPS) if wanted - set(QUICK) else ["DE"]
    with django_db_blocker.unblock(), transaction.atomic():
        world = open_world()
        world.live(names, bumps=bumps)
        yield world
        transaction.set_rollback(True)


@pytest.mark.parametrize("name", each())
def test_form_program_and_file_book_the_same_terms_after_a_preview(desk, name):
    booked = desk.booked[name]

    by_form, by_program, by_file = (booked.deal(way) for way in ("form", "REST", "CSV"))

    assert by_form == by_program == by_file
    assert terms_json(by_form) == terms_json(by_program) == terms_json(by_file)
    assert "What the checks say" in booked.preview
    if name in OPTIONS:
        assert "hedge by delivery month" in booked.preview


@pytest.mark.parametrize("name", each())
def test_is_valued_at_each_close(desk, name):
    for day in desk.days:
        found = day.run.values.filter(trade__ref=desk.booked[name].ref)
        if Trade.objects.get(ref=desk.booked[name].ref).status != "CANCELLED":
            assert [value.is_valued for value in found] == [True], day.run.findings


def moved(desk, name, what):
    """Value as it is, and moved up and down, in EUR."""
    size = BUMPS[what]
    return tuple(
        float(desk.bumped[key].values.get(trade__ref=desk.booked[name].ref).unrealised)
        for key in (("", 0.0), (what, size), (what, -size))
    )


def markets_of(desk):
    return sorted({what for what, _ in desk.bumped} - {"", "VOL"})


def linear_exposure(deal, market):
    """Units of a market's price that a deal's legs add up to."""
    total = 0.0
    for delta in deals.deltas(deal):
        if delta.market != market:
            continue
        if isinstance(delta, deals.ProfileDelta):
            total += float(delta.exposure.sum()) / 1e6 * float(delta.hours)
        else:
            total += float(delta.count) * float(delta.exposure)
    return total


@pytest.mark.parametrize("name", each(n for n in PRODUCTS if n not in OPTIONS + CONTRACTS))
def test_a_price_moves_a_linear_value_by_its_position(desk, name):
    deal, ref = desk.booked[name].deal(), desk.booked[name].ref
    for market in markets_of(desk):
        _, up, down = moved(desk, name, market)
        delta = linear_exposure(deal, market)
        greeks = OptionGreek.objects.filter(run=desk.bumped["", 0.0], trade__ref=ref)
        delta += float(greeks.filter(market__code=market).aggregate(d=Sum("delta"))["d"] or 0)
        assert (up - down) / (2 * BUMPS[market]) == pytest.approx(delta, rel=5e-3, abs=0.2)


@pytest.mark.parametrize("name", each(OPTIONS))
def test_an_options_greeks_are_those_of_publishing_a_moved_market(desk, name):
    ref = desk.booked[name].ref
    greeks = OptionGreek.objects.filter(run=desk.bumped["", 0.0], trade__ref=ref)
    for what in sorted({what for what, _ in desk.bumped} - {""}):
        _, up, down = moved(desk, name, what)
        slope, which = (up - down) / (2 * BUMPS[what]), greeks.filter(market__code=what)
        delta = which.aggregate(d=Sum("delta"))["d"] or 0
        if what == "VOL":
            # Vega is per point of volatility.
            delta = 100 * (greeks.aggregate(v=Sum("vega"))["v"] or 0)
        assert slope == pytest.approx(float(delta), rel=5e-3, abs=1), what


@pytest.mark.parametrize("name", each(OPTIONS))
def test_the_page_says_which_model_convention_and_error(desk, name):
    page, told = desk.pages[name], desk.values[name]

    for words in ("Black-76", "version 1", "Convention", "ACT/365", "By revaluation"):
        assert words in page, words
    assert told["run"] == desk.days[1].run.pk
    for row in told["greeks"]:
        assert row["delta"] == pytest.approx(row["delta_revalued"], rel=1e-3, abs=0.5)
    for row in told["compared"]:
        # A day is most of the life that some have left, and the formula is of an instant.
        off = {"rel": 0.15, "abs": 1} if row["name"] == "Theta" else {"rel": 2e-2, "abs": 0.5}
        assert row["formula"] == pytest.approx(row["revalued"], **off), row["name"]


@pytest.mark.parametrize("name", each(CONTRACTS))
def test_a_contracts_hedge_lies_between_what_a_lower_and_a_higher_price_are_worth(desk, name):
    kept = StructureValue.objects.get(run=desk.bumped["", 0.0], trade__ref=desk.booked[name].ref)
    for market in markets_of(desk):
        worth, up, down = moved(desk, name, market)
        delta = sum(row["delta"] for row in kept.hedge if row["market"] == market)
        # Who holds choices gains from a move either way.
        below, above = (worth - down) / BUMPS[market], (up - worth) / BUMPS[market]
        assert below - 1 <= delta <= above + 1, market
    assert kept.method
    for words in ("Method", "Standard error", "Model", "hedge by delivery month", "Plan by"):
        assert words in desk.pages[name], words


@pytest.mark.parametrize("name", each())
def test_days_are_explained_to_the_cent(desk, name):
    trade = Trade.objects.get(ref=desk.booked[name].ref)
    for before, after in zip(desk.days, desk.days[1:], strict=False):
        report = PnlReport.objects.get(closing=after.run)
        steps = list(report.steps.filter(trade=trade))
        worth = [
            run.values.filter(trade=trade).aggregate(v=Sum("realised") + Sum("unrealised"))["v"]
            for run in (before.run, after.run)
        ]
        assert sum(step.amount for step in steps) == (worth[1] or 0) - (worth[0] or 0)
        assert not [step for step in steps if step.kind == "RESIDUAL"]
        assert report.steps.aggregate(s=Sum("reporting"))["s"] == report.total


@pytest.mark.parametrize("name", each())
def test_is_decided_paid_and_settled_once_and_its_cash_is_its_value(desk, name):
    trade = Trade.objects.get(ref=desk.booked[name].ref)
    with clock_at(AFTER):
        page = desk.client.get(desk.page_of(name))
        told = desk.client.get(f"{API}/{trade.ref}").json()
    shown = page.context

    assert (desk.beats[0] > 0, desk.beats[1]) == (True, 0)
    assert trade.status == "SETTLED"
    events = TradeVersion.objects.filter(trade=trade).values_list("event", flat=True)
    assert list(events).count("SETTLE") == 1
    value = desk.last.values.get(trade=trade)
    assert value.unrealised == 0
    # Physical delivery is worth the market; all other cash is on the page and in REST.
    cash = told["cash"]
    on_page = [row.amount for row in shown["cash"].months] + [
        amount for _, amount, _ in shown["cash"].single
    ]
    on_page += [row.amount for row in shown["floating"].months]
    on_page += [row.cash for row in shown["outcomes"]]
    in_rest = [row["amount"] for part in ("fixed", "single", "floating") for row in cash[part]]
    in_rest += [row["cash"] for row in told["outcomes"]]
    assert sum(map(Decimal, in_rest)) == sum(on_page)
    assert cash["open"] == []
    if not booked_delivery(desk.booked[name].deal()):
        assert abs(sum(on_page) - value.realised) <= 5 * CENT
    outcomes = OptionOutcome.objects.filter(trade=trade)
    if PRODUCTS[name].get("option", {}).get("settlement") == "CASH":
        assert outcomes.exists()
    elif name in EXERCISED:
        made = Trade.objects.get(replaces=trade)
        assert outcomes.get().result == made
        assert made.status == "SETTLED"
        assert made.ref in page.text
        assert told["outcomes"][0]["result"] == made.ref
    elif name in NOMINATED:
        wanted = [day for day, said in NOMINATED[name].items() if any(map(float, said))]
        assert outcomes.count() == len(wanted)
    elif name in OPTIONS:
        assert outcomes.get().kind == "LAPSED"


def booked_delivery(deal):
    """Say whether the deal itself delivers: then its value has the goods in it, not only cash."""
    return bool(deal.deliveries) and not any(isinstance(leg, Structure) for leg in deal.legs)
