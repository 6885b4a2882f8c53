"""A file of trades by page and by REST: tried, refused by line, booked once, seen by its owner."""

import csv
import io
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from energyopti.foundation.jobs.models import Job, JobState
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_counterparty, make_desk
from trading.models import CaptureBasis, Profile, Trade, TradeVersion
from trading.services.trade_files import (
    FileOptions,
    ProfilesFile,
    TradesRefused,
    book_trades,
    import_trades,
    stage_trades,
    staged_trades,
)
from trading.services.trade_files.staging import BYTES_OF_A_PAGE
from trading.tasks import import_staged_trades, try_trades

pytestmark = pytest.mark.django_db
COLUMNS = "client_reference,side,quantity,market,period,price,reason"
ROWS = "a-1,BUY,10,DE,Cal30,85.20,agreed\na-2,SELL,4,DE,Q1-31,71.5,agreed\n"
GOOD = f"{COLUMNS}\n{ROWS}".encode()
LIST = reverse("trading:trade_imports")
API = "/api/v1/trading/trades/imports"


@pytest.fixture
def desk():
    return make_desk()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def file_of(content: bytes, name: str = "deals.csv"):
    kept = io.BytesIO(content)
    kept.name = name
    return kept


def upload(client, content=GOOD, name="deals.csv", **entered):
    form = {"basis": "ORDER", "book": "EU", "counterparty": "ACME"} | entered
    return client.post(LIST, {**form, "file": file_of(content, name)})


def work_off() -> list[Job]:
    """Run what waits for a worker."""
    tasks = {task.name: task for task in (try_trades, import_staged_trades)}
    jobs = list(Job.objects.filter(state=JobState.QUEUED))
    for job in jobs:
        tasks[job.task].apply(kwargs={"job_id": str(job.pk)}, throw=False)
        job.refresh_from_db()
    return jobs


def test_a_file_is_tried_then_booked_once_and_its_trades_are_found(desk):
    client = client_of(desk.trader.user)

    sent = upload(client)
    tried = client.get(sent.url)

    assert (sent.status_code, tried.status_code) == (302, 200)
    shown = tried.content.decode()
    assert "Book 2 trades" in shown and not Trade.objects.exists()
    assert [
        (s.side, s.trades, s.hours, s.energy_mwh, s.notional) for s in tried.context["found"].sums
    ] == [
        ("BUY", 1, Decimal(8760), Decimal(87600), Decimal("7463520.00")),
        ("SELL", 1, Decimal(2159), Decimal(8636), Decimal("617474.00")),
    ]
    yes, again = (client.post(f"{sent.url}confirm/") for _ in range(2))
    (job,) = work_off()
    assert yes.url == again.url == reverse("jobs:detail", args=[job.pk])
    assert (job.state, Trade.objects.count()) == (JobState.SUCCEEDED, 2)
    assert {v.captured_by for v in TradeVersion.objects.all()} == {desk.trader.id}
    desk.deal("B 1MW DE base Cal30 @ 80", fill=True)
    blotter = client.get(job.result_url)
    assert blotter.context["total"] == 2, job.result_url
    assert "a-1" not in shown and "T-0" in client.get(sent.url).content.decode()


def test_the_same_file_again_books_nothing_even_without_references(desk):
    client = client_of(desk.trader.user)
    bare = b"text,reason\nB 10MW DE base Cal30 @ 85.20,agreed\nB 10MW DE base Cal30 @ 85.20,two\n"
    for _ in range(2):
        client.post(f"{upload(client, bare).url}confirm/")
        work_off()

    assert Trade.objects.count() == 2
    third = client.get(upload(client, bare).url)
    assert "All trades of the file are there already." in third.content.decode()
    other = client.get(upload(client, bare, basis="FILL").url)
    assert other.context["found"].new == 2, "said otherwise, it is another file"


def test_every_refused_line_is_paged_and_downloaded(desk):
    client = client_of(desk.trader.user)
    lines = "".join(f"b-{n},BUY,10,DE,Kal{n},85,x\n" for n in range(120))

    sent = upload(client, f"{COLUMNS}\n{lines}=b,BUY,1,DE,Cal30,85,x\n".encode())

    first, last = client.get(sent.url), client.get(f"{sent.url}?page=2")
    assert "Book" not in first.content.decode().split("<main")[1].split("</h1>")[1][:600]
    assert (len(first.context["lines"]), len(last.context["lines"])) == (100, 21)
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"{sent.url}refused-lines.csv").content.decode()))
    )
    assert [(r["line"], r["field"]) for r in rows] == [
        *((str(n + 2), "period") for n in range(120)), ("122", "client_reference"),
    ]  # fmt: skip
    refused = client.post(f"{sent.url}confirm/")
    assert (refused.status_code, Job.objects.count()) == (409, 0)


