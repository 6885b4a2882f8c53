"""COPY leaves the rows that INSERT leaves, whatever stands in their cells."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from energyopti.foundation.copying import copy_rows, next_ids
from energyopti.foundation.events.models import Event
from risk.models import MarketSnapshot, ScopeVector
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from trading.models import Trade

pytestmark = pytest.mark.django_db
NASTY = 'tab\there, line\nthere, return\rand \\N, \\. \\x41 “quotes” "" {,} Ω'


def trades_of(desk, *references):
    ids = next_ids(Trade, len(references))
    return [
        Trade(
            id=trade_id, ref=f"X-{trade_id:08d}", organization_id=desk.organization.pk,
            book_id=desk.book.pk, counterparty_id=desk.counterparty.pk, basis="ORDER",
            client_reference=reference, request_hash="", recorded_at=TRADED_AT,
            tags=[reference[:40], 'a "b" \\ c', "NULL"],
        )
        for trade_id, reference in zip(ids, references, strict=True)
    ]  # fmt: skip


def test_copied_rows_equal_inserted_ones():
    desk = make_desk()
    copied, inserted = trades_of(desk, NASTY), trades_of(desk, f"{NASTY}2")

    copy_rows(copied)
    Trade.objects.bulk_create(inserted)

    one, other = Trade.objects.get(pk=copied[0].pk), Trade.objects.get(pk=inserted[0].pk)
    assert (one.client_reference, one.tags) == (NASTY, copied[0].tags)
    own = {"id", "uid", "ref", "client_reference", "tags", "_state"}
    assert {k: v for k, v in vars(one).items() if k not in own} == {
        k: v for k, v in vars(other).items() if k not in own
    }
    assert (one.mirror_id, one.uid) == (None, copied[0].uid)


def test_the_database_gives_ids_and_defaults_and_keeps_json():
    payload = {"words": NASTY, "none": None, "number": "1.10", "list": [1, {"a": True}]}
    rows = [
        Event(type="test.done", aggregate_type="x", aggregate_id=str(n), key="k", payload=payload,
              organization_id=uuid4() if n else None, actor_id="test")
        for n in range(3)
    ]  # fmt: skip

    with CaptureQueriesContext(connection) as queries:
        copy_rows(rows)

    kept = list(Event.objects.filter(type="test.done").order_by("id"))
    assert [row.aggregate_id for row in kept] == ["0", "1", "2"]
    assert all(row.payload == payload and row.recorded_at and row.transaction_id for row in kept)
    assert [row.organization_id for row in kept] == [row.organization_id for row in rows]
    assert len(queries) <= 1


def test_a_broken_rule_is_djangos_error_and_leaves_nothing():
    desk = make_desk()
    one, twin = trades_of(desk, "twice", "twice")

    with pytest.raises(IntegrityError, match="trade_client_reference_once"), transaction.atomic():
        copy_rows([one, twin])

    assert not Trade.objects.exists()
    copy_rows([])


def test_bytes_and_numbers_survive():
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    snapshot = MarketSnapshot.objects.get()

    copy_rows(
        [
            ScopeVector(
                book_id=desk.book.pk, snapshot_id=snapshot.pk, currency="EUR",
                base_value=-1.1e-300, values=bytes(range(256)),
            )
        ]
    )  # fmt: skip

    row = ScopeVector.objects.get()
    assert (row.base_value, bytes(row.values), bytes(row.pending_values)) == (
        -1.1e-300, bytes(range(256)), b"",
    )  # fmt: skip
    assert Decimal(row.sequence) == 0
