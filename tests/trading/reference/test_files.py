"""Files of reference data: the desks of the documentation load, and a bad line is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job
from tests.factories.accounts import make_organization, make_user
from trading.models import (
    ApprovedProduct,
    Book,
    Commodity,
    CreditSupportAnnex,
    HolidayCalendarVersion,
    Market,
)
from trading.services.changes import ForeignOrganization
from trading.services.reference_files import (
    KINDS,
    FileTooLarge,
    ReferenceRefused,
    RowState,
    export_reference,
    import_reference,
    preview_reference,
    reading,
    request_import,
)
from trading.services.reference_files.resource import OrganizationNeeded
from trading.tasks import import_reference_files

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference-data"


def desk_files(desk: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((DOCS / desk).glob("*.csv"))}


def new_officer() -> tuple[Actor, dict]:
    organization = make_organization()
    actor = Actor.for_user(make_user(Role.RISK_OFFICER, organization=organization))
    return actor, {"actor": actor, "organization_id": organization.pk}


@pytest.fixture
def whose() -> Iterator[dict]:
    yield new_officer()[1]


def refusals(whose: dict, **files: bytes) -> list[str]:
    diff = preview_reference(
        **whose, files={f"{name}.csv": content for name, content in files.items()}
    )
    return [str(refusal) for refusal in diff.refusals]


@pytest.mark.parametrize("desk", ["europe", "us"])
def test_a_desk_loads_from_its_files_after_a_diff_and_comes_back_the_same(desk, whose):
    files = desk_files(desk)
    assert {Path(name).stem for name in files} == set(KINDS)

    seen = preview_reference(**whose, files=files)
    assert (seen.refusals, seen.count(RowState.UNCHANGED)) == ((), 0)
    assert not Market.objects.exists() and not Event.objects.filter(type="market.opened").exists()

    done = import_reference(**whose, files=files)
    assert done == seen
    assert Book.objects.filter(organization_id=whose["organization_id"]).count() == done_of(
        done, "books.csv"
    )
    assert CreditSupportAnnex.objects.count() == done_of(done, "csas.csv")

    again = import_reference(**whose, files=files)
    assert again.count(RowState.UNCHANGED) == len(again.changes) == len(done.changes)
    assert Event.objects.filter(type="reference_data.imported").count() == 1
    assert export_reference(**whose, kinds=KINDS) == {
        f"{kind}.csv": files[f"{kind}.csv"] for kind in KINDS
    }


def done_of(diff, name: str) -> int:
    return sum(change.file == name for change in diff.changes)


def test_both_desks_load_side_by_side_and_each_exports_its_own(whose):
    _, other = new_officer()
    import_reference(**whose, files=desk_files("europe"))
    import_reference(**other, files=desk_files("us"))

    own = ("counterparties", "agreements", "netting_sets", "csas", "books", "approved_products")
    for place, desk in ((whose, "europe"), (other, "us")):
        assert export_reference(**place, kinds=own) == {
            f"{kind}.csv": (DOCS / desk / f"{kind}.csv").read_bytes() for kind in own
        }
    assert ApprovedProduct.objects.count() == 11


def test_a_diff_says_field_by_field_what_changes(whose):
    import_reference(**whose, files=desk_files("europe"))
    changed = (
        desk_files("europe")["counterparties.csv"]
        .replace(b"BRISE,Brise N\xc3\xa9goce,", b"BRISE,Brise,")
        .replace(b"NO,no,PROSPECT", b"NO,no,ACTIVE")
    )

    diff = preview_reference(**whose, files={"counterparties.csv": changed})

    found = {
        (c.line, c.key): [(f.field, f.before, f.after) for f in c.fields]
        for c in diff.changes
        if c.state is RowState.CHANGED
    }
    assert found == {
        (3, "BRISE"): [("name", "Brise Négoce", "Brise")],
        (7, "TARNVIK"): [("status", "PROSPECT", "ACTIVE")],
    }
    assert diff.count(RowState.UNCHANGED) == 4


MARKET = (
    b"code,name,commodity,kind,parent,country,eic,time_zone,day_start,currency,price_unit,"
    b"shape_calendar,period_minutes,gate_closure,publication_minutes\n"
    b"DE-LU,Germany,POWER,BIDDING_ZONE,,DE,10Y1001A1001A82H,Europe/Berlin,00:00,EUR,MWh,,15,"
    b"12:00,60\n"
)
COMPANY = (
    b"code,name,legal_name,lei,country,is_internal,status\n"
    b"GOOD,Good,,ZZZZ00EXAMPLE0010158,DE,no,ACTIVE\n"
    b"ACME,Acme,,ZZZZ00EXAMPLE0010255,DE,no,ACTIVE\n"
)
HOLIDAYS = (
    b"calendar,calendar_name,version,covers_first,covers_last,source,date,name\n"
    b"X,Days,1,2027-01-01,2027-12-31,us,2027-01-01,New Year\n"
    b"X,Days,1,2027-01-01,2027-12-31,us,2027-12-25,Christmas\n"
)
SHAPE = (
    b"calendar,calendar_name,day_start,shape,version,name,valid_from,weekdays,from,to,"
    b"holiday_calendar,holiday_rule,complement_of\n"
    b"X,Shapes,00:00,PEAK,1,Peak,2027-01-01,12345,08:00,20:00,,IGNORE,\n"
)
BOOK = b"code,name,parent,reporting_currency,owner,is_active\nEU,Europe,,EUR,,yes\n"
FX = b"base,quote,valid_from,source,rate\nEUR,USD,2026-11-20T15:00:00+00:00,us,1.15\n"
GOODS = b"code,name,kind,delivery,quantity_unit\nPOWER,Power,POWER,FLOW,MW\n"
AGREED = (
    b"counterparty,reference,kind,signed_date,effective_date,ended_date,governing_law\n"
    b"GOOD,E-1,EFET,2026-01-01,2026-01-01,,German law\n"
)


@pytest.mark.parametrize(
    ("kind", "content", "old", "new", "expected"),
    [
        ("counterparties", COMPANY, b"0010255", b"0010256", ["line 3, lei: LEI: “ZZZZ00"]),
        ("counterparties", COMPANY, b"\nACME,", b"\ngood,", ["line 3, code: Line 2 says the same"]),
        ("counterparties", COMPANY, b"0010255", b"0010158", ["line 3, lei: “ZZZZ00EXAMPLE0010158”"
                                                            " is the LEI of GOOD"]),
        ("counterparties", COMPANY, b"Acme", b"=HYPERLINK(1)", ["line 3, name: A text does not"]),
        ("counterparties", COMPANY, b"Acme", b"@SUM(1)", ["line 3, name: A text does not"]),
        ("counterparties", COMPANY, b"Acme", b"Acm\xe9", ["line 3, encoding: Byte 0xe9"]),
        ("counterparties", COMPANY, b"Acme", b"", ["line 3, name: It is empty"]),
        ("counterparties", COMPANY, b"Acme", b"A,B", ["line 3, row: 8 cells under 7"]),
        ("counterparties", COMPANY, b"legal_name", b"legal", ["line 1, legal: Unknown column",
                                                             "line 1, legal_name: The column is"]),
        ("counterparties", COMPANY, b"ACTIVE\nACME", b"HAPPY\nACME", ["line 2, status: “HAPPY”"]),
        ("markets", MARKET, b"A82H", b"A82X", ["line 2, eic: EIC: “10Y1001A1001A82X”"]),
        ("markets", MARKET, b"EUR", b"EUX", ["line 2, currency: “EUX”"]),
        ("markets", MARKET, b"Berlin", b"Atlantis", ["line 2, time_zone: zone: 'Europe/Atlantis'"]),
        ("markets", MARKET, b"ZONE,,", b"ZONE,XX,", ["line 2, parent: There is no market “XX”"]),
        ("markets", MARKET, b"00:00", b"-01:00", ["line 2, day_start: “-01:00” is not a time"]),
        ("markets", MARKET, b",15,", b",quarter,", ["line 2, period_minutes: “quarter”"]),
        ("holidays", HOLIDAYS, b"2027-12-25", b"2027-02-30", ["line 3, date: “2027-02-30”"]),
        ("holidays", HOLIDAYS, b"2027-12-25", b"2028-12-25", ["line 3, date: 2028-12-25 is not"]),
        ("holidays", HOLIDAYS, b"2027-12-25", b"2027-01-01", ["line 3, date: Line 2 has"]),
        ("holidays", HOLIDAYS, b"us,2027-12-25", b"them,2027-12-25", ["line 3, source: Line 2"]),
        ("holidays", HOLIDAYS, b"X,Days,1,", b"X,Days,2,", ["line 2, version: The next version"]),
        ("holidays", HOLIDAYS, b"2027-12-31,us", b"2026-12-31,us", ["line 2, covers_last"]),
        ("shapes", SHAPE, b"08:00,20:00", b"20:00,08:00", ["line 2, row: A shape ends after"]),
        ("shapes", SHAPE, b"20:00", b"25:00", ["line 2, to: “25:00” is not"]),
        ("shapes", SHAPE, b"IGNORE,", b"IGNORE,BASE", ["line 2, complement_of: X has no shape"]),
        ("books", BOOK, b"EU,Europe,", b"EU,Europe,EU", ["line 2, parent: There is no book"]),
        ("books", BOOK, b"EUR", b"EUX", ["line 2, reporting_currency"]),
        ("fx_rates", FX, b"1.15", b"-1.15", ["line 2, rate: A rate is more than zero"]),
        ("fx_rates", FX, b"1.15", b"1,15", ["line 2, row: 6 cells"]),
        ("fx_rates", FX, b"USD", b"EUR", ["line 2, quote: A rate is between two"]),
        ("fx_rates", FX, b"+00:00", b"", ["line 2, valid_from: “2026-11-20T15:00:00”"]),
        ("agreements", AGREED, b"2026-01-01,,", b"2026-01-01,2025-01-01,",
         ["line 2, ended_date: An agreement ends"]),
        ("agreements", AGREED, b"GOOD", b"NONE", ["line 2, counterparty: There is no"]),
    ],
)  # fmt: skip
def test_a_bad_line_is_refused_by_line_field_and_rule(whose, kind, content, old, new, expected):
    assert content.count(old) >= 1
    others = {"commodities": GOODS} if kind == "markets" else {}
    if kind == "agreements":
        others = {"counterparties": COMPANY}
    assert refusals(whose, **others, **{kind: content}) == []
    bad = {f"{each}.csv": text for each, text in others.items()}
    bad[f"{kind}.csv"] = content.replace(old, new) if kind == "holidays" and new in (
        b"X,Days,2,", b"2026-12-31,us") else _once(content, old, new)  # fmt: skip

    found = [str(r) for r in preview_reference(**whose, files=bad).refusals]

    assert len(found) >= len(expected), found
    for words in expected:
        assert any(text.startswith(f"{kind}.csv, {words}") for text in found), found
    with pytest.raises(ReferenceRefused):
        import_reference(**whose, files=bad)
    assert not Commodity.objects.exists()


def _once(content: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the latest occurrence: the later line is the one that repeats."""
    head, _, tail = content.rpartition(old)
    return head + new + tail


