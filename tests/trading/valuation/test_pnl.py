"""P&L of a day: written numbers on the page and in REST, flash, late deals, four eyes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_desk
from trading.models import PnlAdjustment, PnlKind, PnlReport
from trading.queries.books import UnknownBook
from trading.queries.pnl import Period, days_of_pnl, parts_of, trades_of
from trading.services.lifecycle import amend_trade
from trading.services.pnl import PnlRefused, ask_adjustment, decide_adjustment, explain_runs
from trading.services.valuation import value_organization
from trading.web.pnl import waterfall_steps

from .desk import publish, valued_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DAY = date(2026, 11, 23)
FRIDAY = datetime(2026, 11, 20, 17, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 17, tzinfo=UTC)
HOURS = 8760


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def run_of(desk, as_of):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of
    )


@pytest.fixture
def desk():
    """A weekend: 10 MW bought, the curve rises by 1, 2 MW more, a late and a new deal."""
    desk = valued_desk()
    publish(desk.market, {"Cal27": "90.00"}, at=FRIDAY)
    first = desk.deal("B 10MW DE base Cal27 @ 85.20")
    opening = run_of(desk, TRADED_AT)
    publish(desk.market, {"Cal27": "91.00"}, at=MONDAY)
    flash = run_of(desk, MONDAY + timedelta(hours=1))
    actor = Actor.system("test")
    explain_runs(actor=actor, opening=opening, closing=flash, day=DAY, kind=PnlKind.FLASH)
    amend_trade(
        actor=desk.trader, ref=first.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    desk.deal("S 5MW DE base Cal27 @ 92.00", traded_at=MONDAY, received_at=MONDAY)
    desk.deal("B 1MW DE base Cal27 @ 90.50")
    closing = run_of(desk, MONDAY + timedelta(hours=2))
    explain_runs(actor=actor, opening=opening, closing=closing, day=DAY, kind=PnlKind.OFFICIAL)
    return desk


def test_a_weekend_is_explained_in_written_numbers(desk):
    (found,) = days_of_pnl(desk.trader, day=DAY)

    steps = {(s.kind, s.name): s.amount for s in found.steps if s.amount}
    assert steps == {
        ("PRICE", "DE"): Decimal(10 * HOURS),
        ("AMENDMENT", ""): Decimal("5.80") * 2 * HOURS,
        ("NEW", ""): Decimal(5 * HOURS),
        ("NEW", "late"): Decimal("0.50") * HOURS,
    }
    assert found.opening == Decimal("4.80") * 10 * HOURS
    assert found.total == sum(steps.values()) == found.closing - found.opening
    assert found.flash == Decimal(10 * HOURS)
    assert found.against_flash == found.total - 10 * HOURS
    for dimension in ("book", "product", "counterparty", "currency"):
        assert sum(part.amount for part in parts_of(found.reports, dimension)) == found.total
    assert [p.name for p in parts_of(found.reports, "product")] == ["PHYSICAL_FORWARD"]


def test_the_page_shows_steps_and_drills_to_trades_in_a_counted_number_of_queries(
    desk, django_assert_max_num_queries
):
    client = client_of(desk.trader)
    address = reverse("trading:pnl")
    client.get(address, {"date": "2026-11-23"})

    with django_assert_max_num_queries(35):
        page = client.get(address, {"date": "2026-11-23"}).content.decode()
    late = client.get(address, {"date": "2026-11-23", "step": "NEW", "name": "late"})
    nothing = client.get(address, {"date": "2026-11-22"}).content.decode()

    assert "87,600.00" in page and "101,616.00" in page and "Physical forward" in page
    assert "New deals late" in page
    assert "Value at close by counterparty" in page and "657,876.00" in page
    assert "+4,380.00 EUR" in late.content.decode()
    assert "No P&amp;L of this day" in nothing and "23 Nov 2026" in nothing
    assert client.get(address, {"kind": "x"}).status_code == 400
    assert client.get(address, {"date": "2026-11-23", "step": "x"}).status_code == 400
    assert client.get(address, {"date": "2026-11-23", "by": "x"}).status_code == 400


def test_trades_stand_by_what_they_added_the_largest_first(desk):
    (found,) = days_of_pnl(desk.trader, day=DAY)

    moved = [(row.amount, row.reporting) for row in trades_of(found.reports)]
    one = trades_of(found.reports, kind="NEW", limit=1)

    amounts = [10 * HOURS + Decimal("11.60") * HOURS, 5 * HOURS, Decimal("0.50") * HOURS]
    assert moved == [(amount, amount) for amount in amounts]
    assert [row.reporting for row in one] == [5 * HOURS]


def test_months_and_years_add_up_their_days_and_show_what_lies_between(desk):
    actor, tuesday = Actor.system("test"), DAY + timedelta(days=1)
    publish(desk.market, {"Cal27": "90.00"}, at=MONDAY + timedelta(days=1))
    # Tuesday opens with the flash, not with Monday's close: the month says so.
    flash = PnlReport.objects.get(kind=PnlKind.FLASH).closing
    closing = run_of(desk, MONDAY + timedelta(days=1, hours=2))
    explain_runs(actor=actor, opening=flash, closing=closing, day=tuesday, kind=PnlKind.OFFICIAL)

    ((monday,), (day,), (month,), (year,), (early,)) = (
        days_of_pnl(desk.trader, day=on, period=period)
        for on, period in (
            (DAY, Period.DAY), (tuesday, Period.DAY), (tuesday, Period.MTD),
            (tuesday, Period.YTD), (DAY, Period.MTD),
        )
    )  # fmt: skip

    assert month.total == monday.total + day.total == year.total
    assert month.opening == monday.opening and month.closing == day.closing
    assert sum(step.amount for step in month.steps) == month.total
    assert month.breaks == day.opening - monday.closing != 0
    assert month.opening + month.total + month.breaks == month.closing
    assert [(each.day, each.so_far) for each in month.daily] == [
        (DAY, monday.total), (tuesday, month.total)
    ]  # fmt: skip
    assert (month.realised, month.unrealised) == (day.realised, day.unrealised)
    assert (early.total, early.breaks, early.first) == (monday.total, 0, date(2026, 11, 1))
    assert (year.first, year.flash) == (date(2026, 1, 1), Decimal(10 * HOURS))
    client = client_of(desk.trader)
    asked = {"day": tuesday.isoformat(), "period": "MTD"}
    (shown,) = client.get("/api/v1/trading/pnl", asked).json()
    assert Decimal(shown["breaks"]) == month.breaks and shown["first_day"] == "2026-11-01"
    page = client.get(reverse("trading:pnl"), {"date": tuesday.isoformat(), "period": "YTD"})
    assert "Between reports" in page.content.decode()
    assert client.get(reverse("trading:pnl"), {"period": "WEEK"}).status_code == 400


def test_the_bars_of_the_waterfall_hang_together(desk):
    (found,) = days_of_pnl(desk.trader, day=DAY)

    steps = [step for step in waterfall_steps(found) if step.bar.level]
    bars = [step.bar for step in steps]

    ends = [Decimal(bar.start) + Decimal(bar.width) for bar in bars]
    assert [Decimal(bar.start) for bar in bars[:-1]] == [0, *ends[:-2]]
    assert (steps[-1].amount, bars[-1].start, ends[-1]) == (found.total, "0.00", 100)


def test_rest_gives_the_same_and_strangers_get_nothing(desk):
    client = client_of(desk.trader)
    asked = {"day": "2026-11-23"}

    (found,) = client.get("/api/v1/trading/pnl", asked).json()
    values = client.get("/api/v1/trading/valuations", {**asked, "book": "EU"}).json()["results"]
    stranger = client_of(make_desk("Stranger").trader)

    assert (found["opening"], found["books"]) == ("420480.00", ["EU"])
    assert sum(Decimal(s["amount"]) for s in found["steps"]) == Decimal(found["total"])
    assert [v["unrealised"] for v in values] == ["609696.00", "43800.00", "4380.00"]
    assert stranger.get("/api/v1/trading/pnl", asked).json() == []
    assert stranger.get("/api/v1/trading/valuations", asked).json()["results"] == []
    assert client.get("/api/v1/trading/pnl", {"day": "x"}).status_code == 400
    assert client.get("/api/v1/trading/pnl", {**asked, "book": "US"}).json() == []


def test_values_at_the_close_are_summed_by_each_dimension_in_both_currencies(desk):
    asked = {"day": "2026-11-23"}
    client = client_of(desk.trader)

    for by, name in (("book", "EU"), ("product", "PHYSICAL_FORWARD"), ("counterparty", "ACME"),
                     ("currency", "EUR")):  # fmt: skip
        (part,) = client.get("/api/v1/trading/valuations/totals", {**asked, "by": by}).json()
        assert (part["name"], part["currency"], part["reporting_currency"]) == (name, "EUR", "EUR")
        # 12 MW at 85.20, 5 MW sold at 92.00 and 1 MW at 90.50, all on a curve of 91.00.
        assert part["unrealised"] == part["unrealised_reporting"] == "657876.00"
        assert (part["realised"], part["trades"], part["unvalued"]) == ("0.00", 3, 0)
    stranger = client_of(make_desk("Stranger").trader)
    assert stranger.get("/api/v1/trading/valuations/totals", asked).json() == []
    refused = client.get("/api/v1/trading/valuations/totals", {**asked, "by": "trader"})
    assert refused.status_code == 400


def test_an_adjustment_counts_once_another_person_approves_it(desk):
    asked = ask_adjustment(
        actor=desk.officer, book_id=desk.book.pk, day=DAY, amount=Decimal("-250.10"),
        reason="broker's statement",
    )  # fmt: skip
    (before,) = days_of_pnl(desk.trader, day=DAY)

    with pytest.raises(SecondPersonNeeded):
        decide_adjustment(
            actor=desk.officer, adjustment_id=asked.pk, approve=True, reason="", decided_at=MONDAY
        )
    with pytest.raises(PermissionMissing):
        decide_adjustment(
            actor=desk.trader, adjustment_id=asked.pk, approve=True, reason="", decided_at=MONDAY
        )
    (still,) = days_of_pnl(desk.trader, day=DAY)
    assert (before.adjustment, still.adjustment) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"reason": " "}, "reason"), ({"amount": Decimal(0)}, "amount"),
     ({"amount": Decimal("0.001")}, "fractions"), ({"amount": Decimal("NaN")}, "amount")],
)  # fmt: skip
def test_an_adjustment_that_says_nothing_is_refused(desk, changes, words):
    asked = {"amount": Decimal(1), "reason": "because", "book_id": desk.book.pk, **changes}

    with pytest.raises(PnlRefused, match=words):
        ask_adjustment(actor=desk.officer, day=DAY, **asked)
    assert not PnlAdjustment.objects.exists()


def test_a_foreign_book_is_unknown(desk):
    stranger = make_desk("Stranger")

    with pytest.raises(UnknownBook):
        ask_adjustment(
            actor=stranger.officer, book_id=desk.book.pk, day=DAY, amount=Decimal(1), reason="x"
        )


def test_two_people_adjust_a_day_through_the_page(desk):
    trader, officer = client_of(desk.trader), client_of(desk.officer)
    asked = {"book": desk.book.pk, "day": "2026-11-23", "amount": "-250.10", "reason": "statement"}

    assert trader.post(reverse("trading:adjust_pnl"), asked).status_code == 302
    assert trader.post(reverse("trading:adjust_pnl"), {**asked, "amount": "x"}).status_code == 400
    row = PnlAdjustment.objects.get()
    said = {"adjustment": row.pk, "verdict": "approve", "reason": "seen it"}
    assert trader.post(reverse("trading:decide_pnl"), said).status_code == 403
    assert officer.post(reverse("trading:decide_pnl"), said).status_code == 302

    row.refresh_from_db()
    assert (row.status, row.decided_by) == ("APPROVED", desk.officer.id)
    (found,) = days_of_pnl(desk.again(desk.trader), day=DAY)
    assert found.adjustment == Decimal("-250.10")
    assert found.adjusted == found.total - Decimal("250.10")
    page = officer.get(reverse("trading:pnl"), {"date": "2026-11-23"}).content.decode()
    assert "statement" in page and "Approved" in page
