"""What a report says becomes a trade once, or waits in the inbox with the field and the rule."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_counterparty, make_desk
from trading.markets.fix import FixError, Instrument, JournalMoved, PeriodRule, decode
from trading.markets.fix import delivery_period as period_of
from trading.models import DropCopyMessage, DropCopySession, DropCopyVenue, Trade, TradeVersion
from trading.queries.deals import deal_of
from trading.queries.drop_copy import UnknownVenue, inbox, sessions, venue_for
from trading.queries.positions import positions_by_deltas, positions_of
from trading.services.changes import ForeignOrganization
from trading.services.drop_copy import receive_message, receive_messages
from trading.services.drop_copy_inbox import UnknownMessage, retry, settle_by_hand
from trading.services.drop_copy_setup import configure_venue, terms_of_toml

from .reports import fill, message, with_sum
from .venues import FORWARD, MONTH, make_venue, system, terms

pytestmark = pytest.mark.django_db
RECEIVED = datetime(2026, 11, 20, 17, 30, 1, tzinfo=UTC)


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def venue(desk):
    return make_venue(desk)


def take(venue, raw, **more):
    return receive_message(
        actor=system(), venue=venue, message=decode(raw), received_at=RECEIVED,
        source="test", **more,
    )  # fmt: skip


def held(ref):
    trade = Trade.objects.get(ref=ref)
    return trade, TradeVersion.objects.get(trade=trade, version=trade.latest_version)


def test_a_fill_is_a_future_in_its_book_with_its_account_and_house(desk, venue):
    taken = take(venue, fill(2))

    trade, version = held(taken.trade_ref)
    deal = deal_of(version)
    assert (taken.state, taken.is_new) == ("BOOKED", True)
    assert (trade.book_id, trade.counterparty_id) == (desk.book.pk, desk.counterparty.pk)
    assert (trade.source, trade.external_id) == ("fix:TEST", "20261120:E1")
    assert (deal.kind.value, deal.side.value, deal.mic) == ("FUTURE", "BUY", "XEEE")
    assert deal.clearing_account == "ACC1"
    assert deal.schedule.period.first == date(2027, 3, 1)
    assert deal.schedule.amount() == 7430  # 10 lots of 1 MW in a German March of 743 hours
    assert deal.fixed_legs[0].price == Decimal("85.20")
    event = Event.objects.get(type="drop_copy.booked")
    assert event.payload["trade_ref"] == trade.ref and event.payload["exec_id"] == "E1"


def test_a_fill_in_a_delivery_that_runs_is_booked_whole(venue):
    taken = take(venue, fill(2, t200="202611"))

    held = TradeVersion.objects.get(trade__ref=taken.trade_ref)
    assert (taken.state, held.hours, held.first_date) == ("BOOKED", 720, date(2026, 11, 1))
    assert held.traded_at > held.delivery_start


def test_the_same_execution_is_one_trade_however_it_comes(venue):
    first = take(venue, fill(2))
    again = take(venue, fill(77, possible_duplicate=True))

    assert (again.trade_ref, again.is_new) == (first.trade_ref, False)
    assert Trade.objects.count() == 1
    assert DropCopyMessage.objects.get().times_seen == 2
    # The same ExecID on another day is another execution.
    take(venue, fill(3, t75="20261119"))
    assert Trade.objects.count() == 2


def test_other_terms_under_the_same_name_are_left_to_a_person(venue):
    take(venue, fill(2))
    other = take(venue, fill(3, t31="99"))

    assert (other.state, Trade.objects.count()) == ("BY_HAND", 1)
    assert "came before with other terms" in other.reason


@pytest.mark.parametrize(
    ("changes", "tag", "rule"),
    [
        ({"t55": "NOPE"}, 55, "NOPE"),
        ({"t1": "ACC9"}, 1, "ACC9"),
        ({"t1": None}, 1, "missing"),
        ({"t15": "USD"}, 15, "USD was traded and EUR is mapped"),
        ({"t200": "202713"}, 200, "no maturity"),
        ({"t200": "202703w2"}, 200, "no maturity"),
        ({"t32": "1.5"}, 32, "lots"),
        ({"t31": None}, 31, "missing"),
        ({"t60": "yesterday"}, 60, "no time"),
        ({"t17": None}, 17, "missing"),
        ({"t150": "?"}, 150, "no ExecType"),
        ({"t39": "?"}, 39, "no OrdStatus"),
    ],
)
def test_what_cannot_be_booked_is_kept_with_field_and_rule(venue, changes, tag, rule):
    raw = fill(2, **changes)
    taken = take(venue, raw)

    row = DropCopyMessage.objects.get()
    assert (taken.state, row.state, row.tag) == ("UNMATCHED", "UNMATCHED", tag)
    assert rule in row.reason and bytes(row.raw) == raw
    assert not Trade.objects.exists()
    event = Event.objects.get(type="drop_copy.unmatched")
    assert event.payload["tag"] == tag and rule in event.payload["reason"]


def test_what_waits_is_booked_once_its_mapping_is_there(desk, venue):
    take(venue, fill(2, "E1", t55="DEBQ", t200="202704"))
    take(venue, fill(3, "E2", t1="ACC2"))
    assert [row.exec_id for row in inbox(system())] == ["E2", "E1"]
    assert "NO_TRADE" not in {row.state for row in inbox(system())}

    quarter = {**MONTH, "symbol": "DEBQ", "period_rule": "QUARTER"}
    make_venue(desk, products=(MONTH, FORWARD, quarter))
    done = retry(actor=system(), venue=venue, received_at=RECEIVED)

    assert (done.tried, done.settled, done.waiting) == (2, 1, 1)
    _, version = held(DropCopyMessage.objects.get(exec_id="E1").trade_ref)
    assert deal_of(version).schedule.period.after == date(2027, 7, 1)
    accounts = [{"account": "ACC1", "book": "EU"}, {"account": "ACC2", "book": "EU"}]
    make_venue(desk, products=(MONTH, FORWARD, quarter), accounts=accounts)
    assert retry(actor=system(), venue=venue, received_at=RECEIVED).settled == 1
    assert inbox(system()) == [] and Trade.objects.count() == 2
    assert retry(actor=system(), venue=venue, received_at=RECEIVED).tried == 0


def test_a_cancel_takes_the_trade_out_and_a_correction_changes_it(desk, venue):
    one, two = take(venue, fill(2, "E1")), take(venue, fill(3, "E2"))

    gone = take(venue, fill(4, "E3", t150="H", t39="4", extra=[(19, "E1")]))
    put_right = take(venue, fill(5, "E4", t150="G", t31="86.10", extra=[(19, "E2")]))

    assert (gone.state, put_right.state) == ("BOOKED", "BOOKED")
    assert held(one.trade_ref)[0].status == "CANCELLED"
    trade, version = held(two.trade_ref)
    assert (trade.status, trade.latest_version, put_right.trade_ref) == ("LIVE", 2, two.trade_ref)
    assert deal_of(version).fixed_legs[0].price == Decimal("86.10")
    # What is left of both is the corrected one: 10 MW, sold back at its price.
    for read in (positions_of, positions_by_deltas):
        (left,) = read([desk.book.pk])
        assert (left.exposure, left.fixed) == (Decimal(10), Decimal(861)), read
    # The same cancel again does nothing again.
    assert not take(venue, fill(9, "E3", t150="H", t39="4", extra=[(19, "E1")])).is_new


def test_a_correction_to_another_book_is_left_to_a_person(desk):
    make_book(desk.organization, "US")
    venue = make_venue(desk, accounts=[{"account": "ACC1", "book": "EU"},
                                       {"account": "ACC2", "book": "US"}])  # fmt: skip
    first = take(venue, fill(2))
    moved = take(venue, fill(3, "E2", t150="G", t1="ACC2", extra=[(19, "E1")]))

    assert moved.state == "BY_HAND" and first.trade_ref in moved.reason
    assert held(first.trade_ref)[0].latest_version == 1
    row = DropCopyMessage.objects.get(exec_id="E2")
    with pytest.raises(ValueError, match="no trade T-99"):
        settle_by_hand(actor=system(), message_id=row.pk, trade_ref="T-99", reason="x")
    settle_by_hand(
        actor=system(), message_id=row.pk, trade_ref=first.trade_ref, reason="moved on the ticket"
    )
    assert inbox(system()) == []
    with pytest.raises(UnknownMessage):
        settle_by_hand(actor=system(), message_id=row.pk, trade_ref="", reason="again")


def test_a_cancel_before_its_execution_waits_for_it(venue):
    early = take(venue, fill(2, "E2", t150="H", t39="4", extra=[(19, "E1")]))
    assert (early.state, "E1" in early.reason) == ("UNMATCHED", True)

    take(venue, fill(3, "E1"))

    assert DropCopyMessage.objects.get(exec_id="E2").state == "BOOKED"
    assert Trade.objects.get().status == "CANCELLED"


def test_what_was_never_booked_is_void_when_it_is_cancelled(desk, venue):
    take(venue, fill(2, "E1", t1="ACC2"))
    take(venue, fill(3, "E2", t1="ACC2", t150="H", t39="4", extra=[(19, "E1")]))
    take(venue, fill(4, "E3", t1="ACC2"))
    take(venue, fill(5, "E4", t1="ACC1", t150="G", t31="90", extra=[(19, "E3")]))

    states = dict(DropCopyMessage.objects.values_list("exec_id", "state"))
    assert states == {"E1": "VOID", "E2": "VOID", "E3": "VOID", "E4": "BOOKED"}
    make_venue(desk, accounts=[{"account": a, "book": "EU"} for a in ("ACC1", "ACC2")])
    assert retry(actor=system(), venue=venue, received_at=RECEIVED).tried == 0
    assert Trade.objects.count() == 1


def test_news_and_other_messages_are_kept_and_book_nothing(venue):
    assert take(venue, fill(2, t150="0", t39="0")).state == "NO_TRADE"
    assert take(venue, message("B", 3, [(148, "closed")])).state == "NO_TRADE"
    broken = take(venue, with_sum(b"35=8\x0149=VENUE\x0117=E9\x0158=\x01"))
    assert (broken.state == "UNMATCHED" and broken.refusal.tag == 58) or broken.refusal.tag == 60
    assert DropCopyMessage.objects.count() == 3 and not Trade.objects.exists()


def test_a_bilateral_deal_is_with_its_contra_firm_and_pays_its_broker(desk):
    volt = make_counterparty(desk.organization, "VOLT")
    venue = make_venue(desk, parties=[{"party_id": "VLT", "counterparty": "VOLT"}])
    parties = [(453, 2), (448, "VLT"), (447, "D"), (452, 17), (448, "TP"), (447, "D"), (452, 30)]
    charges = [(12, "0.02"), (13, "1")]

    taken = take(venue, fill(2, t55="DEFWD", extra=[*parties, *charges]))

    trade, version = held(taken.trade_ref)
    deal = deal_of(version)
    assert trade.counterparty_id == volt.pk
    assert deal.kind.value == "PHYSICAL_FORWARD" and deal.schedule.volume.quantity == 50
    (fee,) = deal.fees
    assert (fee.kind.value, fee.amount, fee.payee) == ("BROKER", Decimal("0.2"), "TP")
    unknown = take(venue, fill(3, "E2", t55="DEFWD", extra=[(453, 1), (448, "X"), (452, 17)]))
    assert unknown.state == "UNMATCHED" and "“X”" in unknown.reason


def test_a_fault_of_ours_holds_up_one_message_only(venue, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("trading.services.drop_copy_verdicts.book", broken)
        assert "RuntimeError: a bug" in take(venue, fill(2, "E1")).reason
    assert take(venue, fill(3, "E2")).state == "BOOKED"
    assert retry(actor=system(), venue=venue, received_at=RECEIVED).settled == 1


def test_a_session_that_was_moved_books_nothing(venue):
    DropCopySession.objects.update(next_incoming=9)
    with pytest.raises(JournalMoved, match="stands at 9 and not at 2"):
        take(venue, fill(2), following=3)
    assert not DropCopyMessage.objects.exists()


def test_mappings_are_set_by_the_risk_officer_and_refused_by_field(desk, venue):
    trader = desk.again(desk.trader)
    with pytest.raises(PermissionMissing):
        configure_venue(actor=trader, organization_id=desk.organization.pk, terms=terms())
    foreign = make_desk()
    with pytest.raises(ForeignOrganization):
        configure_venue(actor=desk.officer, organization_id=foreign.organization.pk, terms=terms())
    with pytest.raises(ValidationError, match="is taken"):
        configure_venue(actor=system(), organization_id=foreign.organization.pk, terms=terms())
    for changes, field in (
        ({"products": [{**MONTH, "market": "XX"}]}, "product 1.market"),
        ({"products": [{**MONTH, "currency": "EURO"}]}, "product 1.currency"),
        ({"products": [{**MONTH, "currency": "GBP"}]}, "product 1.currency"),
        ({"products": [{**MONTH, "colour": "red"}]}, "product 1.colour"),
        ({"accounts": [{"account": "A", "book": "NONE"}]}, "account 1.book"),
        ({"parties": [{"party_id": "A"}]}, "party 1.counterparty"),
        ({"port": 0}, "venue.__all__"),
        ({"clearing_house": "NONE"}, "venue.clearing_house"),
    ):
        with pytest.raises(ValidationError) as refused:
            make_venue(desk, **changes)
        assert field in refused.value.message_dict, refused.value.message_dict
    with pytest.raises(ValidationError):
        terms_of_toml({"venues": {}})
    assert DropCopyVenue.objects.get().products.count() == 2
    Event.objects.filter(type="drop_copy.venue_configured").get()


def test_only_its_own_people_see_a_drop_copy(desk, venue, django_assert_num_queries):
    take(venue, fill(2, t1="ACC2"))
    trader = desk.again(desk.trader)
    stranger = make_desk().trader
    assert venue_for(trader, "test").pk == venue.pk
    assert inbox(stranger) == [] and sessions(stranger) == []
    with pytest.raises(UnknownVenue):
        venue_for(stranger, "TEST")
    operator = Actor.for_user(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    with pytest.raises(PermissionMissing):
        inbox(operator)
    _ = trader.organization_ids
    with django_assert_num_queries(2):
        (row,) = sessions(trader)
        (waiting,) = inbox(trader)
    assert (row.unmatched, row.booked, row.is_connected) == (1, 0, False)
    assert "|55=DEBM|" in waiting.text


@pytest.mark.parametrize(
    ("rule", "maturity", "name", "offset"),
    [
        ("DAY", "20270328", "2027-03-28", 0),
        ("WEEK", "20270201", "W05-27", 0),
        ("MONTH", "202702", "mar27", 1),
        ("MONTH", "202612", "jan27", 1),
        ("QUARTER", "202704", "q2-27", 0),
        ("SEASON", "202710", "win27", 0),
        ("GAS_YEAR", "202710", "2027-10", 0),
        ("YEAR", "202701", "cal27", 0),
        ("FIXED", "", "cal28", 0),
    ],
)
def test_a_maturity_is_a_delivery_by_the_rule(rule, maturity, name, offset):
    found = period_of(
        Instrument("S", "", maturity, "", ""), rule=PeriodRule(rule),
        fixed=name if rule == "FIXED" else "", month_offset=offset,
    )  # fmt: skip
    from energyopti.foundation.calendars import DatePeriod

    assert found.first == DatePeriod.parse(name).first
    if rule != "GAS_YEAR":
        assert found == DatePeriod.parse(name)


@pytest.mark.parametrize(
    ("rule", "maturity"),
    [("DAY", "202703"), ("WEEK", "20270202"), ("QUARTER", "202702"), ("YEAR", "202703"),
     ("DAY", "20270230"), ("MONTH", "")],
)  # fmt: skip
def test_a_maturity_that_does_not_fit_its_rule_is_refused(rule, maturity):
    with pytest.raises(FixError):
        period_of(Instrument("S", "", maturity, "", ""), rule=PeriodRule(rule))


def batch(venue, raws, **more):
    return receive_messages(
        actor=system(), venue=venue, messages=[decode(raw) for raw in raws],
        received_at=RECEIVED, source="test", **more,
    )  # fmt: skip


def test_many_at_once_come_to_the_same_as_one_by_one(desk, venue):
    raws = [
        fill(2, "E1"), fill(3, "E2", t32="5"), fill(4, "E1"), fill(5, "E2", t31="99"),
        fill(6, "E3", t55="NOPE"), fill(7, "E4", t55="DEFWD", t32="2"),
        fill(8, "C2", t150="H", t19="E2"), fill(9, "C5", t150="H", t19="E5"), fill(10, "E5"),
        fill(11, "G1", t150="G", t19="E1", t31="80"), fill(12, "E6", t1="ACC9"), fill(13, "E7"),
        fill(14, "E8", t31=None), message("j", 15, [(45, 2), (380, 0)]),
    ]  # fmt: skip
    other = make_venue(make_desk(), code="OTHER")

    one_by_one = [take(other, raw) for raw in raws]
    together = batch(venue, raws, following=None)

    def told(taken):
        return [(t.state, t.reason, t.is_new, bool(t.trade_ref), t.refusal) for t in taken]

    assert [t[:4] for t in told(together)] == [
        (state, reason.replace("OTHER", "TEST"), new, ref)
        for state, reason, new, ref, _ in told(one_by_one)
    ]
    rows = {}
    for place in (venue, other):
        kept = DropCopyMessage.objects.filter(venue=place).order_by("id")
        rows[place.code] = [
            (m.exec_id, m.exec_type, m.state, m.tag, m.times_seen, m.attempts, m.is_conflict)
            for m in kept
        ]
    assert sorted(rows["TEST"]) == sorted(rows["OTHER"])
    states = {m[:2]: m[2] for m in rows["TEST"] if not m[6]}
    assert states["E2", "F"] == "BUSTED" and states["E5", "F"] == "BUSTED"

    def held_positions(organization):
        books = Trade.objects.filter(organization=organization).values_list("book_id", flat=True)
        return [(p.month, p.exposure, p.fixed) for p in positions_of(set(books))]

    assert held_positions(venue.organization) == held_positions(other.organization)
    events = Event.objects.filter(type__startswith="drop_copy.", key=f"drop_copy:{venue.pk}")
    assert events.filter(type="drop_copy.booked").count() == 8
    assert events.filter(type="drop_copy.busted").count() == 2


def test_many_fills_move_the_session_at_once_and_ask_no_table_for_each(
    venue, django_assert_max_num_queries
):
    def raws(start, count):
        return [fill(n, f"E{n}", t32=str(1 + n % 7)) for n in range(start, start + count)]

    DropCopySession.objects.update(next_incoming=2)
    with django_assert_max_num_queries(80) as few:
        batch(venue, raws(2, 10), following=12)
    with django_assert_max_num_queries(len(few)):
        batch(venue, raws(12, 40), following=52)

    assert DropCopySession.objects.get().next_incoming == 52
    assert Trade.objects.count() == 50
    with pytest.raises(JournalMoved):
        batch(venue, raws(52, 2), following=52)


def spread(number, exec_id="E1", **changes):
    """A buy of March against April, 10 and 20 lots, in one report."""
    legs = [
        [(600, "DEBM"), (610, "202703"), (624, 1), (623, 1), (637, "85.20")],
        [(600, "DEBM"), (610, "202704"), (624, 2), (687, 20), (637, "80.10")],
    ]
    for name, value in changes.items():
        legs[1] = [(t, value if t == int(name[1:]) else v) for t, v in legs[1]]
        legs[1] = [(t, v) for t, v in legs[1] if v is not None]
    fields = [(555, 2), *legs[0], *legs[1], (12, "0.5"), (13, 1)]
    return fill(number, exec_id, t55="DEBM-SPR", t200=None, t31="5.10", extra=fields)


def test_a_report_of_several_legs_waits_and_is_named(venue):
    taken = take(venue, spread(2))

    row = DropCopyMessage.objects.get()
    assert (taken.state, row.tag) == ("UNMATCHED", 555)
    assert "2 legs" in row.reason and "multileg" in row.reason


def test_a_report_of_several_legs_is_a_package_where_the_venue_says_so(desk):
    venue = make_venue(desk, multileg="PACKAGE")
    missing = take(venue, spread(2, "E0", t637=None))
    nobody = take(venue, spread(3, "E9", t600="NOPE"))
    taken = take(venue, spread(4))

    assert (missing.state, missing.reason) == ("UNMATCHED", "of leg 2 is missing.")
    assert nobody.state == "UNMATCHED" and "leg 2: Symbol “NOPE”" in nobody.reason
    trades = Trade.objects.order_by("id")
    assert [t.external_id for t in trades] == ["20261120:E1#1", "20261120:E1#2"]
    assert len({t.package_id for t in trades} - {""}) == 1
    assert taken.trade_ref == trades[0].ref
    terms = [held(t.ref)[1] for t in trades]
    assert [(v.side, v.quantity, v.price, v.first_date) for v in terms] == [
        ("BUY", 10, Decimal("85.20"), date(2027, 3, 1)),
        ("SELL", 20, Decimal("80.10"), date(2027, 4, 1)),
    ]
    (fee,) = [fee for v in terms for fee in deal_of(v).fees]
    assert fee.amount == 5  # 0.5 for each of the ten that the report is of
    again = take(venue, spread(5))
    assert (again.is_new, Trade.objects.count()) == (False, 2)
    busted = take(venue, fill(6, "C1", t150="H", t19="E1"))
    assert busted.state == "BOOKED"
    assert {t.status for t in Trade.objects.all()} == {"CANCELLED"}
    assert not [p for p in positions_of([desk.book.pk]) if not p.is_nothing]


def test_the_legs_of_a_report_may_come_by_themselves(desk):
    venue = make_venue(desk, multileg="APART")

    taken = take(venue, spread(2))

    assert (taken.state, Trade.objects.count()) == ("NO_TRADE", 0)
