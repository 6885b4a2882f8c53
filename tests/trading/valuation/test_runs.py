"""Valuation runs: written numbers, what is not valued, and the same hash for ever."""

import hashlib
import json
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor, PermissionMissing
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_desk
from trading.deals import Direction, Fee, FeeBasis, FeeKind
from trading.models import PositionDelta, Trade, TradeValue, TradeVersion, ValuationRun
from trading.services.changes import ForeignOrganization
from trading.services.lifecycle import amend_trade, cancel_trade
from trading.services.valuation import prove_run, value_organization

from .desk import publish, valued_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)
EVENING = datetime(2026, 11, 20, 19, tzinfo=UTC)


@pytest.fixture
def desk():
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00", "Cal27 PEAK": "110.00"}, at=CLOSE)
    return desk


def run_of(desk, as_of=EVENING, **cut) -> ValuationRun:
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of, **cut
    )


def with_fee(deal):
    return replace(
        deal, legs=(*deal.legs, Fee(Direction.PAY, FeeKind.BROKER, Decimal("12.50"), "EUR"))
    )


def values(run):
    return {v.trade.ref: v for v in run.values.select_related("trade")}


def test_forwards_are_worth_their_hours_times_the_distance_to_the_curve(desk):
    base = desk.deal("B 10MW DE base Cal27 @ 85.20")
    peak = desk.deal("S 4MW DE peak Cal27 @ 112.50")

    run = run_of(desk)

    found = values(run)
    # 2027 has 8,760 hours and 261 working days.
    assert found[base.ref].unrealised == Decimal("420480.00")
    assert found[peak.ref].unrealised == 4 * 261 * 12 * Decimal("2.50")
    assert {v.realised for v in found.values()} == {Decimal(0)}
    assert all(v.is_valued for v in found.values())
    assert (run.trades, run.unvalued, run.findings) == (2, 0, [])
    assert [row[:2] for row in run.inputs["curves"]] == [["DE", 1]]


