"""Files of a trade: what is taken, who may, how they are handed out, and that nothing goes."""

import hashlib
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_user
from tests.factories.trades import (
    RECEIVED_AT,
    TRADED_AT,
    deal_of_words,
    make_book,
    make_counterparty,
    make_desk,
)
from trading.deals import strip
from trading.files import FileRefused, clean_name, media_type_of
from trading.models import TradeDocument
from trading.queries.documents import DocumentDamaged, document_of
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import UnknownTrade
from trading.services import documents as service
from trading.services.capture import PackageItem, capture_mirror, capture_package
from trading.services.documents import attach_document, withdraw_document

PDF = b"%PDF-1.7\nconfirmation of T-1"


def office(part: str, *more: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name in ("[Content_Types].xml", part, *more):
            archive.writestr(name, "<x/>")
    return kept.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("deal.PDF", PDF, "application/pdf"),
        ("screen.png", b"\x89PNG\r\n\x1a\n...", "image/png"),
        ("screen.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("recap.txt", "10 MW zu 85,20 €".encode(), "text/plain"),
        ("terms.docx", office("word/document.xml"),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_name_and_bytes_agree_on(name, content, media_type) -> None:
    assert media_type_of(name, content) == media_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<html>"),
        ("picture.svg", b"<svg onload='x'/>"),
        ("deal.pdf", b"MZ\x90 a program"),
        ("deal.pdf.exe", PDF),
        ("noending", PDF),
        ("page.txt", b"  <script>alert(1)</script>"),
        ("binary.csv", b"a;b\x00c"),
        ("latin.txt", b"caf\xe9"),
        ("macros.xlsx", office("xl/workbook.xml", "xl/vbaProject.bin")),
        ("other.xlsx", office("word/document.xml")),
        ("broken.docx", b"PK\x03\x04 no archive"),
    ],
)
def test_what_could_run_or_pretends_is_refused(name, content) -> None:
    with pytest.raises(FileRefused):
        media_type_of(name, content)


def test_a_name_keeps_no_path_and_no_quote() -> None:
    assert clean_name('C:\\deals\\..\\my "deal"\r\n.pdf') == "my deal.pdf"
    with pytest.raises(FileRefused):
        clean_name("../..")


@pytest.fixture
def desk(db):
    return make_desk()


def put(desk, ref, *, actor=None, name="deal.pdf", content=PDF, kind="CONFIRMATION"):
    return attach_document(
        actor=actor or desk.trader, ref=ref, kind=kind, name=name, content=content
    )


def test_a_file_is_kept_with_its_hash_and_told(desk) -> None:
    ref = desk.deal().ref

    made = put(desk, ref)

    told = Event.objects.get(type="trade.document_added")
    assert (told.aggregate_id, told.payload["sha256"], told.payload["size"]) == (
        ref, hashlib.sha256(PDF).hexdigest(), len(PDF),
    )  # fmt: skip
    assert bytes(document_of(desk.again(desk.trader), ref, made.uid).content) == PDF


def test_the_same_file_twice_a_large_one_and_one_too_many_are_refused(desk, monkeypatch) -> None:
    ref = desk.deal().ref
    put(desk, ref)
    with pytest.raises(TradeInvalid, match="this very file already"):
        put(desk, ref, name="again.pdf")
    monkeypatch.setattr(service, "LARGEST_FILE", len(PDF))
    with pytest.raises(TradeInvalid, match="bytes"):
        put(desk, ref, content=PDF + b".")
    monkeypatch.setattr(service, "MOST_FILES", 1)
    monkeypatch.setattr(service, "LARGEST_FILE", 100)
    with pytest.raises(TradeInvalid, match="1 files already"):
        put(desk, ref, content=PDF + b".")
    assert TradeDocument.objects.count() == 1


def test_withdrawing_needs_the_right_a_reason_and_a_file_that_counts(desk) -> None:
    ref = desk.deal().ref
    made = put(desk, ref)
    with pytest.raises(PermissionMissing):
        withdraw_document(actor=desk.trader, ref=ref, uid=made.uid, reason="wrong")
    with pytest.raises(TradeInvalid, match="say why"):
        withdraw_document(actor=desk.officer, ref=ref, uid=made.uid, reason=" ")

    withdraw_document(actor=desk.officer, ref=ref, uid=made.uid, reason="of another deal")

    with pytest.raises(TradeInvalid, match="withdrawn before"):
        withdraw_document(actor=desk.officer, ref=ref, uid=made.uid, reason="again")
    told = Event.objects.get(type="trade.document_withdrawn")
    assert told.payload["reason"] == "of another deal"
    assert bytes(document_of(desk.trader, ref, made.uid).content) == PDF  # still on record
    put(desk, ref)  # and may come again


def test_bytes_that_have_changed_are_not_handed_out(desk) -> None:
    ref = desk.deal().ref
    made = put(desk, ref)
    TradeDocument.objects.filter(pk=made.pk).update(content=PDF + b"!")  # as the owner could
    with pytest.raises(DocumentDamaged):
        document_of(desk.trader, ref, made.uid)


def test_a_foreign_trade_has_no_files(desk) -> None:
    ref = desk.deal().ref
    stranger = make_desk("Other").trader
    with pytest.raises(UnknownTrade):
        put(desk, ref, actor=stranger)


# ---- pages ----


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_file_goes_up_and_comes_down_as_it_was(desk, django_assert_max_num_queries) -> None:
    ref, client = desk.deal().ref, client_of(desk.trader.user)
    page = reverse("trading:documents", args=[ref])

    answer = client.post(
        page, {"kind": "CONFIRMATION", "file": SimpleUploadedFile("Bestätigung.pdf", PDF)}
    )
    assert answer.status_code == 302
    with django_assert_max_num_queries(40):
        shown = client.get(reverse("trading:trade", args=[ref])).content.decode()

    made = TradeDocument.objects.get()
    assert made.sha256 in shown and "Bestätigung.pdf" in shown and "Withdraw" not in shown
    file = client.get(reverse("trading:document", args=[ref, made.uid]))
    assert (file.content, file["Content-Type"]) == (PDF, "application/pdf")
    assert file["X-Content-Type-Options"] == "nosniff"
    assert file["Content-Disposition"].startswith("attachment")
    assert (
        client.post(reverse("trading:document_withdraw", args=[ref, made.uid])).status_code == 403
    )


def test_a_page_in_disguise_is_refused_at_its_field(desk) -> None:
    ref, client = desk.deal().ref, client_of(desk.trader.user)
    answer = client.post(
        reverse("trading:documents", args=[ref]),
        {"kind": "OTHER", "file": SimpleUploadedFile("deal.pdf", b"<html>")},
    )
    assert answer.status_code == 422
    assert "does not hold what its ending says" in answer.content.decode()
    assert not TradeDocument.objects.exists()


def test_an_officer_withdraws_with_a_reason_and_a_partner_sees_no_files(desk) -> None:
    ref = desk.deal().ref
    made = put(desk, ref)
    officer = client_of(desk.officer.user)
    address = reverse("trading:document_withdraw", args=[ref, made.uid])

    assert officer.post(address, {"reason": ""}).status_code == 422
    assert officer.post(address, {"reason": "unsigned"}).status_code == 302

    shown = officer.get(reverse("trading:trade", args=[ref])).content.decode()
    assert "Withdrawn" in shown and "unsigned" in shown
    partner = make_user(Role.PARTNER, organization=desk.organization)
    assign_perm("trading.view_book", partner, desk.book)
    client = client_of(partner)
    assert made.name not in client.get(reverse("trading:trade", args=[ref])).content.decode()
    assert client.get(reverse("trading:document", args=[ref, made.uid])).status_code == 403


def test_a_strip_names_its_siblings(desk) -> None:
    deals = strip(deal_of_words("B 10MW DE base Q1-27 @ 85"), "STRIP-1")
    receipts = capture_package(
        actor=desk.trader, package_id="STRIP-1", traded_at=TRADED_AT, received_at=RECEIVED_AT,
        items=[PackageItem(deal, desk.book.pk, desk.counterparty.pk) for deal in deals],
        reason="a strip",
    )  # fmt: skip
    shown = client_of(desk.trader.user).get(reverse("trading:trade", args=[receipts[1].ref]))
    page = shown.content.decode()
    for other in (receipts[0], receipts[2]):
        assert reverse("trading:trade", args=[other.ref]) in page


def test_an_internal_deal_names_its_other_side(desk) -> None:
    other = make_book(desk.organization, "HEDGE")
    inside = make_counterparty(desk.organization, "INHOUSE")
    inside.is_internal = True
    inside.save()
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, other)
    ours, theirs = capture_mirror(
        actor=desk.again(desk.trader), deal=deal_of_words("B 10MW DE base Q1-27 @ 85"),
        package_id="INT-1", book_id=desk.book.pk, mirror_book_id=other.pk,
        counterparty_id=inside.pk, traded_at=TRADED_AT, received_at=RECEIVED_AT, reason="internal",
    )  # fmt: skip
    blind = make_user(Role.TRADER, organization=desk.organization)
    assign_perm("trading.view_book", blind, desk.book)

    address = reverse("trading:trade", args=[ours.ref])
    seen = client_of(desk.trader.user).get(address).content.decode()
    unseen = client_of(blind).get(address).content.decode()

    assert f">{theirs.ref}</a> in book HEDGE" in seen
    assert theirs.ref not in unseen and "in a book that you do not see" in unseen
