"""The hash chain: it holds, it names the first break, and nobody may rewrite it."""

import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from compliance.audit.models import AuditRecord
from compliance.audit.queries.verification import verify_chain
from compliance.audit.services.chaining import chain_event
from energyopti.foundation.events.followers import FOLLOWERS
from energyopti.foundation.events.models import Event, FollowerCursor
from energyopti.foundation.events.relay import advance, ensure_cursor
from tests.factories.compliance import make_chain, make_event

pytestmark = pytest.mark.django_db

names = st.text(st.characters(min_codepoint=32, max_codepoint=1000), min_size=1, max_size=12)
json_objects = st.dictionaries(names, st.none() | st.booleans() | st.integers() | names, max_size=3)
TAMPERED: dict[str, Any] = {
    "type": names,
    "version": st.integers(1, 300),
    "aggregate_type": names,
    "aggregate_id": names,
    "key": names,
    "organization_id": st.uuids().map(str),
    "actor_id": names,
    "on_behalf_of": names,
    "request_id": names,
    "payload": json_objects.map(json.dumps),
    "changes": json_objects.map(json.dumps),
    "recorded_at": st.datetimes().map(lambda at: at.isoformat() + "Z"),
    "transaction_id": st.integers(1, 2**60),
    "uid": st.uuids().map(str),
}


def as_owner(statement: str, parameters: list[Any] | None = None) -> None:
    """Do what only somebody who owns the database can: rewrite facts with the guards off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE events_event DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_auditrecord DISABLE TRIGGER USER")
        cursor.execute(statement, parameters or [])


class Undone(Exception):
    """Rolls one example's tampering back."""


def test_chain_holds_and_counts() -> None:
    make_chain(3)

    found = verify_chain()

    assert found.broken is None
    assert found.records == 3
    assert found.head == AuditRecord.objects.get(seq=3).hash
    assert AuditRecord.objects.get(seq=1).previous_hash == "0" * 64


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data(), st.sampled_from(sorted(TAMPERED)), st.integers(0, 2))
def test_any_change_of_any_field_is_found(data: Any, field: str, victim: int) -> None:
    value = data.draw(TAMPERED[field])
    try:
        with transaction.atomic():
            event = make_chain(3)[victim]
            before = Event.objects.filter(pk=event.pk).values_list(field, flat=True)[0]
            as_owner(f"UPDATE events_event SET {field} = %s WHERE id = %s", [value, event.pk])
            after = Event.objects.filter(pk=event.pk).values_list(field, flat=True)[0]
            found = verify_chain()
            raise Undone
    except Undone:
        assume(before != after)

    assert found.broken is not None
    assert found.broken.where == f"record {victim + 1} (event {event.pk})"


def test_digit_beyond_floats_is_found() -> None:
    event = make_event(payload={"weight": 0.1})
    chain_event(event)

    as_owner(
        "UPDATE events_event SET payload = %s WHERE id = %s",
        ['{"weight": 0.1000000000000000055511151231257827}', event.pk],
    )

    assert verify_chain().broken is not None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DELETE FROM events_event WHERE id = %(second)s", "no longer in the log"),
        ("DELETE FROM audit_auditrecord WHERE seq = 2", "record 2 is missing"),
        (
            "UPDATE audit_auditrecord SET hash = repeat('a', 64) WHERE seq = 2",
            "changed after it was chained",
        ),
        (
            "UPDATE audit_auditrecord SET previous_hash = repeat('b', 64) WHERE seq = 2",
            "does not follow",
        ),
        (
            "UPDATE audit_auditrecord SET event_uid = gen_random_uuid() WHERE seq = 2",
            "belongs to another event",
        ),
    ],
)
def test_removal_and_rewriting_are_named(statement: str, reason: str) -> None:
    events = make_chain(3)

    as_owner(statement.replace("%(second)s", str(events[1].pk)))

    broken = verify_chain().broken
    assert broken is not None
    assert reason in broken.reason


def test_event_slipped_in_behind_the_follower_is_found() -> None:
    make_chain(2)
    slipped_in = make_event(subject="forged")
    FollowerCursor.objects.update_or_create(
        name="audit", defaults={"transaction_id": 2**60, "event_id": 0}
    )

    broken = verify_chain().broken

    assert broken is not None
    assert broken.where == f"event {slipped_in.pk}"


def test_command_tells_and_exits() -> None:
    events = make_chain(2)
    out, err = io.StringIO(), io.StringIO()

    call_command("verify_audit", stdout=out)
    as_owner("UPDATE events_event SET actor_id = 'user:x' WHERE id = %s", [events[0].pk])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stderr=err)
    as_json = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_audit", json=True, stdout=as_json)

    assert "holds: 2 records" in out.getvalue()
    assert ended.value.code == 1
    assert f"record 1 (event {events[0].pk})" in err.getvalue()
    assert json.loads(as_json.getvalue())["intact"] is False


def test_two_successors_of_one_record_are_refused() -> None:
    first = make_chain(2)[0]

    with pytest.raises(IntegrityError), transaction.atomic():
        AuditRecord.objects.create(
            seq=9,
            event_id=first.pk + 10_000,
            event_uid=first.uid,
            previous_hash=AuditRecord.objects.get(seq=2).previous_hash,
            hash="c" * 64,
        )


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditrecord SET hash = repeat('a', 64)", "DELETE FROM audit_auditrecord"],
)
def test_owner_cannot_rewrite_by_mistake(statement: str) -> None:
    make_chain(1)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["audit_auditrecord", "billing_invoice", "esg_carbonreport"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET recorded_at = now()",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
    ],
)
def test_application_role_may_only_add(table: str, statement: str) -> None:
    role = settings.DATABASE_APPLICATION_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if not role or cursor.fetchone()[0] == role:
            pytest.skip("this database has one role for everything")

    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'SET LOCAL ROLE "{role}"')
        cursor.execute(statement.format(table=table))


@pytest.mark.django_db(transaction=True)
def test_follower_chains_the_log_in_its_order() -> None:
    for i in range(4):
        make_event(subject=f"T-{i}")
    ensure_cursor(FOLLOWERS["audit"])

    while advance(FOLLOWERS["audit"]).more:
        pass

    found = verify_chain()
    assert found.broken is None
    assert found.records == Event.objects.count()
    assert found.waiting == 0
