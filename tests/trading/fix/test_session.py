"""The session without a socket: what comes in, and which steps come out."""

from datetime import UTC, datetime, timedelta

import pytest

from trading.markets.fix import (
    Accept,
    Advance,
    Alert,
    Disconnect,
    Established,
    Identity,
    ResetPolicy,
    Restart,
    Send,
    Session,
    decode,
)

from .reports import US, VENUE, fill, message, stamp

NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)


def make(expected=1, outgoing=2, **identity):
    session = Session(
        Identity(US, VENUE, heartbeat=30, **identity), expected=expected, outgoing=outgoing
    )
    list(session.open(NOW))
    return session


def get(session, kind, number, fields=(), now=NOW, **more):
    return list(
        session.receive(decode(message(kind, number, fields, sent_at=stamp(NOW), **more)), now)
    )


def active(expected=5, **identity):
    session = make(expected - 1, **identity)
    assert get(session, "A", expected - 1) == [Established(), Advance(expected)]
    return session


def test_a_logon_says_who_and_how_often():
    session = Session(
        Identity(US, VENUE, "me", "secret", 15, ResetPolicy.REQUEST), expected=9, outgoing=9
    )
    assert list(session.open(NOW)) == [
        Restart(1, 1),
        Send("A", [(98, 0), (108, 15), (141, "Y"), (553, "me"), (554, "secret")]),
    ]


def test_a_gap_is_asked_for_once_and_what_lies_behind_it_waits():
    session = active()

    assert get(session, "8", 8) == [Send("2", [(7, 5), (16, 0)])]
    assert get(session, "8", 9) == []
    for number in (5, 6, 7, 8, 9):
        (step,) = get(session, "8", number, possible_duplicate=True)
        assert isinstance(step, Accept) and step.following == number + 1
    assert get(session, "8", 12) == [Send("2", [(7, 10), (16, 0)])]


def test_a_hole_in_what_is_sent_again_is_asked_for_at_once():
    session = active()
    get(session, "8", 9)
    get(session, "8", 5, possible_duplicate=True)

    assert get(session, "8", 7, possible_duplicate=True) == [Send("2", [(7, 6), (16, 0)])]


def test_a_gap_that_never_closes_ends_with_an_alert():
    session, steps = active(), []
    get(session, "8", 9)
    for minute in range(1, 6):
        now = NOW + timedelta(seconds=31 * minute)
        list(session.receive(decode(message("0", 10, sent_at=stamp(now))), now))
        steps += session.tick(now)
    asked = [s for s in steps if isinstance(s, Send) and s.type == "2"]
    assert len(asked) == 2
    assert any(isinstance(s, Alert) and s.kind == "session.gap_not_filled" for s in steps)
    assert session.is_over


def test_a_number_too_low_ends_the_session_unless_it_is_a_repetition():
    session = active()

    assert get(session, "8", 3, possible_duplicate=True) == []
    steps = get(session, "8", 3)

    assert [type(step) for step in steps] == [Alert, Send, Disconnect]
    assert steps[0].kind == "session.sequence_too_low"
    assert "5 was due and 3 came" in steps[0].text
    assert get(session, "8", 5) == []


@pytest.mark.parametrize(
    ("policy", "steps"),
    [
        (ResetPolicy.ACCEPT, [Restart(1, 2), Established(), Advance(2)]),
        (ResetPolicy.REQUEST, [Established(), Advance(2)]),
    ],
)
def test_numbers_begin_again_where_the_policy_lets_them(policy, steps):
    assert get(make(40, 40, reset=policy), "A", 1, [(141, "Y")]) == steps


def test_numbers_do_not_begin_again_where_the_policy_refuses():
    steps = get(make(40), "A", 1, [(141, "Y")])
    assert steps[0].kind == "session.reset_refused" and isinstance(steps[-1], Disconnect)


def test_gap_fills_and_resets():
    session = active()
    assert get(session, "4", 5, [(123, "Y"), (36, 9)]) == [Advance(9)]
    low = get(session, "4", 9, [(123, "Y"), (36, 9)])
    assert isinstance(low[0], Send) and (371, 36) in low[0].fields and low[1] == Advance(10)
    skipped = get(session, "4", 1, [(36, 20)])
    assert skipped[0].kind == "session.sequence_skipped" and skipped[1] == Advance(20)
    back = get(session, "4", 1, [(36, 3)])
    assert [type(step) for step in back] == [Send] and session.expected == 20


def test_what_we_sent_is_only_of_the_session_so_a_gap_fill_answers_for_it():
    session = active()
    session.outgoing = 8
    assert get(session, "2", 5, [(7, 3), (16, 0)]) == [
        Send("4", [(123, "Y"), (36, 8)], number=3), Advance(6)
    ]  # fmt: skip
    assert get(session, "2", 6, [(7, 3), (16, 4)])[0].fields == [(123, "Y"), (36, 5)]
    # Also when it comes out of order, or both sides wait for each other.
    assert [s.type for s in get(session, "2", 9, [(7, 3), (16, 0)])] == ["4", "2"]


def test_heartbeats_and_a_silent_line():
    session = active()
    assert [s.fields for s in get(session, "1", 5, [(112, "X")]) if isinstance(s, Send)] == [
        [(112, "X")]
    ]
    session.sent(NOW)
    assert [s.type for s in session.tick(NOW + timedelta(seconds=30))] == ["0"]
    late = NOW + timedelta(seconds=37)
    assert [s.type for s in session.tick(late)] == ["1", "0"]
    (end,) = session.tick(late + timedelta(seconds=30))
    assert "silent" in end.reason and session.is_over


@pytest.mark.parametrize(
    ("changes", "tag"),
    [({"sender": "OTHER"}, 49), ({"target": "OTHER"}, 56)],
)
def test_strangers_are_refused_by_field(changes, tag):
    steps = get(active(), "8", 5, **changes)
    assert (371, tag) in steps[0].fields and steps[1].kind == "session.header_refused"


def test_another_version_a_wrong_clock_and_a_missing_number_end_it():
    assert "FIX.4.2" in get(active(), "0", 5, begin="FIX.4.2")[0].text
    steps = list(active().receive(decode(message("0", 5, sent_at="20261120-17:00:00")), NOW))
    assert (371, 52) in steps[0].fields
    (alert, *_) = list(active().receive(decode(message("0", "x", sent_at=stamp(NOW))), NOW))
    assert "tag 34" in alert.text


def test_a_refused_logon_says_why():
    steps = get(make(), "5", 1, [(58, "wrong password")])
    assert steps == [
        Alert("session.logon_refused", "wrong password"),
        Disconnect("Logon refused: wrong password"),
    ]
    assert get(make(), "8", 1)[0].kind == "session.no_logon"
    (end,) = make().tick(NOW + timedelta(seconds=11))
    assert "no Logon" in end.reason


def test_logging_out_takes_what_still_comes():
    session = active()
    assert list(session.close(NOW)) == [Send("5")]
    (step,) = session.receive(decode(fill(5)), datetime.now(UTC))
    assert isinstance(step, Accept)
    end = get(session, "5", 6, now=datetime.now(UTC), possible_duplicate=True)
    assert end == [Advance(7), Disconnect("logged out", True)]
