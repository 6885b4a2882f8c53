"""Issuing invoices: numbers, gaps, idempotency, immutability, reconciliation."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing import tasks
from billing.models import Invoice
from billing.queries.drafts import NothingAgreed, TermsDisagree
from billing.queries.reconciliation import reconcile_invoice
from billing.rating import MeterGap, PriceGap, PriceRule
from billing.services.contracts import ContractRefused, agree_contract, agree_terms
from billing.services.invoicing import InvoiceRefused, issue_invoice
from compliance.canonical import sha256_of
from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.schedule import PERIODIC
from energyopti.foundation.money import Rounding, RoundingScope
from tests.factories.accounts import make_site
from tests.factories.billing import (
    BEFORE,
    Supply,
    book_hourly_prices,
    book_readings,
    make_supply,
    make_terms,
    meter_day,
)
from trading.models import Flow, MeteringPointKind

pytestmark = pytest.mark.django_db

DAY = date(2027, 3, 1)
LATER = datetime(2027, 4, 2, 6, tzinfo=UTC)


def issue(supply: Supply, first: date = DAY, after: date | None = None) -> Invoice:
    period = DatePeriod(first, after or first + timedelta(days=1))
    return issue_invoice(
        actor=supply.operator, contract=supply.contract, period=period, issued_at=LATER
    )


def test_day_is_billed_at_its_hours_prices() -> None:
    supply = make_supply()
    meter_day(supply, DAY)

    invoice = issue(supply)

    # 1.5 kWh × Σ(40 … 63) EUR/MWh = 1.5 × 1236 / 1000; 36 kWh × 0.02; one day
    assert [(line.kind, line.amount) for line in invoice.lines.order_by("position")] == [
        ("ENERGY", Decimal("1.8500")),
        ("ADDER", Decimal("0.7200")),
        ("STANDING", Decimal("0.3500")),
    ]
    assert (invoice.net, invoice.tax, invoice.gross) == (
        Decimal("2.92"),
        Decimal("0.55"),
        Decimal("3.47"),
    )
    assert invoice.number == "VOLTARA-2027-000001"
    assert invoice.due_date == date(2027, 4, 16)
    assert invoice.content_hash == sha256_of(Invoice.objects.get(pk=invoice.pk).content)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25), (DAY, 24)]
)
def test_invoice_reconciles_on_days_of_any_length(day: date, hours: int) -> None:
    supply = make_supply()
    meter_day(supply, day, kwh="0.333333")
    issued_at = datetime(2027, 12, 1, tzinfo=UTC)

    invoice = issue_invoice(
        actor=supply.operator,
        contract=supply.contract,
        period=DatePeriod.day(day),
        issued_at=issued_at,
    )

    found = reconcile_invoice(invoice)
    assert found.agrees
    assert found.energy_kwh == hours * Decimal("0.333333")


@pytest.mark.parametrize("scope", list(RoundingScope))
@pytest.mark.parametrize("rounding", [Rounding.HALF_UP, Rounding.DOWN, Rounding.CEILING])
def test_invoice_reconciles_under_every_rounding(scope: RoundingScope, rounding: Rounding) -> None:
    supply = make_supply(terms=make_terms(rounding=rounding, rounding_scope=scope))
    meter_day(supply, DAY, kwh="0.777777")
    book_readings(
        supply.site,
        supply.market,
        supply.contract.calendar.day(DAY).start,
        ["0.111111"] * 48,
        asset="BAT-2",
        minutes=30,
    )

    assert reconcile_invoice(issue(supply)).agrees


def test_reconciliation_notices_another_amount() -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    invoice = issue(supply)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE billing_invoiceline DISABLE TRIGGER USER")
        cursor.execute("UPDATE billing_invoiceline SET amount = amount + 0.01 WHERE kind='ENERGY'")

    found = reconcile_invoice(invoice)
    assert not found.agrees
    assert found.difference == Decimal("0.01")


def test_correction_after_the_cut_does_not_change_what_was_owed() -> None:
    supply = make_supply()
    interval = meter_day(supply, DAY)
    invoice = issue(supply)

    book_hourly_prices(supply.market, interval.start, ["999"] * 24)
    book_readings(supply.site, supply.market, interval.start, ["9"] * 24)

    assert reconcile_invoice(invoice).agrees


def test_what_was_fed_in_is_not_billed() -> None:
    supply = make_supply()
    interval = meter_day(supply, DAY)
    book_readings(supply.site, supply.market, interval.start, ["7"] * 24, flow=Flow.EXPORT)

    invoice = issue(supply)

    assert invoice.energy_kwh == 36
    assert reconcile_invoice(invoice).agrees


def test_same_period_again_is_the_same_invoice() -> None:
    supply = make_supply()
    meter_day(supply, DAY)

    first, second = issue(supply), issue(supply)

    assert first == second
    assert Event.objects.filter(type="invoice.issued").count() == 1


def test_overlapping_period_is_refused() -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    meter_day(supply, DAY + timedelta(days=1))
    issue(supply)

    with pytest.raises(InvoiceRefused, match="VOLTARA-2027-000001 already covers 2027-03-01"):
        issue(supply, DAY, DAY + timedelta(days=2))


def test_database_refuses_two_invoices_of_one_day() -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    invoice = issue(supply)
    copy = Invoice.objects.get(pk=invoice.pk)
    copy.pk, copy.number, copy.sequence = None, "OTHER-1", 99

    with pytest.raises(IntegrityError, match="invoice_days_once"), transaction.atomic():
        copy.save(force_insert=True)


def test_refused_invoice_takes_no_number() -> None:
    supply = make_supply()
    meter_day(supply, DAY + timedelta(days=1))

    with pytest.raises(MeterGap, match="nothing was metered"):
        issue(supply, DAY)
    issued = issue(supply, DAY + timedelta(days=1))

    assert issued.sequence == 1
    assert Invoice.objects.count() == 1


def test_missing_price_names_the_hour() -> None:
    supply = make_supply()
    start = supply.contract.calendar.day(DAY).start
    book_hourly_prices(supply.market, start, ["50"] * 23)
    book_readings(supply.site, supply.market, start, ["1"] * 24)

    with pytest.raises(PriceGap, match="2027-03-01T22:00"):
        issue(supply)
    assert not Invoice.objects.exists()


def test_period_that_has_not_ended_is_refused() -> None:
    supply = make_supply()

    with pytest.raises(InvoiceRefused, match="period: it ends at 2027-04-03"):
        issue(supply, date(2027, 4, 2), date(2027, 4, 4))


def test_new_terms_split_the_period() -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    meter_day(supply, DAY + timedelta(days=1))
    agree_terms(
        actor=supply.operator,
        contract=supply.contract,
        terms=make_terms(
            valid_from=DAY + timedelta(days=1),
            price_rule=PriceRule.FIXED,
            fixed_price_per_kwh=Decimal("0.30"),
        ),
        agreed_at=BEFORE,
    )

    invoice = issue(supply, DAY, DAY + timedelta(days=2))

    energy = invoice.lines.filter(kind="ENERGY").order_by("position")
    assert [line.amount for line in energy] == [Decimal("1.85"), Decimal("10.80")]
    assert reconcile_invoice(invoice).agrees


def test_terms_that_tax_differently_are_billed_apart() -> None:
    supply = make_supply()
    agree_terms(
        actor=supply.operator,
        contract=supply.contract,
        terms=make_terms(valid_from=DAY + timedelta(days=1), tax_rate=Decimal("0.07")),
        agreed_at=BEFORE,
    )

    with pytest.raises(TermsDisagree, match="end the invoice on 2027-03-02"):
        issue(supply, DAY, DAY + timedelta(days=2))


def test_day_without_terms_is_named() -> None:
    supply = make_supply(terms=make_terms(valid_until=DAY))

    with pytest.raises(NothingAgreed, match="no terms on 2027-03-01"):
        issue(supply)


def test_terms_may_not_touch_billed_days() -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    issue(supply)

    with pytest.raises(ContractRefused, match="valid_from: invoice VOLTARA-2027-000001"):
        agree_terms(
            actor=supply.operator,
            contract=supply.contract,
            terms=make_terms(valid_from=DAY),
            agreed_at=BEFORE,
        )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tax_rate": Decimal(2)}, "tax_rate"),
        ({"fixed_price_per_kwh": Decimal(1)}, "fixed_price_per_kwh"),
        ({"standing_charge_per_day": Decimal("-1")}, "standing_charge_per_day"),
        ({"valid_until": date(2026, 1, 1)}, "valid_until"),
        ({"adder_per_kwh": Decimal("0.000000001")}, "adder_per_kwh"),
    ],
)
def test_impossible_terms_are_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(ContractRefused, match=f"^{field}: "):
        make_supply(terms=make_terms(**fields))


def test_contract_with_a_stranger_or_a_foreign_site_is_refused() -> None:
    supply, other = make_supply(), make_supply(name="Mill")
    asked = {
        "actor": supply.operator,
        "market": supply.market,
        "terms": make_terms(),
        "agreed_at": BEFORE,
    }

    with pytest.raises(ContractRefused, match=r"^organization: "):
        agree_contract(
            **asked, issuer=supply.customer, organization=other.customer, reference="X-1"
        )
    with pytest.raises(ContractRefused, match=r"^sites: "):
        agree_contract(
            **asked,
            issuer=supply.issuer,
            organization=supply.customer,
            reference="X-2",
            sites=[make_site(other.customer, "Elsewhere")],
        )
    with pytest.raises(ContractRefused, match=r"^reference: "):
        agree_contract(
            **asked,
            issuer=supply.issuer,
            organization=supply.customer,
            reference=supply.contract.reference,
        )


def test_customer_may_not_issue() -> None:
    supply = make_supply()

    with pytest.raises(PermissionMissing, match=r"billing\.issue_invoice"):
        issue_invoice(
            actor=supply.reader,
            contract=supply.contract,
            period=DatePeriod.day(DAY),
            issued_at=LATER,
        )


def test_clock_bills_the_last_month_and_skips_gaps(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, gap = make_supply(), make_supply(name="Mill")
    start = whole.contract.calendar.month(2027, 3).start
    book_hourly_prices(whole.market, start, ["50"] * 743)
    book_readings(whole.site, whole.market, start, ["2"] * 743)
    book_readings(gap.site, gap.market, start, ["2"] * 742)
    monkeypatch.setattr(tasks.clock, "now", lambda: LATER)

    first, second = tasks.issue_due(), tasks.issue_due()

    assert (first, second) == (1, 1)
    invoice = Invoice.objects.get()
    assert invoice.contract == whole.contract
    assert invoice.energy_kwh == 1486
    assert reconcile_invoice(invoice).agrees
    assert "SUP-Mill is not billed yet: meters: BAT-1 has no reading" in caplog.text
    assert "billing.monthly-invoices" in PERIODIC


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET gross = 0, net = 0, tax = 0",
        "DELETE FROM billing_invoiceline",
        "UPDATE billing_contractterms SET tax_rate = 0",
    ],
)
def test_issued_rows_cannot_be_changed_even_by_the_owner(statement: str) -> None:
    supply = make_supply()
    meter_day(supply, DAY)
    issue(supply)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_loads_behind_a_metered_connection_and_batteries_are_not_billed_twice() -> None:
    supply = make_supply()
    day = meter_day(supply, DAY, kwh="2")
    bare = make_site(supply.customer, name="Mill")
    hours = int(day.hours)
    for site, asset, kind in (
        (supply.site, "L-1", MeteringPointKind.LOAD),
        (supply.site, "B-1", MeteringPointKind.STORAGE),
        (bare, "L-2", MeteringPointKind.LOAD),
        (bare, "B-2", MeteringPointKind.STORAGE),
    ):
        book_readings(site, supply.market, day.start, ["5"] * hours, asset=asset, kind=kind)

    invoice = issue(supply)

    # 24 h × 2 kWh at the metered connection, 24 h × 5 kWh of loads where none is metered
    energy = invoice.lines.filter(kind="ENERGY")
    assert sum(line.quantity for line in energy) == 24 * (2 + 5)
    assert reconcile_invoice(invoice).agrees
    assert reconcile_invoice(invoice).energy_kwh == 168


def test_reading_missing_at_the_connection_is_a_gap_even_where_loads_were_read() -> None:
    supply = make_supply()
    day = meter_day(supply, DAY)
    other = make_site(supply.customer, name="Mill")
    book_readings(other, supply.market, day.start, ["1"] * 23, asset="C-2")
    book_readings(
        other, supply.market, day.start, ["1"] * 24, asset="L-2", kind=MeteringPointKind.LOAD
    )

    with pytest.raises(MeterGap, match=r"C-2|L-2"):
        issue(supply)
