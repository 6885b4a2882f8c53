"""Closing a day: checks, a job, four eyes, runs again, late deals and restatements."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.accounts import make_user
from tests.factories.curves import SYSTEM
from tests.factories.trades import RECEIVED_AT, deal_of_words
from trading.models import (
    EndOfDay,
    PnlKind,
    PnlReport,
    PnlStepTotal,
    PriceTolerance,
    PublicationPolicy,
)
from trading.queries.end_of_day import findings_of, opening_of
from trading.queries.price_tolerances import DEFAULT_TOLERANCE, Tolerance, price_tolerances
from trading.services.curve_definitions import define_curve
from trading.services.end_of_day import (
    ClosingRefused,
    flash_pnl,
    restate_end_of_day,
    run_end_of_day,
    sign_end_of_day,
    start_end_of_day,
)
from trading.services.four_eyes import set_four_eyes
from trading.services.lifecycle import amend_trade
from trading.services.valuation import prove_run

from .desk import publish, valued_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
HOURS = 8760


def at(day, hour=17):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def closed(desk, day):
    row = start_end_of_day(
        actor=desk.again(desk.officer), organization_id=desk.organization.pk, day=day,
        as_of=at(day, 19), asked_at=at(day, 20),
    )  # fmt: skip
    return run_end_of_day(actor=Actor.system("test"), end_of_day_id=row.pk)


def test_a_day_is_closed_signed_by_another_and_then_only_restated():
    desk = valued_desk()
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")

    friday = closed(desk, FRIDAY)

    assert (friday.state, friday.number, friday.checks) == ("READY", 1, [])
    assert [step["step"] for step in friday.steps] == [
        "metering", "valuation", "checks", "price_check", "pnl", "hedges", "risk_run",
    ]  # fmt: skip
    assert Job.objects.get(pk=friday.job_id).task == "trading.end_of_day"
    with pytest.raises(SecondPersonNeeded):
        sign_end_of_day(actor=desk.officer, end_of_day_id=friday.pk, signed_at=at(FRIDAY, 20))
    with pytest.raises(PermissionMissing):
        sign_end_of_day(actor=desk.trader, end_of_day_id=friday.pk, signed_at=at(FRIDAY, 20))
    sign_end_of_day(actor=second, end_of_day_id=friday.pk, signed_at=at(FRIDAY, 20))
    with pytest.raises(ClosingRefused, match="restate it"):
        closed(desk, FRIDAY)

    # Monday: no quotes yet, another source disagrees later, a deal of Friday comes late.
    desk.deal("B 1MW DE base Cal27 @ 90.50")
    without = closed(desk, MONDAY)
    assert [f"{found['step']}: {found['text']}" for found in without.checks] == [
        "checks: DE has no quote of 2026-11-23.",
        "checks: DE is valued on a curve of 2026-11-20.",
        f"pnl: {PnlReport.objects.latest('id').steps.get(name='late').trade.ref} was agreed"
        " before the opening and is late.",
    ]
    publish(desk.market, {"Cal27": "91.00"}, at=at(MONDAY))
    (flash,) = flash_pnl(
        actor=Actor.system("test"), organization_id=desk.organization.pk, day=MONDAY,
        as_of=at(MONDAY, 18),
    )  # fmt: skip
    monday = closed(desk, MONDAY)
    assert monday.number == 2
    assert flash.total == Decimal(10 * HOURS) + Decimal("0.50") * HOURS
    with pytest.raises(ClosingRefused, match="run again"):
        sign_end_of_day(actor=second, end_of_day_id=without.pk, signed_at=at(MONDAY, 20))
    with pytest.raises(ClosingRefused, match="findings"):
        sign_end_of_day(actor=second, end_of_day_id=monday.pk, signed_at=at(MONDAY, 20))
    sign_end_of_day(
        actor=second, end_of_day_id=monday.pk, signed_at=at(MONDAY, 20), reason="late deal known"
    )

    # What is learnt later changes neither day, only the restatement.
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    publish(desk.market, {"Cal27": "70.00"}, at=at(FRIDAY))
    again = restate_end_of_day(
        actor=desk.officer, end_of_day_id=friday.pk, reason="the exchange corrected its price"
    )
    restated = run_end_of_day(actor=Actor.system("test"), end_of_day_id=again.pk)

    assert restated.is_restatement
    report = PnlReport.objects.get(day=FRIDAY, kind=PnlKind.RESTATED)
    assert report.restates == PnlReport.objects.get(day=FRIDAY, kind=PnlKind.OFFICIAL)
    assert opening_of(desk.organization.pk, MONDAY) == friday.run
    assert restated.run.result_hash != friday.run.result_hash
    for row in EndOfDay.objects.all():
        assert prove_run(row.run).is_same, str(row)


def test_another_source_that_disagrees_is_named():
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY), source="exchange")
    desk.deal("B 10MW DE base Cal27 @ 85.20")
    from tests.factories.curves import quote

    quote(desk.market, {("Q1-27", "BASE"): "93.00"}, at=at(FRIDAY), source="broker")

    row = closed(desk, FRIDAY)

    (found,) = row.checks
    assert found == {
        "step": "price_check",
        "text": "DE Q1-27: broker is +3.00 EUR from the curve's 90.00.",
        "about": "CURVE",
        "key": "DE",
        "figures": {
            "contract": "Q1-27", "source": "broker", "theirs": "93.000000", "ours": "90.0000",
            "difference": "3.0000", "tolerance": "0.9000", "currency": "EUR",
        },
    }  # fmt: skip


def test_a_curve_has_a_price_tolerance_of_its_own_by_version():
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY), source="exchange")
    desk.deal("B 10MW DE base Cal27 @ 85.20")
    from tests.factories.curves import quote

    quote(desk.market, {("Q1-27", "BASE"): "93.00"}, at=at(FRIDAY), source="broker")
    curve = desk.market.curve_definitions.get(is_mark=True)
    terms = {
        "actor": SYSTEM, "market": desk.market, "code": curve.code,
        "policy": PublicationPolicy(PublicationPolicy.AUTOMATIC),
    }  # fmt: skip
    define_curve(**terms, price_tolerance=Tolerance(Decimal("3.00"), Decimal(0)))
    define_curve(**terms)  # says nothing of it
    define_curve(**terms, price_tolerance=Tolerance(Decimal("3.00"), Decimal(0)))

    wide = closed(desk, FRIDAY)
    define_curve(**terms, price_tolerance=Tolerance(Decimal("2.99"), Decimal("3.3")))
    tight = closed(desk, FRIDAY)

    assert wide.checks == []
    (step,) = [step for step in wide.steps if step["step"] == "price_check"]
    assert "Allowed: DE 3 or 0 %." in step["said"]
    (found,) = tight.checks
    assert found["figures"]["tolerance"] == "2.9900"  # 3.3 % of 90 is 2.97
    rows = PriceTolerance.objects.order_by("version")
    assert [(row.version, str(row.amount)) for row in rows] == [(1, "3.0000"), (2, "2.9900")]
    before = rows[0].recorded_at - timedelta(microseconds=1)
    assert price_tolerances([curve.pk], known_at=before) == {curve.pk: DEFAULT_TOLERANCE}
    with pytest.raises(ValidationError, match="amount"):
        define_curve(**terms, price_tolerance=Tolerance(Decimal(-1), Decimal(0)))


def test_what_was_closed_before_is_brought_into_the_new_form_and_back():
    fill = import_module("trading.migrations.0015_fill_end_of_days")
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    desk.deal("B 10MW DE base Cal27 @ 85.20")
    closed(desk, FRIDAY)
    publish(desk.market, {"Cal27": "91.00"}, at=at(MONDAY))
    row = closed(desk, MONDAY)
    said = ["checks: DE has no quote: none.", "pnl: T-1 is late."]
    EndOfDay.objects.filter(pk=row.pk).update(checks=said, opening=None)
    wanted = sorted(PnlStepTotal.objects.values_list("report", "kind", "name", "amount"))
    PnlStepTotal.objects.all().delete()

    with connection.cursor() as cursor:
        for statement in (fill._OPENINGS, fill._CHECKS, fill._TOTALS, fill._TOTALS):
            cursor.execute(statement)
    row.refresh_from_db()

    assert row.opening == EndOfDay.objects.get(day=FRIDAY).run
    assert [(found["step"], found["text"]) for found in row.checks] == [
        ("checks", "DE has no quote: none."), ("pnl", "T-1 is late.")
    ]  # fmt: skip
    assert findings_of(desk.officer, row)[0].about == "VALUES"
    assert wanted
    assert sorted(PnlStepTotal.objects.values_list("report", "kind", "name", "amount")) == wanted
    with connection.cursor() as cursor:
        cursor.execute(fill._WORDS)
    row.refresh_from_db()
    assert row.checks == said


def test_an_amendment_that_waits_is_named_and_valued_by_the_old_terms():
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(1000))
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 20MW DE base Cal27 @ 85.20"), reason="ten more",
    )  # fmt: skip

    row = closed(desk, FRIDAY)

    assert [found["text"] for found in row.checks] == ["1 amendments wait for a second person."]
    assert row.run.values.get().unrealised == Decimal("4.80") * 10 * HOURS