def test_what_is_too_large_or_named_wrongly_is_refused_with_a_sentence(desk, monkeypatch):
    client = client_of(desk.trader.user)
    monkeypatch.setattr("trading.services.reference_files.reading.MAX_BYTES", 100)

    large = upload(client)
    small = upload(client, b"side\nBUY\n", name="deals.pdf")

    assert large.status_code == 422
    assert "MB are read" in large.content.decode()
    assert "neither in .csv nor in .xlsx" in client.get(small.url).content.decode()
    assert client.post(LIST, {"basis": "ORDER"}).status_code == 422


def test_nobody_else_sees_an_upload_and_who_may_not_deal_sends_none(desk):
    sent = upload(client_of(desk.trader.user))
    colleague = client_of(make_user(Role.TRADER, organization=desk.organization))
    risk = client_of(desk.officer.user)

    for path, verb in (("", "get"), ("refused-lines.csv", "get"), ("confirm/", "post")):
        assert getattr(colleague, verb)(sent.url + path).status_code == 404, path
        assert getattr(risk, verb)(sent.url + path).status_code == 403, path
    assert upload(risk).status_code == risk.get(LIST).status_code == 403
    assert LIST not in risk.get("/").content.decode()
    assert LIST in colleague.get(reverse("trading:trades")).content.decode()
    import_id = sent.url.rstrip("/").rsplit("/", 1)[1]
    for path, verb in ((f"/{import_id}", "get"), (f"/{import_id}/confirm", "post")):
        assert getattr(colleague, verb)(API + path).status_code == 404
        assert getattr(risk, verb)(API + path).status_code == 403
    assert risk.post(API, GOOD, content_type="text/csv").status_code == 403


def test_a_long_file_is_tried_by_a_worker(desk):
    client = client_of(desk.trader.user)
    padded = GOOD + b"\n" * BYTES_OF_A_PAGE

    sent = upload(client, padded)
    assert "A worker is at it." in client.get(sent.url).content.decode()
    assert client.post(f"{sent.url}confirm/").status_code == 409

    (job,) = work_off()

    assert (job.kind, job.state, job.result_url) == ("trades-check", JobState.SUCCEEDED, sent.url)
    assert "Book 2 trades" in client.get(sent.url).content.decode()


def test_what_changed_since_the_dry_run_is_found_when_it_is_booked(desk):
    """The terms that somebody else gave one of the references meanwhile are not overwritten."""
    staged = stage_trades(
        actor=desk.trader, name="deals.csv", content=GOOD,
        options=FileOptions(CaptureBasis.ORDER, "EU", "ACME"),
    )  # fmt: skip
    desk.deal("B 9MW DE base Cal30 @ 85.20", client_reference="a-1")

    with pytest.raises(TradesRefused):
        book_trades(actor=desk.again(desk.trader), import_id=staged.id)

    assert Trade.objects.count() == 1
    kept = staged_trades(actor=desk.trader, import_id=staged.id)
    assert [(r.line, r.field) for r in kept.found.refusals] == [(2, "client_reference")]
    assert not kept.is_booked


def test_rest_tries_books_and_answers_by_line(desk):
    client = client_of(desk.trader.user)
    query = "?book=EU&counterparty=ACME"

    tried = client.post(f"{API}{query}", GOOD, content_type="text/csv")
    body = tried.json()
    assert (tried.status_code, body["state"]) == (202, "CHECKED"), tried.content
    assert body["counts"] == {"new": 2, "pending": 0, "already_there": 0, "refused": 0}
    assert [s["notional"] for s in body["sums"]] == ["7463520.0000", "617474.0000"]
    yes = client.post(f"{API}/{body['id']}/confirm")
    work_off()
    assert (yes.status_code, yes.json()["state"]) == (202, "BOOKING")
    done = client.get(tried["Location"]).json()
    assert (done["state"], [row["state"] for row in done["rows"]]) == ("BOOKED", ["new", "new"])
    assert sorted(row["ref"] for row in done["rows"]) == sorted(
        Trade.objects.values_list("ref", flat=True)
    )
    assert client.get(f"{API}/{body['id']}?first=1").json()["rows"] == done["rows"][1:]

    bad = GOOD.replace(b"Cal30", b"Kal30")
    direct = client.post(f"{API}{query}&dry_run=false", bad, content_type="text/csv")
    work_off()
    refused = client.get(direct["Location"]).json()
    assert (refused["state"], refused["refusals"][0]["field"]) == ("REFUSED", "period")
    again = client.post(f"{API}/{refused['id']}/confirm")
    assert (again.status_code, again.json()["code"]) == (409, "trades_refused")
    assert Trade.objects.count() == 2
    for path, content_type, status in (
        (f"{API}{query}", "application/pdf", 415), (f"{API}?bok=EU", "text/csv", 400),
        (f"{API}?name=a.xlsx", "text/csv", 400), (f"{API}?basis=MAYBE", "text/csv", 400),
    ):  # fmt: skip
        assert client.post(path, GOOD, content_type=content_type).status_code == status, path


