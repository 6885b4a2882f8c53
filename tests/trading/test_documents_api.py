"""REST of the files of a trade: sent as a body, listed, handed out, withdrawn."""

import hashlib
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories.trades import make_desk
from trading.api.documents import DocumentViewSet
from trading.models import TradeDocument

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nconfirmation of T-1"
NAMED = "?name=deal.pdf&kind=CONFIRMATION&note=signed"


@pytest.fixture
def desk():
    return make_desk()


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def path_of(ref) -> str:
    return f"/api/v1/trading/trades/{ref}/documents"


def send(desk, ref, content=PDF, asked=NAMED, *, media_type="application/pdf", **headers):
    return client_of(desk.trader).post(
        path_of(ref) + asked, content, content_type=media_type, headers=headers
    )


def test_a_file_comes_back_as_it_was_sent(desk):
    ref = desk.deal().ref

    made = send(desk, ref)

    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["name"], said["kind"], said["note"], said["media_type"], said["size"]) == (
        "deal.pdf", "CONFIRMATION", "signed", "application/pdf", len(PDF),
    )  # fmt: skip
    assert said["sha256"] == hashlib.sha256(PDF).hexdigest() and not said["is_withdrawn"]
    reader = client_of(desk.trader)
    assert reader.get(path_of(ref)).json()["results"] == [said]
    file = reader.get(made["Location"])
    assert (file.content, file["Content-Type"]) == (PDF, "application/pdf")
    assert file["Content-Disposition"].startswith("attachment")
    assert (file["X-Content-Type-Options"], file["Cache-Control"]) == ("nosniff", "no-store")


def test_a_text_file_keeps_its_bytes(desk):
    text = "a;b\r\n1;é\n".encode()

    made = send(desk, desk.deal().ref, text, "?name=recap.csv&kind=RECAP", media_type="text/csv")

    assert made.status_code == 201, made.content
    assert client_of(desk.trader).get(made["Location"]).content == text


@pytest.mark.parametrize(
    ("content", "asked", "words"),
    [
        (PDF, "?kind=CONFIRMATION", "name"),
        (PDF, "?name=deal.pdf&kind=JOKE", "kind"),
        (PDF, "?name=deal.pdf&other=1", "other"),
        (b"MZ a program", NAMED, "does not hold what its ending says"),
        (b"", NAMED, "bytes"),
        (PDF, "?name=deal.exe", "exe"),
    ],
)
def test_what_is_no_document_is_refused(desk, content, asked, words):
    answer = send(desk, desk.deal().ref, content, asked)

    assert answer.status_code == 400 and words in answer.content.decode()
    assert not TradeDocument.objects.exists()


def test_a_body_beyond_the_bound_is_not_read(desk, monkeypatch):
    monkeypatch.setattr(DocumentViewSet, "max_body_bytes", len(PDF) - 1)

    assert send(desk, desk.deal().ref).status_code == 413


def test_the_same_key_puts_a_file_on_once(desk):
    ref = desk.deal().ref

    first, again = (send(desk, ref, **{"Idempotency-Key": "d-1"}) for _ in range(2))

    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    assert send(desk, ref).status_code == 400  # these bytes are on file


def test_a_withdrawn_file_stays_on_record(desk):
    ref = desk.deal().ref
    made = send(desk, ref)
    path = f"{made['Location']}/withdraw"

    def withdraw(actor, body):
        return client_of(actor).post(path, json.dumps(body), content_type="application/json")

    assert withdraw(desk.trader, {"reason": "wrong"}).status_code == 403
    assert withdraw(desk.officer, {}).status_code == 400
    done = withdraw(desk.officer, {"reason": "of another deal"})

    assert done.status_code == 200, done.content
    said = done.json()
    assert (said["is_withdrawn"], said["withdrawn_by"], said["withdrawn_reason"]) == (
        True, desk.officer.id, "of another deal",
    )  # fmt: skip
    assert said["withdrawn_at"] is not None
    assert withdraw(desk.officer, {"reason": "again"}).status_code == 400
    assert client_of(desk.trader).get(made["Location"]).content == PDF


def test_trades_of_others_are_not_found(desk):
    other = make_desk()
    foreign = send(other, other.deal().ref)
    ref = foreign["Location"].split("/")[-3]
    reader = client_of(desk.trader)

    assert reader.get(path_of(ref)).status_code == 404
    assert reader.get(foreign["Location"]).status_code == 404
    assert send(desk, ref).status_code == 404
    own = path_of(desk.deal().ref)
    assert reader.get(f"{own}/{foreign.json()['id']}").status_code == 404


def test_a_list_takes_a_fixed_number_of_queries(desk):
    ref = desk.deal().ref
    reader = client_of(desk.trader)

    def queries() -> int:
        reader.get(path_of(ref))
        with CaptureQueriesContext(connection) as seen:
            assert reader.get(path_of(ref)).status_code == 200
        return len(seen)

    send(desk, ref)
    before = queries()
    for n in range(3):
        send(desk, ref, PDF + b"%d" % n)

    assert queries() == before
