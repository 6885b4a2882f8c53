"""A log of messages: a dry run says of each line what the import then does, and no more."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from energyopti.foundation.events.models import Event
from trading.models import DropCopyMessage, DropCopySession, Trade

from .reports import fill, message
from .venues import make_venue

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(tmp_path):
    piped = fill(2, "E1").replace(b"\x01", b"|")
    lines = [
        b"",
        b"20261120-17:30:00.101 IN  " + piped,
        fill(3, "E2", t31="86"),
        fill(4, "E1", possible_duplicate=True),
        fill(5, "E3", t55="NOPE"),
        fill(6, "E2", t31="99"),
        piped.replace(b"31=85.20", b"31=85.30"),
        b"no message at all",
        message("0", 7),
        message("8", 8, [(17, "E9")], sender="DESK", target="VENUE"),
        fill(9, "E4", t150="H", t39="4", extra=[(19, "E1")]),
    ]
    path = tmp_path / "day.log"
    path.write_bytes(b"\r\n".join(lines))
    return path


def run(*arguments):
    out = StringIO()
    with pytest.raises(CommandError, match="2 lines are no messages"):
        call_command("import_fix_log", *map(str, arguments), "--venue", "TEST", stdout=out)
    return out.getvalue()


def test_a_dry_run_names_each_line_and_writes_nothing(log):
    make_venue()
    before = Event.objects.count()

    said = run(log, "--dry-run").splitlines()

    assert [line.split(":")[0] + line.split(":")[1] for line in said[:-1]] == [
        "line 2 NEW E1", "line 3 NEW E2", "line 4 SEEN E1", "line 5 UNMATCHED E3",
        "line 6 BY_HAND E2", "line 7 REFUSED", "line 8 REFUSED", "line 9 SKIPPED",
        "line 10 SKIPPED E9", "line 11 CANCEL E4",
    ]  # fmt: skip
    assert "BUY 10 of DEBM at 85.20 EUR, FUTURE, book EU" in said[0]
    assert "tag 55" in said[3] and "tag 10" in said[5] and "tag 8" in said[6]
    assert not DropCopyMessage.objects.exists() and not Trade.objects.exists()
    assert Event.objects.count() == before


def test_an_import_books_each_execution_once_however_often_it_runs(log):
    make_venue()

    first, again = run(log), run(log)

    assert "2 REFUSED" in first and "2 SKIPPED" in first and "3 BOOKED" in first
    assert "6 SEEN" in again and "BOOKED E" not in again
    states = dict(Trade.objects.values_list("external_id", "status"))
    assert states == {"20261120:E1": "CANCELLED", "20261120:E2": "LIVE"}
    assert DropCopySession.objects.get().next_incoming == 1
    assert DropCopyMessage.objects.filter(state="UNMATCHED").get().exec_id == "E3"


def test_what_waits_is_shown_and_settled_from_the_command_line(log, tmp_path):
    from tests.factories.trades import make_desk

    desk = make_desk()
    make_venue(desk)
    run(log)
    out = StringIO()
    call_command("drop_copy", "status", stdout=out)
    assert "1 wait for a mapping, 1 to do by hand" in out.getvalue()

    setup = tmp_path / "test.toml"
    setup.write_text(
        '[venue]\ncode = "TEST"\nname = "Test"\nmic = "XEEE"\nhost = "127.0.0.1"\nport = 9\n'
        'use_tls = false\nsender_comp_id = "DESK"\ntarget_comp_id = "VENUE"\n'
        'clearing_house = "ACME"\n[[account]]\naccount = "ACC1"\nbook = "EU"\n'
        '[[product]]\nsymbol = "NOPE"\nmarket = "DE"\nproduct_kind = "FUTURE"\n'
        'period_rule = "MONTH"\ncurrency = "EUR"\nlot_size = 0.1\n'
    )
    call_command(
        "drop_copy", "configure", str(setup), "--organization", desk.organization.name, stdout=out
    )
    call_command("drop_copy", "retry", "TEST", stdout=out)
    assert "1 products, 1 accounts" in out.getvalue() and "1 settled, 0 still" in out.getvalue()
    by_hand = DropCopyMessage.objects.get(state="BY_HAND")
    call_command(
        "drop_copy", "settle", str(by_hand.pk), "--reason", "the venue withdrew it", stdout=out
    )
    assert DropCopyMessage.objects.get(pk=by_hand.pk).state == "VOID"
    with pytest.raises(CommandError, match="venue: there is no drop copy"):
        call_command("drop_copy", "retry", "NONE")