def test_the_same_cut_gives_the_same_hash_after_amendments_cancellations_and_corrections(desk):
    first, second = desk.deal("B 10MW DE base Cal27 @ 85.20"), desk.deal("S 5MW DE base Q2-27 @ 80")
    run = run_of(desk)
    same_knowledge = run_of(desk)

    amend_trade(
        actor=desk.trader, ref=first.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    cancel_trade(
        actor=desk.trader, ref=second.ref, expected_version=1, received_at=RECEIVED_AT,
        reason="never was",
    )  # fmt: skip
    desk.deal("B 1MW DE base Cal27 @ 1")
    publish(desk.market, {"Cal27": "70.00"}, at=CLOSE)
    later = run_of(desk)

    assert prove_run(run).is_same
    assert prove_run(later).is_same
    assert (run.input_hash, run.result_hash) == (
        same_knowledge.input_hash, same_knowledge.result_hash,
    )  # fmt: skip
    assert run.input_hash != later.input_hash
    assert run.result_hash != later.result_hash
    again = run_of(desk, known_at=run.known_at)
    assert again.result_hash == run.result_hash
    assert set(values(later)) == {first.ref, Trade.objects.latest("id").ref}


def test_a_deal_agreed_after_the_close_counts_in_no_valuation_of_it(desk):
    after = EVENING + timedelta(seconds=1)
    early = desk.deal("B 10MW DE base Cal27 @ 85.20", traded_at=EVENING, received_at=after)
    later = desk.deal(
        deal=with_fee(deal_of_words("B 5MW DE base Cal27 @ 85.20")),
        traded_at=after, received_at=after,
    )  # fmt: skip

    found, next_day = values(run_of(desk)), values(run_of(desk, as_of=EVENING + timedelta(hours=1)))

    assert later.ref not in found and early.ref in found
    assert next_day[later.ref].fees == -Decimal("12.50")
    assert next_day[early.ref].unrealised == found[early.ref].unrealised


def written_inputs(run) -> str:
    """Hash what was held in the form that runs are kept in, from rows and exact decimals."""
    digest = hashlib.sha256()
    for version in TradeVersion.objects.order_by("trade_id", "-version").distinct("trade_id"):
        digest.update(f"{version.trade_id} {version.pk} {version.status}\n".encode())
    sums: dict = {}
    for delta in PositionDelta.objects.select_related("trade_version"):
        times = [t.astimezone(UTC).isoformat() for t in (delta.start, delta.end)]
        key = (delta.market_id, delta.currency, delta.basis, delta.unit, delta.shape,
               delta.shape_version, delta.month, *times)  # fmt: skip
        held = sums.setdefault(key, {}).setdefault(delta.trade_version.trade_id, [0, 0])
        held[:] = held[0] + delta.exposure, held[1] + delta.fixed
    for key, trades in sorted(sums.items()):
        left = {trade: both for trade, both in sorted(trades.items()) if any(both)}
        if left:
            digest.update("|".join(map(str, (*key[:7], 0, *key[7:]))).encode() + b"\n")
            digest.update(struct.pack(f">{len(left)}q", *left))
            for at in (0, 1):
                numbers = [float(both[at]) for both in left.values()]
                digest.update(struct.pack(f">{len(left)}d", *numbers))
    for row in run.values.order_by("version__terms_id", "id"):
        if row.fees:
            digest.update(f"fees {row.trade_id} {row.currency} {row.fees}\n".encode())
    return digest.hexdigest()


def written_result(run) -> str:
    rows = [
        [str(cell) for cell in (
            row.trade_id, row.version_id, row.book_id, row.counterparty_id, row.product_kind,
            row.currency, row.realised, row.unrealised, row.fees, row.reporting_currency,
            row.rate.normalize(), row.realised_reporting, row.unrealised_reporting, row.is_valued,
        )]
        for row in run.values.order_by("trade_id", "currency")
    ]  # fmt: skip
    text = json.dumps([run.input_hash, rows], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_hashes_are_of_the_written_form_of_what_was_held_and_stored(desk):
    first = desk.deal("B 10MW DE base Cal27 @ 85.20")
    gone = desk.deal("S 5MW DE peak Q2-27 @ 80.10")
    deal = deal_of_words("S 3MW DE base Q1-27 @ 91.25")
    broker = Fee(Direction.PAY, FeeKind.BROKER, Decimal("0.0155"), "EUR", FeeBasis.PER_UNIT, "GFI")
    desk.deal(deal=replace(deal, legs=(*deal.legs, broker)))
    amend_trade(
        actor=desk.trader, ref=first.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12.1MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    cancel_trade(
        actor=desk.trader, ref=gone.ref, expected_version=1, received_at=RECEIVED_AT,
        reason="never was",
    )  # fmt: skip

    run = run_of(desk)

    assert run.inputs["positions"] == written_inputs(run)
    assert run.result_hash == written_result(run)
    # 3 MW over the 2,159 hours of the quarter.
    assert sorted(v.fees for v in run.values.all()) == [Decimal("-100.39"), 0]


def test_fees_per_unit_of_many_trades_are_read_together(desk):
    broker = Fee(Direction.PAY, FeeKind.BROKER, Decimal("0.01"), "EUR", FeeBasis.PER_UNIT, "GFI")

    def deal_with_fee() -> None:
        deal = deal_of_words("B 1MW DE base Q1-27 @ 85.20")
        desk.deal(deal=replace(deal, legs=(*deal.legs, broker)))

    deal_with_fee()
    run_of(desk)
    with CaptureQueriesContext(connection) as one:
        run_of(desk)
    for _ in range(3):
        deal_with_fee()
    with CaptureQueriesContext(connection) as four:
        run = run_of(desk)

    assert len(four) == len(one)
    assert [v.fees for v in run.values.all()] == [Decimal("-21.59")] * 4


def test_a_market_without_a_curve_is_named_and_its_trades_are_not_valued():
    desk = make_desk()
    receipt = desk.deal("B 10MW DE base Q1-27 @ 85.20")

    run = run_of(desk)

    value = values(run)[receipt.ref]
    assert (value.is_valued, value.realised, value.unrealised) == (False, 0, 0)
    assert run.unvalued == 1
    assert run.findings == [
        f"DE BASE {month} 2027: no published curve has a price in EUR."
        for month in ("Feb", "Jan", "Mar")
    ]


def test_delivered_hours_stay_at_the_last_mark_until_spot_is_known():
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=CLOSE)
    receipt = desk.deal("B 10MW DE base Jan27 @ 85.20")
    publish(desk.market, {"Feb27": "95.00"}, at=datetime(2027, 1, 11, 17, tzinfo=UTC))
    noon = datetime(2027, 1, 12, 11, tzinfo=UTC)  # twelve hours of the 12th are over

    run = run_of(desk, as_of=noon)

    value = values(run)[receipt.ref]
    hours = 11 * 24 + 12
    assert value.realised == hours * 10 * Decimal("4.80")
    assert value.unrealised == (744 - hours) * 10 * Decimal("4.80")
    assert run.findings == [
        "DE BASE Jan 2027: carried on from version 1 of 2026-11-20; the latest curve has no price."
    ]


def test_runs_ask_for_permission_and_the_own_organization(desk):
    stranger = make_desk("Stranger")

    with pytest.raises(PermissionMissing):
        value_organization(actor=desk.trader, organization_id=desk.organization.pk, as_of=EVENING)
    with pytest.raises(ForeignOrganization):
        value_organization(
            actor=desk.again(stranger.officer), organization_id=desk.organization.pk,
            as_of=EVENING,
        )  # fmt: skip
    assert not TradeValue.objects.exists()
