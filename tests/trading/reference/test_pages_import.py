"""The way of files through the pages: upload, difference, confirmation; and out again."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job
from tests.factories.accounts import make_organization, make_user
from trading.models import Commodity, Counterparty
from trading.reference import CommodityTerms
from trading.services import staged
from trading.services.commodities import add_commodity, amend_commodity
from trading.services.reference_files import KINDS, reading, staging
from trading.tasks import compare_reference_files, import_reference_files

pytestmark = pytest.mark.django_db
DESK = Path(__file__).resolve().parents[3] / "docs" / "reference-data" / "europe"
HEAD = "code,name,kind,delivery,quantity_unit\n"
GOODS = HEAD + "WOOD,Wood,COAL,LOT,t\nPEAT,Peat,COAL,LOT,t\n"


class Desk:
    def __init__(self) -> None:
        self.organization = make_organization()
        self.user = make_user(Role.RISK_OFFICER, organization=self.organization)
        self.client = signed_in(self.user)

    @property
    def actor(self) -> Actor:
        return Actor.for_user(self.user)

    def upload(self, files: dict[str, str | bytes], organization: str = "own"):
        own = str(self.organization.pk) if organization == "own" else organization
        return self.client.post(
            reverse("trading:reference"),
            {
                "organization": own,
                "files": [
                    SimpleUploadedFile(
                        name, content.encode() if isinstance(content, str) else content
                    )
                    for name, content in files.items()
                ],
            },
        )


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_files_are_shown_first_and_written_when_confirmed(desk):
    files = {path.name: path.read_bytes() for path in DESK.glob("*.csv")}

    seen = desk.upload(files)
    page = desk.client.get(seen.url)
    assert seen.status_code == 302
    assert "Nothing is imported yet" in page.content.decode()
    assert page.context["writes"] > 20 and not page.context["diff"].is_refused
    assert not Counterparty.objects.exists() and not Commodity.objects.exists()

    done = desk.client.post(f"{seen.url}confirm/", follow=True)
    assert "Imported:" in done.content.decode()
    assert Counterparty.objects.filter(organization=desk.organization).exists()
    assert desk.client.get(seen.url).status_code == 404  # an upload is confirmed once
    assert desk.client.post(f"{seen.url}confirm/").status_code == 404

    again = desk.client.get(desk.upload(files).url)
    assert "The tables say all of it already" in again.content.decode()


def test_a_change_is_shown_field_by_field(desk):
    add_commodity(actor=desk.actor, terms=CommodityTerms("WOOD", "Timber", "COAL", "LOT", "t"))

    page = desk.client.get(desk.upload({"commodities.csv": GOODS}).url).content.decode()

    assert "name: <del>Timber</del> → <ins>Wood</ins>" in page
    assert "Import 2 changes" in page


def test_refused_lines_are_named_and_cannot_be_confirmed(desk):
    company = "code,name,legal_name,lei,country,is_internal,status\n"
    company += "ACME,Acme,,529900T8BM49AURSDO54,DE,no,ACTIVE\n"

    seen = desk.upload({"counterparties.csv": company, "commodities.csv": GOODS})
    page = desk.client.get(seen.url).content.decode()

    assert "Nothing can be imported" in page and "529900T8BM49AURSDO54" in page
    assert 'data-label="Line">2<' in page and 'data-label="Field">lei<' in page
    assert "confirm/" not in page
    assert desk.client.post(f"{seen.url}confirm/").status_code == 409
    assert not Commodity.objects.exists()


def test_what_changed_since_is_looked_at_again(desk):
    terms = CommodityTerms("WOOD", "Timber", "COAL", "LOT", "t")
    add_commodity(actor=desk.actor, terms=terms)
    seen = desk.upload({"commodities.csv": GOODS})
    amend_commodity(actor=desk.actor, terms=CommodityTerms("WOOD", "Firewood", "COAL", "LOT", "t"))

    moved = desk.client.post(f"{seen.url}confirm/")

    assert moved.status_code == 409
    assert "<del>Firewood</del> → <ins>Wood</ins>" in moved.content.decode()
    assert Commodity.objects.get().name == "Firewood"
    assert desk.client.post(f"{seen.url}confirm/").status_code == 302
    assert Commodity.objects.get(code="WOOD").name == "Wood"


def test_an_upload_is_only_for_who_made_it(desk):
    seen = desk.upload({"commodities.csv": GOODS})
    other = signed_in(make_user(Role.RISK_OFFICER, organization=desk.organization))

    assert other.get(seen.url).status_code == 404
    assert other.post(f"{seen.url}confirm/").status_code == 404
    assert not Commodity.objects.exists()


def test_form_faults_stand_beside_the_field(desk, monkeypatch):
    url = reverse("trading:reference")
    nothing = desk.client.post(url, {"organization": ""})
    assert (nothing.status_code, "Choose at least one file" in nothing.content.decode()) == (
        422, True,
    )  # fmt: skip
    whose = desk.upload({"books.csv": "code"}, organization="")
    assert 'id="id_organization_error"' in whose.content.decode()
    foreign = desk.upload({"books.csv": "code"}, organization=str(make_organization().pk))
    assert foreign.status_code == 422
    monkeypatch.setattr(reading, "MAX_BYTES", 20)
    assert "MB are read" in desk.upload({"commodities.csv": GOODS}).content.decode()


def test_an_empty_file_and_one_of_no_kind_are_refused_by_name(desk):
    page = desk.client.get(
        desk.upload({"people.csv": "a\n1\n", "note.json": "{}", "books.csv": b"\n"}).url
    ).content.decode()

    assert "people.csv" in page and "note.json" in page and "The name is none of" in page


def test_a_customers_officer_imports_his_own_kinds_only(desk):
    desk.organization.parent = make_organization()
    desk.organization.save()
    company = "code,name,legal_name,lei,country,is_internal,status\nACME,Acme,,,DE,no,ACTIVE\n"

    assert desk.upload({"commodities.csv": GOODS}).status_code == 403
    seen = desk.upload({"counterparties.csv": company})
    desk.client.post(f"{seen.url}confirm/")

    assert Counterparty.objects.get().organization == desk.organization


def test_long_files_are_compared_and_imported_by_a_worker(desk, monkeypatch):
    monkeypatch.setattr(staging, "LINES_OF_A_PAGE", 2)
    seen = desk.upload({"commodities.csv": GOODS})
    compare = Job.objects.get(kind="reference-compare")
    assert reverse("jobs:detail", args=[compare.pk]) in desk.client.get(seen.url).content.decode()
    assert desk.client.post(f"{seen.url}confirm/").status_code == 404

    compare_reference_files.apply(kwargs={"job_id": str(compare.pk)})
    compare.refresh_from_db()
    assert (compare.state, compare.result_url) == ("SUCCEEDED", seen.url)
    assert "Import 2 changes" in desk.client.get(seen.url).content.decode()

    started = desk.client.post(f"{seen.url}confirm/")
    job = Job.objects.get(kind="reference-import")
    assert started.url == reverse("jobs:detail", args=[job.pk])
    import_reference_files.apply(kwargs={"job_id": str(job.pk)})
    job.refresh_from_db()
    assert (job.state, job.error) == ("SUCCEEDED", "")
    assert Commodity.objects.count() == 2
    event = Event.objects.filter(type="commodity.added").first()
    assert event.actor_id == f"user:{desk.user.pk}"


def test_a_worker_does_not_import_what_nobody_agreed_to(desk, monkeypatch):
    monkeypatch.setattr(staging, "LINES_OF_A_PAGE", 2)
    seen = desk.upload({"commodities.csv": GOODS})
    compare_reference_files.apply(kwargs={"job_id": str(Job.objects.get().pk)})
    desk.client.post(f"{seen.url}confirm/")
    add_commodity(actor=desk.actor, terms=CommodityTerms("WOOD", "Timber", "COAL", "LOT", "t"))

    job = Job.objects.get(kind="reference-import")
    import_reference_files.apply(kwargs={"job_id": str(job.pk)}, throw=False)

    job.refresh_from_db()
    assert job.state == "FAILED" and "changed since you looked" in job.error
    assert Commodity.objects.get().name == "Timber"


def test_uploads_of_yesterday_are_forgotten(desk, monkeypatch):
    first = desk.upload({"commodities.csv": GOODS})
    later = timezone.now() + timedelta(days=1, minutes=1)
    with monkeypatch.context() as clock:
        clock.setattr(staged.timezone, "now", lambda: later)
        second = desk.upload({"commodities.csv": GOODS})

    assert desk.client.get(first.url).status_code == 404
    assert desk.client.get(second.url).status_code == 200


def test_what_is_exported_imports_and_changes_nothing(desk):
    files = {path.name: path.read_bytes() for path in DESK.glob("*.csv")}
    desk.client.post(f"{desk.upload(files).url}confirm/")
    url = reverse("trading:reference_export")

    answer = desk.client.get(url, {"organization": str(desk.organization.pk)})
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        exported = {name: archive.read(name) for name in archive.namelist()}
    assert set(exported) == {f"{kind}.csv" for kind in KINDS}
    page = desk.client.get(desk.upload(exported).url)
    assert (page.context["writes"], page.context["diff"].refusals) == (0, ())

    one = desk.client.get(url, {"kind": "markets"})
    assert one.content == exported["markets.csv"]
    assert 'filename="markets.csv"' in one["Content-Disposition"]


def test_an_export_gives_only_what_may_be_read(desk):
    url, own = reverse("trading:reference_export"), str(desk.organization.pk)
    trader = signed_in(make_user(Role.TRADER, organization=desk.organization))

    with zipfile.ZipFile(io.BytesIO(trader.get(url, {"organization": own}).content)) as archive:
        assert "books.csv" not in archive.namelist()
        assert "agreements.csv" in archive.namelist()
    assert trader.get(url, {"organization": own, "kind": "books"}).status_code == 403
    foreign = str(make_organization().pk)
    assert desk.client.get(url, {"organization": foreign}).status_code == 404
    assert desk.client.get(url, {"organization": "x"}).status_code == 400
    assert desk.client.get(url, {"kind": "people"}).status_code == 400
    assert desk.client.get(url, {"kind": "books"}).status_code == 400
