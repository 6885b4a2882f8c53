"""Over real TCP, against a counterparty of another make: every execution is booked exactly once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.conf import settings
from django.db import connection

from energyopti.foundation.events.models import Event
from energyopti.foundation.leases import Lease
from tests.factories.trades import make_desk
from trading.models import DropCopyMessage, DropCopySession, Trade
from trading.services.drop_copy_sessions import lease_name

from .acceptor import Acceptor
from .venues import make_venue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def address():
    held = connection.settings_dict
    return (
        f"postgres://{held['USER']}:{held['PASSWORD']}@{held['HOST']}:{held['PORT']}/{held['NAME']}"
    )


class Process:
    """The real command in a process of its own, on the test database."""

    def __init__(self, tmp_path):
        self.log = tmp_path / "client.log"
        self.started = 0
        self.start()

    def start(self):
        self.started += 1
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_DIRECT_URL")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_drop_copy", "TEST", "--retry-seconds", "0.1"],
                env={**os.environ, **dict.fromkeys(names, address()),
                     "DJANGO_SETTINGS_MODULE": "energyopti.settings.test"},
                cwd=settings.BASE_DIR, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(15)
        assert code == 0, self.log.read_text()[-3000:]


@pytest.fixture
def line(tmp_path, request):
    made = []

    def start(spoil=lambda number, raw: raw, **changes):
        acceptor = Acceptor(spoil)
        venue = make_venue(make_desk(), port=acceptor.port, **changes)
        process = Process(tmp_path)
        made.extend([acceptor, process])
        return acceptor, process, venue

    yield start
    acceptor, process = made
    if process.process.poll() is None:
        process.end()
    acceptor.stop()


def booked():
    return Counter(Trade.objects.exclude(external_id="").values_list("external_id", flat=True))


def wait_until(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, process.log.read_text()[-3000:]
        time.sleep(0.05)


def each_once(count):
    return {f"20261120:E{n}": 1 for n in range(count)}


def executed(acceptor, first, count):
    for number in range(first, first + count):
        acceptor.execute(f"E{number}", t31=f"{80 + number}.5")


def test_garbage_wrong_sums_gaps_and_repetitions_on_the_line(line):
    def spoil(number, raw):
        if number % 7 == 3:
            return b""  # lost
        if number % 7 == 4:
            return raw[:-2] + (b"0\x01" if raw[-2:-1] != b"0" else b"1\x01")  # wrong sum
        if number % 7 == 5:
            return b"\x00garbage 8=FI" + raw
        if number % 7 == 6:
            return raw.replace(b"9=1", b"9=6", 1)  # a length that reaches too far
        return raw

    acceptor, process, _ = line(spoil)
    acceptor.wait_for(lambda: acceptor.logons)
    executed(acceptor, 0, 21)
    acceptor.send("0")
    wait_until(lambda: sum(booked().values()) >= 21, process)
    # What was booked comes again, as it does after the venue has lost our place.
    acceptor._send_again(2, 10)
    acceptor.send("1", [(112, "still there?")])
    acceptor.wait_for(lambda: any(m.get(112) == b"still there?" for m in acceptor.received))

    assert booked() == each_once(21)
    session = DropCopySession.objects.get()
    assert session.next_incoming == acceptor.next_number
    assert "2" in acceptor.kinds()
    process.end()
    assert acceptor.kinds()[-1] == "5"
    assert Event.objects.filter(type="drop_copy.disconnected").exists()


def test_what_happens_while_the_line_is_down_comes_later(line):
    acceptor, process, _ = line()
    acceptor.wait_for(lambda: acceptor.logons)
    executed(acceptor, 0, 3)
    wait_until(lambda: len(booked()) == 3, process)
    acceptor.drop()
    executed(acceptor, 3, 4)

    wait_until(lambda: len(booked()) == 7, process)

    assert booked() == each_once(7)
    assert acceptor.logons == 2


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_or_doubled(line):
    dice = random.Random(7)
    acceptor, process, _ = line()
    acceptor.wait_for(lambda: acceptor.logons)
    sent = 0
    for _ in range(4):
        count = dice.randint(12, 20)
        executed(acceptor, sent, count)
        sent += count
        wanted = len(booked()) + dice.randint(1, 6)
        wait_until(lambda wanted=wanted: len(booked()) >= wanted, process)
        process.kill()
        executed(acceptor, sent, 2)  # while nobody listens
        sent += 2
        process.start()
    wait_until(lambda: len(booked()) == sent, process)
    acceptor.send("1", [(112, "END")])
    acceptor.wait_for(lambda: any(m.get(112) == b"END" for m in acceptor.received))

    assert booked() == each_once(sent)
    assert DropCopyMessage.objects.filter(state="BOOKED").count() == sent
    assert DropCopySession.objects.get().next_incoming == acceptor.next_number
    numbers = [int(m.get(34)) for m in acceptor.received if m.get(43) is None]
    assert len(numbers) == len(set(numbers))


@pytest.mark.slow
def test_a_number_too_low_is_told_once_and_a_person_resets_it(line):
    def begin_again(acceptor):
        acceptor.next_number = 1

    acceptor, process, _ = line()
    acceptor.wait_for(lambda: acceptor.logons)
    executed(acceptor, 0, 2)
    wait_until(lambda: len(booked()) == 2, process)
    acceptor.on_logon = begin_again
    acceptor.drop()
    wait_until(lambda: acceptor.logons >= 4, process)

    (alert,) = Event.objects.filter(type="drop_copy.alert")
    assert alert.payload["alert"] == "session.sequence_too_low"
    assert "too low" in DropCopySession.objects.get().latest_alert
    process.end()
    from django.core.management import call_command

    call_command("run_drop_copy", "TEST", reset_sequence="agreed with the venue", verbosity=0)
    event = Event.objects.filter(type="drop_copy.sequence_reset").get()
    assert event.changes["next_incoming"]["after"] == 1
    acceptor.on_logon = None
    acceptor.next_number, acceptor.sent = 1, {}
    process.start()
    acceptor.wait_for(lambda: acceptor.logons >= 5)
    wait_until(lambda: DropCopySession.objects.get().latest_alert == "", process)


@pytest.mark.slow
def test_one_process_a_venue_and_another_takes_over(line, tmp_path):
    acceptor, process, venue = line()
    acceptor.wait_for(lambda: acceptor.logons)
    with Lease(address(), lease_name(venue)) as lease:
        assert not lease.hold()
    (tmp_path / "second").mkdir()
    second = Process(tmp_path / "second")
    try:
        process.kill()
        wait_until(lambda: acceptor.logons == 2, second)
        executed(acceptor, 0, 1)
        wait_until(lambda: len(booked()) == 1, second)
        second.end()
    finally:
        if second.process.poll() is None:
            second.kill()


def test_a_malformed_report_is_rejected_by_tag_and_kept(line):
    acceptor, process, _ = line()
    acceptor.wait_for(lambda: acceptor.logons)
    acceptor.execute("E0", t32="many")
    acceptor.wait_for(lambda: "3" in acceptor.kinds())

    refused = next(m for m in acceptor.received if m.get(35) == b"3")
    assert (refused.get(371), refused.get(372), refused.get(373)) == (b"32", b"8", b"6")
    row = DropCopyMessage.objects.get()
    assert (row.state, row.tag, row.exec_id) == ("UNMATCHED", 32, "E0")
    executed(acceptor, 1, 1)
    wait_until(lambda: len(booked()) == 1, process)