def test_a_deal_between_two_books_is_both_or_neither(desk, tmp_path):
    other, within = make_book(desk.organization, "US"), make_counterparty(desk.organization, "OWN")
    within.is_internal = True
    within.save()
    actor = Actor.system("test")
    header = f"{COLUMNS},book,counterparty,counter_book\n"

    def content(cells: str, row: str = "m-1,BUY,10,DE,Cal30,85.20,agreed") -> bytes:
        return f"{header}{row},{cells}\n".encode()

    path = tmp_path / "mirror.csv"
    for _ in range(2):
        path.write_bytes(content("EU,OWN,US"))
        call_command("import_trades", str(path), verbosity=0)

    one, two = Trade.objects.order_by("id")
    assert (one.mirror_id, two.mirror_id) == (two.pk, one.pk)
    assert (one.book, two.book) == (desk.book, other)
    assert {v.side for v in TradeVersion.objects.all()} == {"BUY", "SELL"}
    assert one.package_id == two.package_id != ""
    assert (one.client_reference, two.client_reference) == ("m-1/1", "m-1/2")
    for cells, row, field in (
        ("EU,OWN,EU", None, "counter_book"), ("EU,OWN,NOPE", None, "counter_book"),
        ("EU,ACME,US", None, "counterparty"),
        ("EU,OWN,US", "m-2,BUY,10,DE,Cal30,85.20,", "reason"),
    ):  # fmt: skip
        wrong = content(cells, row) if row else content(cells)
        with pytest.raises(TradesRefused) as refused:
            import_trades(actor=actor, name="m.csv", content=wrong, received_at=clock.now())
        assert {(r.line, r.field) for r in refused.value.found.refusals} == {(2, field)}, cells
    assert Trade.objects.count() == 2


def test_a_profile_comes_in_a_second_file(desk):
    content = (
        b"client_reference,product,side,market,period,price,reason\n"
        b"p-1,PROFILE_FORWARD,BUY,DE,2030-03-31,85.20,agreed\n"
    )
    # 31 March 2030 has 23 hours in Berlin.
    starts = [f"2030-03-{30 + (23 + n) // 24:02d}T{(23 + n) % 24:02d}:00:00Z" for n in range(23)]
    hours = [f"p-1,{start},{n}.5" for n, start in enumerate(starts)]
    given = {
        "actor": desk.trader, "name": "p.csv", "content": content,
        "options": FileOptions(CaptureBasis.ORDER, "EU", "ACME"),
    }  # fmt: skip

    def load(lines: list[str]):
        file = ProfilesFile("hours.csv", "\n".join(["reference,start,mw", *lines]).encode())
        return import_trades(received_at=clock.now(), profiles=file, **given)

    for lines, line, field in (
        (hours[:-1], 2, "mw"), (hours[1:], 2, "mw"), ([*hours[:5], *hours[6:]], 7, "start"),
        ([*hours[:5], "p-1,2030-03-31T04:00:00,5", *hours[6:]], 7, "start"),
        ([hours[0].replace("0.5", "=1"), *hours[1:]], 2, "mw"),
        ([*hours, "p-9,2030-03-31T04:00:00Z,5"], 25, "reference"),
    ):  # fmt: skip
        with pytest.raises(TradesRefused) as refused:
            load(lines)
        found = [(r.file, r.line, r.field) for r in refused.value.found.refusals]
        assert found[0] == ("hours.csv", line, field), found
    assert not Trade.objects.exists()

    load(hours)

    version = TradeVersion.objects.get()
    assert (version.shape, version.energy_mwh) == ("PROFILE", Decimal("264.5"))
    assert Profile.objects.get().intervals == 23
    assert load(hours).rows[0].ref == version.trade.ref, "again, it is there"


def test_a_job_that_is_stopped_leaves_nothing_and_may_be_asked_for_again(desk):
    client = client_of(desk.trader.user)
    sent = upload(client)
    client.post(f"{sent.url}confirm/")
    Job.objects.update(cancel_requested=True)  # as its page does while it runs

    (stopped,) = work_off()

    assert (stopped.state, Trade.objects.exists()) == (JobState.CANCELLED, False)
    shown = client.get(sent.url).content.decode()
    assert "It was stopped." in shown and "Book 2 trades" in shown
    client.post(f"{sent.url}confirm/")
    (again,) = work_off()
    assert (again.state, Trade.objects.count()) == (JobState.SUCCEEDED, 2)
    assert "Show them in the blotter" in client.get(sent.url).content.decode()
