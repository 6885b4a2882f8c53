"""Pages of reference data with a whole desk: accessible, and an import by keyboard alone."""

import os
import re
from pathlib import Path

import pytest
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Membership, User
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.factories.accounts import make_organization
from trading.models import (
    Agreement,
    Book,
    CreditSupportAnnex,
    HolidayCalendar,
    Market,
    NettingSet,
)
from trading.services.reference_files import import_reference, stage_import

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
DESK = Path(__file__).resolve().parents[2] / "docs" / "reference-data" / "europe"


def desk_files() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in DESK.glob("*.csv")}


def test_a_full_desk_is_accessible_on_every_page(page_as, base_url: str) -> None:
    organization = make_organization()
    page = page_as(Role.ADMIN, organization=organization)
    actor = Actor.for_user(User.objects.get(memberships__organization=organization))
    import_reference(actor=actor, organization_id=organization.pk, files=desk_files())
    changed = desk_files()
    changed["counterparties.csv"] = changed["counterparties.csv"].replace(b"Brise", b"Brisa")
    refused = {**changed, "markets.csv": changed["markets.csv"].replace(b"----1", b"----9")}
    uploads = [
        stage_import(actor=actor, organization_id=organization.pk, files=files).id
        for files in (changed, refused)
    ]
    annex = CreditSupportAnnex.objects.select_related("netting_set__agreement").first()
    company = annex.netting_set.agreement.counterparty_id
    book = Book.objects.filter(parent__isnull=False).first()
    listed = Book.objects.exclude(approved_products=None).first()
    pages = [
        *(reverse(f"trading:{name}") for name in (
            "counterparties", "counterparty_new", "agreements", "books", "book_new",
            "commodities", "delivery_points", "delivery_point_new", "indices", "index_new",
            "plants", "plant_new",
            "shapes", "holiday_lists", "fx_rates", "fx_rate_new", "reference",
        )),
        reverse("trading:counterparty", args=[company]),
        reverse("trading:agreement_edit", args=[Agreement.objects.first().pk]),
        reverse("trading:netting_set_edit", args=[NettingSet.objects.first().pk]),
        reverse("trading:annex_edit", args=[annex.pk]),
        reverse("trading:book", args=[book.pk]),
        reverse("trading:book", args=[listed.pk]),
        reverse("trading:product_new", args=[book.pk]),
        reverse("trading:delivery_point", args=["TTF"]),
        reverse("trading:delivery_point_edit", args=["TTF"]),
        reverse("trading:index", args=[Market.objects.get(code="TTF").indices.first().code]),
        reverse("trading:plant", args=["WIND-1"]),
        reverse("trading:holidays_publish", args=[HolidayCalendar.objects.first().code]),
        reverse("trading:shape_calendar", args=["EEX"]),
        reverse("trading:shape_new", args=["EEX"]),
        *(reverse("trading:reference_import", args=[each]) for each in uploads),
    ]  # fmt: skip

    problems = {path: look_at(page, base_url + path) for path in pages}

    if folder := os.environ.get("SCREENSHOTS"):
        for width, path in ((w, p) for p in pages for w in (1440, 360)):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(base_url + path)
            name = path.strip("/").replace("/", "_")[:40]
            page.screenshot(path=f"{folder}/{width}-{name}.png", full_page=True)
    assert {path: found for path, found in problems.items() if found} == {}


def test_files_are_imported_with_the_keyboard_alone(page_as, base_url: str, tmp_path) -> None:
    organization = make_organization()
    page = page_as(Role.RISK_OFFICER, path=reverse("trading:reference"), organization=organization)
    assert Membership.objects.filter(organization=organization).exists()

    page.locator("#id_files").set_input_files([str(path) for path in DESK.glob("*.csv")])
    page.locator("#id_files").focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Show the difference":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/reference/import/**")
    assert "Nothing is imported yet" in page.inner_text("main")
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.match(r"Import \d", page.evaluate("document.activeElement.textContent")):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/reference/")

    assert Market.objects.filter(code="TTF").exists()
