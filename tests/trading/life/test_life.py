"""The life of a trade: each verb adds a version, moves positions exactly, and keeps what was."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from energyopti.foundation.registry import Registry
from tests.factories.accounts import make_user
from tests.factories.trades import (
    RECEIVED_AT,
    deal_of_words,
    make_book,
    make_counterparty,
    make_desk,
)
from trading import checks
from trading.checks import CheckResult, Outcome
from trading.markets.bank_holidays import target_holidays
from trading.models import (
    Agreement,
    Fee,
    PositionTotal,
    Trade,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.deals import deal_of
from trading.queries.payments import payment_due
from trading.queries.positions import positions_by_deltas, positions_of, positions_of_trade
from trading.queries.trades import UnknownTrade
from trading.reference import HolidayTerms
from trading.services.capture import (
    PackageItem,
    ReasonNeeded,
    ReferenceReused,
    TradeStopped,
    capture_mirror,
    capture_package,
    save_draft,
)
from trading.services.catalogue import ensure_catalogue
from trading.services.early_ends import TerminationFee, novate_trade, terminate_trade
from trading.services.four_eyes import set_four_eyes
from trading.services.life import (
    TRANSITIONS,
    StaleVersion,
    TransitionForbidden,
)
from trading.services.lifecycle import (
    amend_trade,
    cancel_trade,
    correct_trade,
    reject_trade,
    release_trade,
    submit_draft,
)
from trading.services.maturity import mature_trades
from trading.services.shapes import publish_holidays

pytestmark = pytest.mark.django_db

DEAL = "B 10MW DE base Cal27 @ 85.20"
LATER = RECEIVED_AT + timedelta(hours=1)


@pytest.fixture
def desk():
    return make_desk()


def colleague(desk, role=Role.TRADER):
    user = make_user(role, organization=desk.organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, desk.book)
    return Actor.for_user(user)


def four_eyes(desk, amount="1000000"):
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(amount))


def change(desk, receipt, verb, **more):
    more.setdefault("expected_version", Trade.objects.get(ref=receipt.ref).latest_version)
    more.setdefault("actor", desk.trader)
    if verb not in (submit_draft, release_trade):
        more.setdefault("reason", "agreed with the other side")
    return verb(ref=receipt.ref, received_at=LATER, **more)


def held(desk, stage="LIVE"):
    return {
        (p.month, p.shape): (p.physical, p.exposure, p.fixed)
        for p in positions_of([desk.book.pk], stage=stage)
        if not p.is_nothing
    }


def totals_equal_deltas(*books):
    for stage in ("LIVE", "PENDING"):
        for book in books:
            kept = {p.key: p for p in positions_of([book.pk], stage=stage)}
            summed = {p.key: p for p in positions_by_deltas([book.pk], stage=stage)}
            assert kept.keys() == summed.keys()
            for key, position in kept.items():
                other = summed[key]
                assert (position.physical, position.exposure, position.fixed) == (
                    other.physical, other.exposure, other.fixed,
                )  # fmt: skip


def status(receipt):
    return Trade.objects.get(ref=receipt.ref).status


def test_an_amendment_is_a_version_and_moves_only_the_difference(desk):
    receipt = desk.deal(DEAL)
    change(desk, receipt, amend_trade, deal=deal_of_words("B 12MW DE base Cal27 @ 84"))

    versions = TradeVersion.objects.filter(trade__ref=receipt.ref).order_by("version")
    assert [(v.event, v.status, v.quantity_mw) for v in versions] == [
        ("CAPTURE", "LIVE", 10), ("AMEND", "LIVE", 12),
    ]  # fmt: skip
    assert {d.exposure for d in versions[1].deltas.all()} == {Decimal(2)}
    assert {d.fixed for d in versions[1].deltas.all()} == {Decimal(12 * 84 - 852)}
    assert set(held(desk).values()) == {(12, 12, 1008)}
    assert deal_of(versions[0]) == deal_of_words(DEAL)
    event = Event.objects.get(type="trade.amended")
    assert event.changes["price"] == {"before": "85.2", "after": "84"}
    assert event.changes["quantity"] == {"before": "10", "after": "12"}
    totals_equal_deltas(desk.book)


def test_a_change_of_another_version_is_refused_with_both(desk):
    receipt = desk.deal(DEAL)
    change(desk, receipt, amend_trade, deal=deal_of_words("B 12MW DE base Cal27 @ 84"))

    with pytest.raises(StaleVersion) as refused:
        change(desk, receipt, cancel_trade, expected_version=1)

    assert (refused.value.seen.version, refused.value.held.version) == (1, 2)
    assert (refused.value.seen.quantity_mw, refused.value.held.quantity_mw) == (10, 12)
    assert status(receipt) == "LIVE"


def test_a_correction_holds_from_the_start_and_is_never_stopped(desk, monkeypatch):
    receipt = desk.deal(DEAL)
    stop_everything(monkeypatch)
    change(desk, receipt, correct_trade, deal=deal_of_words("S 10MW DE base Cal27 @ 85.20"))

    latest = TradeVersion.objects.get(trade__ref=receipt.ref, version=2)
    assert latest.effective_at == latest.traded_at
    assert {c["outcome"] for c in latest.checks} == {"HARD"}
    assert set(held(desk).values()) == {(-10, -10, -852)}


def test_a_cancelled_trade_holds_nothing_and_stays_readable(desk):
    receipt = desk.deal(DEAL)
    change(desk, receipt, cancel_trade, reason="booked twice")

    assert status(receipt) == "CANCELLED"
    assert held(desk) == {}
    assert positions_of_trade(receipt.trade_id) == []
    latest = TradeVersion.objects.get(trade__ref=receipt.ref, version=2)
    assert deal_of(latest) == deal_of_words(DEAL)
    assert latest.reason == "booked twice"
    totals_equal_deltas(desk.book)


def test_a_termination_keeps_what_lies_before_it_and_its_fee(desk):
    receipt = desk.deal(DEAL)
    fee = TerminationFee(Decimal("15000"), "EUR", is_ours=True, payee="ACME")
    change(desk, receipt, terminate_trade, from_date=date(2027, 7, 11), fee=fee)

    months = sorted(month.month for month, _ in held(desk))
    assert months == [1, 2, 3, 4, 5, 6, 7]
    latest = TradeVersion.objects.get(trade__ref=receipt.ref, version=2)
    assert (latest.status, latest.after_date) == ("TERMINATED", date(2027, 7, 11))
    kept = Fee.objects.get(version=latest)
    assert (kept.purpose, kept.direction, kept.amount) == ("TERMINATION", "PAY", 15000)
    with pytest.raises(TransitionForbidden):
        change(desk, receipt, terminate_trade, from_date=date(2027, 3, 1))


def test_a_termination_before_delivery_leaves_nothing(desk):
    receipt = desk.deal(DEAL)
    change(desk, receipt, terminate_trade, from_date=date(2026, 12, 1))

    assert held(desk) == {}
    assert status(receipt) == "TERMINATED"


def megawatt_hours(desk):
    return sum(p.energy_from(RECEIVED_AT) for p in positions_of([desk.book.pk]))


def test_a_novation_hands_the_rest_to_another_and_the_book_holds_the_same(desk):
    receipt = desk.deal(DEAL)
    before = megawatt_hours(desk)
    other = make_counterparty(desk.organization, "VOLT")
    old, new = change(
        desk, receipt, novate_trade, counterparty_id=other.pk, from_date=date(2027, 4, 1)
    )

    successor = Trade.objects.get(ref=new.ref)
    assert (old.status, successor.replaces.ref) == ("NOVATED", receipt.ref)
    assert successor.counterparty == other
    assert megawatt_hours(desk) == before == 87600
    assert {p.month.month for p in positions_of_trade(successor.pk)} == set(range(4, 13))
    totals_equal_deltas(desk.book)
    with pytest.raises(TransitionForbidden):
        change(desk, receipt, cancel_trade)


def test_four_eyes_waits_for_another_person_and_counts_nowhere_but_in_limits(desk):
    four_eyes(desk)
    receipt = desk.deal(DEAL)

    assert receipt.status == "PENDING"
    assert held(desk) == {}
    assert set(held(desk, "PENDING").values()) == {(10, 10, 852)}
    with pytest.raises(SecondPersonNeeded):
        change(desk, receipt, release_trade)
    change(desk, receipt, release_trade, actor=colleague(desk))

    assert status(receipt) == "LIVE"
    assert set(held(desk).values()) == {(10, 10, 852)}
    assert held(desk, "PENDING") == {}
    totals_equal_deltas(desk.book)


def test_below_the_threshold_nobody_is_asked_and_a_fill_never_waits(desk):
    four_eyes(desk, "7463520.01")
    assert desk.deal(DEAL).status == "LIVE"
    four_eyes(desk, "0")
    assert desk.deal("B 1MW DE base Q1-27 @ 80", fill=True).status == "LIVE"


def test_the_threshold_is_set_by_who_may_and_told(desk):
    with pytest.raises(PermissionMissing):
        set_four_eyes(actor=desk.trader, book_id=desk.book.pk, amount=None)
    with pytest.raises(ValueError, match="four_eyes_from"):
        four_eyes(desk, "-1")
    four_eyes(desk)
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=None)

    events = Event.objects.filter(type="book.four_eyes_set").order_by("id")
    assert [e.changes["four_eyes_from"]["after"] for e in events] == ["1000000", None]
    assert desk.deal(DEAL).status == "LIVE"


def test_a_book_follows_the_threshold_of_the_one_above(desk):
    four_eyes(desk)
    below = make_book(desk.organization, "EU-DE", parent=desk.book)

    assert desk.deal(DEAL, actor=desk.again(desk.trader), book_id=below.pk).status == "PENDING"


def test_what_is_sent_back_is_a_draft_that_can_be_changed_and_submitted_again(desk):
    four_eyes(desk)
    receipt = desk.deal(DEAL)
    change(desk, receipt, reject_trade, actor=desk.officer, reason="too big")
    assert status(receipt) == "DRAFT"
    assert held(desk, "PENDING") == {}

    change(desk, receipt, amend_trade, deal=deal_of_words("B 1MW DE base Cal27 @ 85.20"))
    change(desk, receipt, submit_draft, reason="smaller")

    assert status(receipt) == "LIVE"
    assert set(held(desk).values()) == {(1, 1, Decimal("85.2"))}


def test_a_draft_is_neither_checked_nor_held(desk, monkeypatch):
    stop_everything(monkeypatch)
    receipt = save_draft(
        actor=desk.trader, deal=deal_of_words(DEAL), book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=RECEIVED_AT, received_at=RECEIVED_AT,
    )  # fmt: skip

    assert (receipt.status, held(desk), held(desk, "PENDING")) == ("DRAFT", {}, {})
    with pytest.raises(TradeStopped):
        change(desk, receipt, submit_draft)


def stop_everything(monkeypatch, outcome=Outcome.HARD):
    entries = Registry("trade checks", required=checks.CHECKS.required)
    for name in entries.required:
        entries.register(name, lambda _, name=name: CheckResult(name, outcome, f"{name} stops"))
    monkeypatch.setattr(checks, "CHECKS", entries)


def test_an_officer_lets_pass_what_a_check_stops_and_the_trader_cannot(desk, monkeypatch):
    receipt = save_draft(
        actor=desk.trader, deal=deal_of_words(DEAL), book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=RECEIVED_AT, received_at=RECEIVED_AT,
    )  # fmt: skip
    stop_everything(monkeypatch)
    with pytest.raises(PermissionMissing):
        change(desk, receipt, submit_draft, override_reason="I say so")
    change(desk, receipt, submit_draft, ask_override=True, reason="a hedge the client waits for")
    assert status(receipt) == "PENDING"

    with pytest.raises(TradeStopped):
        change(desk, receipt, release_trade, actor=desk.officer)
    change(desk, receipt, release_trade, actor=desk.officer, override_reason="approved by the CRO")

    latest = TradeVersion.objects.get(trade__ref=receipt.ref, status="LIVE")
    assert {c["override_reason"] for c in latest.checks} == {"approved by the CRO"}
    assert {c["overridden_by"] for c in latest.checks} == {desk.officer.id}


def test_both_books_of_an_internal_deal_change_together(desk):
    book, party = second_book(desk)
    first, second = mirror_deal(desk, book, party)

    assert Trade.objects.get(ref=first.ref).mirror.ref == second.ref
    assert Trade.objects.get(ref=second.ref).mirror.ref == first.ref
    ours, theirs = ({p.month: p.exposure for p in positions_of([b.pk])} for b in (desk.book, book))
    assert {month: -mw for month, mw in theirs.items()} == ours
    trader = desk.again(desk.trader)
    change(
        desk, second, amend_trade, actor=trader,
        deal=deal_of_words("S 4MW DE base Cal27 @ 86"),
    )  # fmt: skip
    assert {p.exposure for p in positions_of([desk.book.pk])} == {4}
    assert {p.exposure for p in positions_of([book.pk])} == {-4}
    change(desk, first, cancel_trade, actor=trader)
    assert {status(first), status(second)} == {"CANCELLED"}
    totals_equal_deltas(desk.book, book)


def second_book(desk):
    book = make_book(desk.organization, "US")
    party = make_counterparty(desk.organization, "OWN")
    party.is_internal = True
    party.save()
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, book)
    return book, party


def mirror_deal(desk, book, party):
    return capture_mirror(
        actor=desk.again(desk.trader), deal=deal_of_words(DEAL), package_id="INT-1",
        book_id=desk.book.pk, mirror_book_id=book.pk, counterparty_id=party.pk,
        traded_at=RECEIVED_AT, received_at=RECEIVED_AT, reason="moves the hedge",
    )  # fmt: skip


def test_an_internal_deal_is_in_both_books_or_in_neither(desk, monkeypatch):
    book, party = second_book(desk)
    entries = Registry("trade checks", required=checks.CHECKS.required)
    for name in entries.required:
        entries.register(
            name,
            lambda proposal: CheckResult(
                "x", Outcome.HARD if proposal.book_id == book.pk else Outcome.PASS, "full"
            ),
        )
    monkeypatch.setattr(checks, "CHECKS", entries)

    with pytest.raises(TradeStopped):
        mirror_deal(desk, book, party)
    assert not Trade.objects.exists()
    assert not PositionTotal.objects.exists()


def test_a_package_is_captured_whole_or_not_at_all(desk):
    def items(*words):
        return [
            PackageItem(deal_of_words(text), desk.book.pk, desk.counterparty.pk) for text in words
        ]

    arguments = {
        "actor": desk.trader, "package_id": "STRIP-1", "traded_at": RECEIVED_AT,
        "received_at": RECEIVED_AT, "client_reference": "p-1",
    }  # fmt: skip
    with pytest.raises(ReasonNeeded):
        capture_package(items=items(DEAL, "S 3MW DE base Q1-27 @ 90"), **arguments)
    assert not Trade.objects.exists()
    arguments["reason"] = "one agreement"
    receipts = capture_package(items=items(DEAL, "S 3MW DE base Q1-27 @ 90"), **arguments)
    again = capture_package(items=items(DEAL, "S 3MW DE base Q1-27 @ 90"), **arguments)

    assert [r.ref for r in again] == [r.ref for r in receipts]
    assert set(Trade.objects.values_list("package_id", flat=True)) == {"STRIP-1"}
    with pytest.raises(ReferenceReused):
        capture_package(items=items(DEAL, "S 4MW DE base Q1-27 @ 90"), **arguments)


def test_a_fill_of_one_external_id_is_booked_once(desk):
    first = desk.deal(DEAL, fill=True, source="EEX", external_id="118")
    again = desk.deal(DEAL, fill=True, source="EEX", external_id="118")
    other = desk.deal(DEAL, fill=True, source="ICE", external_id="118")

    assert (again.ref, again.is_new) == (first.ref, False)
    assert other.ref != first.ref
    with pytest.raises(ReferenceReused, match="118"):
        desk.deal("B 9MW DE base Cal27 @ 85.20", fill=True, source="EEX", external_id="118")


def test_the_clock_matures_and_settles_once(desk):
    receipt = desk.deal(DEAL)
    clock = Actor.system("beat")
    end = TradeVersion.objects.get(trade__ref=receipt.ref).delivery_end

    early = mature_trades(actor=clock, as_of=end - timedelta(seconds=1))
    over = mature_trades(actor=clock, as_of=end)
    again = mature_trades(actor=clock, as_of=end + timedelta(days=18))
    paid = mature_trades(actor=clock, as_of=end + timedelta(days=19))

    assert [(r.matured, r.settled) for r in (early, over, again, paid)] == [
        (0, 0), (1, 0), (0, 0), (0, 1),
    ]  # fmt: skip
    assert status(receipt) == "SETTLED"
    assert set(held(desk).values()) == {(10, 10, 852)}
    with pytest.raises(PermissionMissing):
        mature_trades(actor=desk.trader, as_of=end)


def test_what_was_signed_and_what_is_traded_say_when_it_is_settled(desk):
    Agreement.objects.create(
        counterparty=desk.counterparty, kind="GTMA", reference="G-1", governing_law="England",
        signed_date=date(2020, 1, 1), effective_date=date(2020, 1, 1),
    )  # fmt: skip
    Agreement.objects.create(
        counterparty=desk.counterparty, kind="EFET", reference="E-1", governing_law="Germany",
        signed_date=date(2026, 12, 1), effective_date=date(2026, 12, 1),  # after the trade
    )  # fmt: skip
    receipt = desk.deal(DEAL)
    clock = Actor.system("beat")
    end = TradeVersion.objects.get(trade__ref=receipt.ref).delivery_end

    mature_trades(actor=clock, as_of=end)
    day_before = mature_trades(actor=clock, as_of=end + timedelta(days=13) - timedelta(seconds=1))
    day = mature_trades(actor=clock, as_of=end + timedelta(days=13))

    assert (day_before.settled, day.settled) == (0, 1)  # Friday 14 January 2028, the tenth


VERBS = {
    TradeEvent.SUBMIT: (submit_draft, {}),
    TradeEvent.RELEASE: (release_trade, {}),
    TradeEvent.REJECT: (reject_trade, {}),
    TradeEvent.AMEND: (amend_trade, {"deal": deal_of_words("B 5MW DE base Cal27 @ 80")}),
    TradeEvent.CORRECT: (correct_trade, {"deal": deal_of_words("B 5MW DE base Cal27 @ 80")}),
    TradeEvent.TERMINATE: (terminate_trade, {"from_date": date(2027, 5, 1)}),
    TradeEvent.CANCEL: (cancel_trade, {}),
}


FORBIDDEN = [
    (before, event)
    for before in TradeStatus
    for event in (*VERBS, TradeEvent.NOVATE)
    if (before, event) not in TRANSITIONS
]


@pytest.mark.parametrize(("before", "event"), FORBIDDEN)
def test_what_may_not_follow_is_refused_and_changes_nothing(desk, before, event):
    receipt = desk.deal(DEAL)
    Trade.objects.filter(ref=receipt.ref).update(status=before)
    verb, more = VERBS.get(event) or (
        novate_trade,
        {
            "counterparty_id": make_counterparty(desk.organization, "VOLT").pk,
            "from_date": date(2027, 5, 1),
        },
    )
    actor = colleague(desk)
    with pytest.raises(TransitionForbidden):
        change(desk, receipt, verb, actor=actor, **more)
    assert TradeVersion.objects.filter(trade__ref=receipt.ref).count() == 1


def test_a_foreign_trade_does_not_exist_and_a_role_decides(desk):
    receipt = desk.deal(DEAL)
    stranger = make_desk().trader

    for verb, more in VERBS.values():
        if verb is not submit_draft:
            with pytest.raises((UnknownTrade, PermissionMissing)):
                change(desk, receipt, verb, actor=stranger, **more)
    with pytest.raises(UnknownTrade):
        change(desk, receipt, cancel_trade, actor=stranger)
    with pytest.raises(PermissionMissing):
        change(desk, receipt, cancel_trade, actor=desk.officer)


def test_a_verb_without_a_reason_says_so(desk):
    receipt = desk.deal(DEAL)

    with pytest.raises(ValueError, match="reason: say why"):
        change(desk, receipt, cancel_trade, reason="  ")


def test_a_traded_deal_reads_back_with_its_fees(desk):
    from trading.deals import Direction, FeeKind
    from trading.deals import Fee as DealFee

    deal = deal_of_words(DEAL)
    fee = DealFee(Direction.PAY, FeeKind.BROKER, Decimal("0.005"), "EUR", payee="GFI")
    deal = replace(deal, legs=(*deal.legs, fee))
    receipt = desk.deal(deal=deal)

    version = TradeVersion.objects.get(trade__ref=receipt.ref)
    assert deal_of(version) == deal
    assert version.broker == "GFI"


def test_the_last_payment_waits_for_the_banks_of_its_currency(desk):
    ensure_catalogue(actor=Actor.system("test"))
    desk.deal("B 10MW DE base Mar28 @ 85")  # delivered: the 20th
    desk.deal(
        "S 10lots DE base Mar28 @ 85 fut:XEEE acct:HOUSE"
    )  # margin: the business day after Friday 31 March

    physical, future = TradeVersion.objects.select_related("market").order_by("trade_id")

    assert (payment_due(physical).date, payment_due(physical).calendar) == (
        date(2028, 4, 20), "TARGET 1",
    )  # fmt: skip
    assert payment_due(future).date == date(2028, 4, 3)
    publish_holidays(
        actor=Actor.system("test"),
        terms=HolidayTerms(
            calendar="TARGET", calendar_name="T2 closing days", version=2,
            covers_first=date(2024, 1, 1), covers_last=date(2060, 12, 31),
            source="the ECB's notice",
            holidays=(
                *target_holidays(2024, 2060), (date(2028, 4, 3), "Migration of T2"),
                (date(2028, 4, 20), "Migration of T2"),
            ),
        ),
    )  # fmt: skip
    assert payment_due(future).date == date(2028, 4, 4)
    moved = payment_due(physical)
    assert (moved.date, moved.calendar) == (date(2028, 4, 21), "TARGET 2")
