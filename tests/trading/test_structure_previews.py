"""A contract with choices in the ticket: its size in its own words, its value before booking."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from energyopti.foundation.jobs.models import Job
from tests.factories.trades import make_desk
from tests.trading.valuation.structures_desk import (
    ALL,
    EVENING,
    STORAGE,
    SWING,
    structure,
    structure_desk,
)
from trading.models import CurveVersion, StructureValue, Trade
from trading.queries.deals import structure_leg_json, structure_leg_of
from trading.services.locks import server_time
from trading.services.structure_values import value_structure
from trading.tasks import value_preview
from trading.web.product_forms import form_of_deal

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    cache.clear()
    return structure_desk()


@pytest.fixture
def client(desk):
    client = Client()
    client.force_login(desk.trader.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def entry(leg, **changes):
    deal = structure(leg)
    form = form_of_deal(deal)
    terms = {name: value for name, value in form.initial_of(deal).items() if value is not None}
    return {
        "kind": form.kind, **terms, "counterparty": "ACME", "book": "EU", "basis": "ORDER",
        "client_reference": "r-1", "previewed": "", "action": "preview", **changes,
    }  # fmt: skip


def page_of(client, leg, **changes):
    return client.post(reverse("trading:ticket"), entry(leg, **changes))


def test_the_preview_asks_a_job_waits_and_shows_what_booking_and_valuing_then_finds(
    desk, client, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as sent:
        page = page_of(client, STORAGE)

    assert page.status_code == 200, page.text
    job = Job.objects.get(kind="structure_preview")
    assert job.task == value_preview.name
    waiting = page.context["structure"]
    assert (waiting.is_waiting, waiting.job.pk, len(sent)) == (True, job.pk, 1)
    address = reverse("trading:value_preview", args=[waiting.key])
    assert f'hx-get="{address}"' in page.text
    assert "waiting for a worker" in client.get(address).text
    # Asked again while it is looked for: the same job.
    with django_capture_on_commit_callbacks():
        client.post(reverse("trading:ask_value"), entry(STORAGE))
    assert Job.objects.filter(kind="structure_preview").count() == 1
    for send in sent:
        send()

    found = client.get(address)

    assert "hx-get" not in found.text
    worth = found.context["structure"].worth
    assert worth["method"].startswith("linear programme")
    assert {label for label, *_ in worth["facts"]} == {
        "Injected", "Withdrawn", "Cycles of the working volume", "Least in store", "Most in store",
    }  # fmt: skip
    for words in ("linear programme", "Cycles of the working volume", "no interest rate is quoted"):
        assert words in found.text, words
    assert not StructureValue.objects.exists()
    assert not Trade.objects.exists()
    receipt = desk.deal(deal=structure(STORAGE))
    (kept,) = value_structure(
        actor=desk.again(desk.trader), ref=receipt.ref, as_of=EVENING, known_at=server_time()
    )
    assert kept.unrealised == Decimal(repr(worth["value"])).quantize(Decimal("0.01"))
    with django_capture_on_commit_callbacks():
        again = page_of(client, STORAGE)
    assert again.context["structure"].worth == worth


def test_its_size_stands_in_its_own_words_and_not_as_rate_times_days(desk, client):
    page = page_of(client, STORAGE).text

    assert "<dt>Energy</dt>" not in page
    for words in ("Working volume", "10,000 MWh", "Injection rate", "120 MWh/day",
                  "Withdrawal rate", "240 MWh a day"):  # fmt: skip
        assert words in page, words
    receipt = desk.deal(deal=structure(STORAGE))
    swing = desk.deal(deal=structure(SWING))
    sizes = {v.trade.ref: v.energy_mwh for v in desk_versions(receipt, swing)}
    # 304 days of 240 MWh, of which at most 24,000 in the year.
    assert sizes == {receipt.ref: Decimal(10_000), swing.ref: Decimal(24_000)}


def desk_versions(*receipts):
    from trading.models import TradeVersion

    refs = [receipt.ref for receipt in receipts]
    return TradeVersion.objects.filter(trade__ref__in=refs).select_related("trade")


def test_without_a_curve_it_says_which_price_is_missing(
    desk, client, django_capture_on_commit_callbacks
):
    CurveVersion.objects.filter(definition__market__code="TTF").delete()
    with django_capture_on_commit_callbacks(execute=True):
        page = page_of(client, SWING)

    found = client.get(reverse("trading:value_preview", args=[page.context["structure"].key]))

    assert "Not valued." in found.text
    assert "TTF: no price of 2026-12-01 is known for the index." in found.text


def test_a_job_that_failed_is_told_and_asked_anew(desk, client, monkeypatch):
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr("trading.services.structure_previews.enqueue_job", failed_job)
        page = page_of(client, SWING)
    assert "Not valued." in page.text
    assert "RuntimeError: no worker" in page.text

    assert page_of(client, SWING).context["structure"].is_waiting


def failed_job(**said):
    from energyopti.foundation.jobs.services import claim_job, enqueue_job, fail_job

    job = enqueue_job(**said)
    fail_job(job=claim_job(job_id=job.pk), error="RuntimeError: no worker")
    job.refresh_from_db()
    return job


def test_another_person_finds_nothing_and_what_is_no_contract_with_choices_has_no_value(
    desk, client
):
    key = page_of(client, SWING).context["structure"].key
    other = Client()
    other.force_login(
        make_desk("Other").trader.user, backend="django.contrib.auth.backends.ModelBackend"
    )

    assert other.get(reverse("trading:value_preview", args=[key])).status_code == 404
    assert client.get(reverse("trading:value_preview", args=["x"])).status_code == 404
    plain = {"kind": "LINE", "line": "B 10MW DE base Cal27 @ 85.20", "book": "EU",
             "counterparty": "ACME"}  # fmt: skip
    assert client.post(reverse("trading:ask_value"), plain).status_code == 404
    assert 'id="structure-preview"' not in client.post(reverse("trading:parse"), plain).text
    typed = client.post(reverse("trading:parse"), entry(SWING)).text
    # Typing asks for nothing by itself; the page asks once the typing has ended.
    assert 'hx-trigger="load delay:700ms"' in typed
    assert Job.objects.filter(kind="structure_preview").count() == 1


def test_a_contract_is_told_to_a_job_in_full(desk):
    for leg in ALL.values():
        booked = replace(leg, premium=Decimal("12.50"))
        said = structure_leg_json(booked)
        again = structure_leg_of(said)

        assert structure_leg_json(again) == said
        assert (again.terms, again.premium, again.direction) == (
            booked.terms, booked.premium, booked.direction,
        )  # fmt: skip
        assert again.schedule.interval == booked.schedule.interval