def test_a_published_version_stays_and_the_next_is_asked_for(whose):
    import_reference(**whose, files={"holidays.csv": HOLIDAYS, "shapes.csv": SHAPE})

    assert refusals(whose, holidays=HOLIDAYS.replace(b"Christmas", b"Noel")) == [
        "holidays.csv, line 2, holidays: Version 1 is published and stays as it is;"
        " publish version 2."
    ]
    assert refusals(whose, shapes=SHAPE.replace(b"20:00", b"21:00")) == [
        "shapes.csv, line 2, to: Version 1 is published and stays as it is; publish version 2."
    ]
    more = HOLIDAYS + b"X,Days,2,2027-01-01,2028-12-31,us,2028-01-01,New Year\n"
    diff = import_reference(**whose, files={"holidays.csv": more})
    assert [(c.line, c.key, c.state) for c in diff.changes] == [
        (2, "X 1", RowState.UNCHANGED),
        (4, "X 2", RowState.ADDED),
    ]
    assert HolidayCalendarVersion.objects.count() == 2


def test_rows_may_name_rows_below_them_in_the_file(whose):
    node = MARKET.splitlines(keepends=True)[1]
    node = node.replace(b"DE-LU", b"A-NODE").replace(b"10Y1001A1001A82H", b"")
    node = node.replace(b"BIDDING_ZONE,,", b"NODE,DE-LU,")
    lines = MARKET.splitlines(keepends=True)

    diff = import_reference(
        **whose,
        files={"markets.csv": lines[0] + node + lines[1], "commodities.csv": GOODS},
    )

    assert [(c.key, c.line) for c in diff.changes[1:]] == [("DE-LU", 3), ("A-NODE", 2)]
    assert Market.objects.get(code="A-NODE").parent.code == "DE-LU"


