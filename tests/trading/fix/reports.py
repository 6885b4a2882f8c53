"""Messages of a venue, written by simplefix: another implementation than the one under test."""

from datetime import UTC, datetime

import simplefix

VENUE, US = "VENUE", "DESK"
TRANSACTED = "20261120-17:30:00.000"
HEADER_TAGS = {8, 9, 34, 35, 49, 52, 56}


def stamp(moment: datetime | None = None) -> str:
    return f"{moment or datetime.now(UTC):%Y%m%d-%H:%M:%S}.000"


def message(kind, number, fields=(), *, possible_duplicate=False, sent_at=None, **header):
    """Return the bytes of a message from the venue to us."""
    made = simplefix.FixMessage()
    made.append_pair(8, header.get("begin", "FIX.4.4"), header=True)
    made.append_pair(35, kind, header=True)
    made.append_pair(49, header.get("sender", VENUE), header=True)
    made.append_pair(56, header.get("target", US), header=True)
    made.append_pair(34, number, header=True)
    made.append_pair(52, sent_at or stamp(), header=True)
    if possible_duplicate:
        made.append_pair(43, "Y", header=True)
        made.append_pair(122, stamp(), header=True)
    for tag, value in fields:
        made.append_pair(tag, value)
    return made.encode()


def fill_fields(exec_id="E1", **changes):
    """
    Return the fields of a fill: 10 MW of the German month of March 2027, bought at 85.20.

    changes     t31="90" replaces a tag, t31=None leaves it out
    """
    fields = {
        37: "O1", 17: exec_id, 150: "F", 39: "2", 1: "ACC1", 55: "DEBM", 200: "202703",
        54: "1", 32: "10", 31: "85.20", 15: "EUR", 30: "XEEE", 75: "20261120", 60: TRANSACTED,
    }  # fmt: skip
    for name, value in changes.items():
        tag = int(name[1:])
        if value is None:
            fields.pop(tag, None)
        else:
            fields[tag] = value
    return list(fields.items())


def fill(number, exec_id="E1", **changes):
    extra = changes.pop("extra", [])
    duplicate = changes.pop("possible_duplicate", False)
    return message(
        "8", number, [*fill_fields(exec_id, **changes), *extra], possible_duplicate=duplicate
    )


def with_sum(body: bytes) -> bytes:
    """Return a message of raw fields with the right length and sum, whatever the fields are."""
    start = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
    return start + b"10=%03d\x01" % (sum(start) % 256)
