"""A captured trade: exact sums, deltas and totals together, and what is refused leaves nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.registry import MissingEntry, Registry
from tests.factories.accounts import make_user
from tests.factories.trades import LEI, TRADED_AT, deal_of_words, make_book, make_desk
from trading import checks
from trading.checks import CheckResult, Outcome
from trading.models import Counterparty, PositionDelta, Trade, TradeVersion
from trading.queries.books import UnknownBook, book_ids, book_path, books_for
from trading.queries.positions import positions_by_deltas, positions_of
from trading.queries.proposals import TradeInvalid, UnknownCounterparty
from trading.services.books import ForeignOrganization, add_counterparty, open_book
from trading.services.capture import ReasonNeeded, ReferenceReused, TradeStopped

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


def nothing_was_written() -> bool:
    return not (
        Trade.objects.exists()
        or TradeVersion.objects.exists()
        or PositionDelta.objects.exists()
        or Event.objects.filter(type="trade.captured").exists()
    )


def test_a_year_of_base_has_exact_sums_twelve_deltas_and_an_event(desk):
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20", text="B 10MW DE base Cal27 @ 85.20")

    version = TradeVersion.objects.select_related("trade").get(trade__ref=receipt.ref)
    deltas = PositionDelta.objects.filter(trade_version=version).order_by("month")
    assert (version.hours, version.energy_mwh) == (8760, 87600)
    assert version.notional == Decimal("7463520.00")
    assert [f"{d.month:%m}" for d in deltas] == [f"{m:02d}" for m in range(1, 13)]
    assert {d.exposure for d in deltas} == {Decimal(10)}
    assert {d.fixed for d in deltas} == {Decimal("852")}
    march = next(d for d in deltas if d.month.month == 3)
    assert march.end - march.start == timedelta(hours=743)
    event = Event.objects.get(type="trade.captured")
    assert event.payload["notional"] == "7463520.00"
    assert event.key == f"book:{desk.book.pk}"
    assert {c["check"] for c in version.checks} == {
        "approved_product",
        "duplicate",
        "price_sanity",
        "limits",
    }


def test_totals_are_the_sum_of_the_deltas_whatever_is_dealt(desk):
    for text in (
        "B 10MW DE base Cal27 @ 85.20",
        "S 4MW DE base Q1-27 @ 90.5",
        "B 3.5MW DE base W05-27 @ -12.345678",
        "S 9.125MW DE base Cal27 @ 80",
    ):
        desk.deal(text)

    kept, summed = positions_of([desk.book.pk]), positions_by_deltas([desk.book.pk])

    def numbers(positions):
        return [(p.key, p.physical, p.exposure, p.fixed) for p in positions]

    assert numbers(kept) == numbers(summed)
    january = next(p for p in kept if p.month.month == 1 and p.count_from(TRADED_AT) == 744)
    assert january.exposure == Decimal("10") - 4 - Decimal("9.125")


def test_the_same_client_reference_is_the_same_trade(desk):
    first = desk.deal(client_reference="order-17")
    again = desk.deal(client_reference="order-17")

    assert (again.ref, again.is_new) == (first.ref, False)
    assert Trade.objects.count() == 1
    with pytest.raises(ReferenceReused, match="order-17"):
        desk.deal("B 11MW DE base Cal27 @ 85.20", client_reference="order-17")


def test_a_soft_finding_needs_a_reason_and_keeps_it(desk):
    with pytest.raises(ReasonNeeded) as refused:
        desk.deal(reason=" ")
    assert nothing_was_written()
    assert Outcome.SOFT in {r.outcome for r in refused.value.results}

    receipt = desk.deal(reason="first deal before the curve")

    assert TradeVersion.objects.get(trade__ref=receipt.ref).reason == "first deal before the curve"


def test_the_same_terms_within_ten_minutes_are_pointed_out(desk):
    first = desk.deal()

    results = {r.check: r for r in desk.deal(traded_at=TRADED_AT - timedelta(minutes=9)).results}
    assert results["duplicate"].outcome is Outcome.SOFT
    assert first.ref in results["duplicate"].reason
    later = {r.check: r for r in desk.deal(traded_at=TRADED_AT - timedelta(minutes=30)).results}
    assert later["duplicate"].outcome is Outcome.PASS


def with_check(monkeypatch, outcome):
    entries = Registry("trade checks", required=checks.CHECKS.required)
    for name in entries.required:
        entries.register(
            name, lambda _, name=name: CheckResult(name, outcome, f"{name} says {outcome}")
        )
    monkeypatch.setattr(checks, "CHECKS", entries)


def test_a_hard_check_stops_an_order_and_not_a_fill(desk, monkeypatch):
    with_check(monkeypatch, Outcome.HARD)

    with pytest.raises(TradeStopped, match="limits says HARD"):
        desk.deal()
    assert nothing_was_written()
    receipt = desk.deal(fill=True)

    assert Trade.objects.get(ref=receipt.ref).basis == "FILL"


def test_a_missing_check_closes_the_door(desk, monkeypatch):
    monkeypatch.setattr(checks, "CHECKS", Registry("trade checks", required=frozenset({"limits"})))

    with pytest.raises(MissingEntry, match="limits"):
        desk.deal(fill=True)
    assert nothing_was_written()


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"words": "B 10MW DE base Cal27 @ 85 GBP"}, TradeInvalid, "currency"),
        ({"words": "B 10MW FR base Cal27 @ 85"}, TradeInvalid, "FR is no market"),
        ({"words": "B 10MW DE base Cal26 @ 85"}, TradeInvalid, "had begun"),
        ({"traded_at": TRADED_AT + timedelta(days=1)}, TradeInvalid, "future"),
        ({"traded_at": TRADED_AT.replace(tzinfo=None)}, TradeInvalid, "offset"),
        ({"tags": ("x" * 41,)}, TradeInvalid, "tags"),
        ({"reason": "a\x00b"}, TradeInvalid, "NUL"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_and_nothing_is_written(desk, changes, error, words):
    with pytest.raises(error, match=words):
        desk.deal(**changes)

    assert nothing_was_written()


def test_books_and_counterparties_of_others_do_not_exist(desk):
    other = make_desk()

    with pytest.raises(UnknownBook):
        desk.deal(book_id=other.book.pk)
    with pytest.raises(UnknownCounterparty):
        desk.deal(counterparty_id=other.counterparty.pk)
    assert nothing_was_written()


def test_roles_decide_who_may_deal(desk):
    reader = Actor.for_user(make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization))

    with pytest.raises(PermissionMissing):
        desk.deal(actor=reader)
    with pytest.raises(PermissionMissing):
        desk.deal(actor=reader, fill=True)
    # The officer sees every book and may trade in none.
    assert desk.book.pk in book_ids(desk.officer)
    with pytest.raises(PermissionMissing):
        desk.deal(actor=desk.officer)


def test_a_member_without_a_grant_does_not_reach_the_book(desk):
    colleague = Actor.for_user(make_user(Role.TRADER, organization=desk.organization))

    assert books_for(colleague) == []
    with pytest.raises(UnknownBook):
        desk.deal(actor=colleague)


def test_a_grant_reaches_the_books_below(desk):
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    beside = make_book(desk.organization, "US")
    trader = desk.again(desk.trader)

    assert below.pk in book_ids(trader, level="trade")
    assert beside.pk not in book_ids(trader)
    assert book_path(below.pk) == (below.pk, desk.book.pk)


def test_books_and_counterparties_are_opened_by_rules(desk):
    officer, organization = desk.officer, desk.organization

    book = open_book(actor=officer, organization_id=organization.pk, code="UK", name="UK power")
    party = add_counterparty(
        actor=officer, organization_id=organization.pk, code="VOLT", name="Volt", lei=LEI.lower()
    )

    assert Event.objects.filter(type="book.opened", aggregate_id=str(book.pk)).exists()
    assert party.lei == LEI
    with pytest.raises(ValidationError, match="legal entity identifier"):
        add_counterparty(
            actor=officer, organization_id=organization.pk, code="X", name="X", lei=LEI[:-1] + "4"
        )
    with pytest.raises(ValidationError):
        open_book(actor=officer, organization_id=organization.pk, code="uk", name="again")
    with pytest.raises(ValidationError, match="parent"):
        open_book(
            actor=officer, organization_id=organization.pk, code="Z", name="Z",
            parent_id=make_desk().book.pk,
        )  # fmt: skip
    with pytest.raises(ValidationError, match="reports in EUR"):
        open_book(
            actor=officer, organization_id=organization.pk, code="Z", name="Z",
            reporting_currency="GBP", parent_id=desk.book.pk,
        )  # fmt: skip
    with pytest.raises(ForeignOrganization):
        open_book(actor=officer, organization_id=make_desk().organization.pk, code="Z", name="Z")
    with pytest.raises(PermissionMissing):
        add_counterparty(actor=desk.trader, organization_id=organization.pk, code="Y", name="Y")
    assert not Counterparty.objects.filter(code="X").exists()


def test_a_peak_deal_counts_peak_hours(desk):
    receipt = desk.deal("B 5MW DE peak Cal27 @ 95", fill=True)

    version = TradeVersion.objects.get(trade__ref=receipt.ref)
    assert (version.hours, version.energy_mwh) == (3132, 15660)
    assert deal_of_words("B 5MW DE peak Cal27 @ 95").schedule.interval.hours == 8760