def test_a_byte_order_mark_is_read_and_sixteen_bits_are_not(whose):
    assert refusals(whose, commodities=b"\xef\xbb\xbf" + GOODS) == []
    assert refusals(whose, commodities=GOODS.decode().encode("utf-16")) == [
        "commodities.csv, line 1, encoding: Byte 0xff is not UTF-8; save the file as UTF-8."
    ]
    assert refusals(whose, commodities=b'code,name\n"open') != []
    assert refusals(whose, commodities=b"") != []


def test_a_file_of_another_name_and_one_that_is_too_large_are_refused(whose, monkeypatch):
    (text,) = refusals(whose, people=GOODS)
    assert text.startswith("people.csv, line 0, file: The name is none of commodities.csv")
    monkeypatch.setattr(reading, "MAX_BYTES", 20)
    with pytest.raises(FileTooLarge, match=r"commodities\.csv"):
        refusals(whose, commodities=GOODS)


def test_who_may_not_change_a_kind_may_not_preview_it(whose):
    organization_id = whose["organization_id"]
    _, other = new_officer()
    trader = Actor.for_user(make_user(Role.TRADER))

    with pytest.raises(PermissionMissing):
        preview_reference(actor=trader, organization_id=None, files={"commodities.csv": GOODS})
    with pytest.raises(ForeignOrganization):
        preview_reference(
            actor=other["actor"], organization_id=organization_id, files={"books.csv": BOOK}
        )
    with pytest.raises(ForeignOrganization):
        request_import(
            actor=other["actor"], organization_id=organization_id, files={"books.csv": BOOK}
        )
    with pytest.raises(OrganizationNeeded):
        preview_reference(actor=whose["actor"], organization_id=None, files={"books.csv": BOOK})


def test_a_job_imports_in_the_name_of_who_asked(whose, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    job = request_import(**whose, files={"books.csv": BOOK, "commodities.csv": GOODS})

    import_reference_files.apply(kwargs={"job_id": str(job.pk)})

    done = Job.objects.get(pk=job.pk)
    assert (done.state, done.error) == ("SUCCEEDED", "")
    assert Book.objects.get().organization_id == whose["organization_id"]
    assert Event.objects.get(type="book.opened").actor_id == whose["actor"].id
