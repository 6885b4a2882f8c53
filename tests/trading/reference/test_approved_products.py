"""What a book may deal in: its own list, its ancestors', or no list."""

import pytest

from energyopti.accounts.actors import PermissionMissing
from tests.factories.trades import make_book, make_desk, make_power
from trading.models import ApprovedProduct
from trading.queries.agreements import approved_product_rows
from trading.queries.approved import months_between, months_later
from trading.queries.reference import UnknownReference
from trading.reference import ApprovedProductTerms
from trading.services.approved_products import (
    amend_approved_product,
    approve_product,
    withdraw_product,
)
from trading.services.capture import TradeStopped

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


def approve(desk, book, **fields) -> ApprovedProduct:
    return ApprovedProduct.objects.create(book=book, commodity=make_power(), **fields)


def said(desk) -> dict:
    from trading.models import TradeVersion

    version = TradeVersion.objects.latest("id")
    return next(c for c in version.checks if c["check"] == "approved_product")


def test_without_a_list_everything_passes_and_says_so(desk):
    desk.deal()

    assert said(desk)["outcome"] == "PASS"
    assert said(desk)["reason"].startswith("No list")


def test_an_order_off_the_list_is_stopped_and_a_fill_is_booked(desk):
    approve(desk, desk.book, product_kind="SWAP")

    with pytest.raises(TradeStopped, match="Book EU may not deal in physical forward DE base"):
        desk.deal()
    desk.deal(fill=True)
    assert said(desk)["outcome"] == "HARD"


@pytest.mark.parametrize(
    ("fields", "passes"),
    [
        ({}, True),
        ({"product_kind": "PHYSICAL_FORWARD"}, True),
        ({"load_shapes": ["BASE", "PEAK"]}, True),
        ({"load_shapes": ["PEAK"]}, False),
        # Dealt on 20 November 2026; Cal27 ends with 1 January 2028.
        ({"maximum_tenor_months": 14}, True),
        ({"maximum_tenor_months": 13}, False),
    ],
)
def test_each_field_of_a_line_narrows(desk, fields, passes):
    approve(desk, desk.book, **fields)

    if passes:
        desk.deal()
        assert said(desk)["reason"] == "On the list of book EU."
    else:
        with pytest.raises(TradeStopped, match="Book EU may"):
            desk.deal()


def test_a_book_follows_the_nearest_list_above_it(desk):
    root = make_book(desk.organization, "ROOT")
    desk.book.parent = root
    desk.book.save()
    approve(desk, root, load_shapes=["PEAK"])
    with pytest.raises(TradeStopped, match="the list of ROOT above it lacks it"):
        desk.deal()

    approve(desk, desk.book, market=desk.market)
    desk.deal()
    assert said(desk)["reason"] == "On the list of book EU."


def test_a_line_is_approved_amended_and_withdrawn_by_an_officer(desk):
    own = {"actor": desk.officer, "organization_id": desk.organization.pk}
    approve_product(**own, terms=ApprovedProductTerms("EU", "POWER", "DE"))
    row = amend_approved_product(
        **own, terms=ApprovedProductTerms("EU", "POWER", "DE", maximum_tenor_months=3)
    )

    assert list(approved_product_rows(desk.trader)) == [row]
    with pytest.raises(UnknownReference):
        withdraw_product(actor=make_desk().officer, approved_product_id=row.pk)
    with pytest.raises(PermissionMissing):
        withdraw_product(actor=desk.trader, approved_product_id=row.pk)
    withdraw_product(actor=desk.officer, approved_product_id=row.pk)
    assert not ApprovedProduct.objects.exists()


def test_months_are_counted_as_people_do():
    from datetime import date

    assert months_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_later(date(2027, 12, 31), 2) == date(2028, 2, 29)
    assert months_between(date(2026, 11, 20), date(2028, 1, 1)) == 14
    assert months_between(date(2026, 11, 20), date(2026, 12, 20)) == 1
