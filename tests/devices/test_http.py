"""A device over HTTP: who it is, what it may ask and tell, and what is refused."""

import json

import pytest
from django.conf import settings

from devices import wire
from devices.schedules.models import Acknowledgement
from devices.schedules.services import publish_schedules
from devices.services.registration import issue_credentials, revoke_credentials
from devices.services.snapshots import _client
from energyopti.accounts.models import Membership, User
from energyopti.accounts.roles import Role
from tests.factories.devices import (
    DAY_START,
    make_batch,
    make_device,
    make_organization,
    make_schedule,
    make_site,
    make_update,
    system,
    token_of,
)

pytestmark = pytest.mark.django_db


class Caller:
    """A device at the other end of Django's test client."""

    def __init__(self, client, device, token):
        self.client, self.root = client, f"/api/v1/devices/{device.pk}"
        self.headers = {"authorization": f"Bearer {token}"}

    def poll(self, **headers):
        return self.client.get(f"{self.root}/schedule", headers={**self.headers, **headers})

    def post(self, what, message):
        body = message if isinstance(message, bytes) else wire.render(message)
        return self.client.post(
            f"{self.root}/{what}", body, content_type="application/json", headers=self.headers
        )


@pytest.fixture
def device():
    return make_device()


@pytest.fixture
def caller(client, device):
    return Caller(client, device, token_of(device))


@pytest.fixture
def publish(django_capture_on_commit_callbacks):
    def published(*drafts):
        with django_capture_on_commit_callbacks(execute=True):
            return publish_schedules(actor=system(), drafts=drafts, published_at=DAY_START)

    return published


def test_no_schedule_is_204_then_200_then_304_then_the_next(caller, device, publish):
    assert caller.poll().status_code == 204
    draft = make_schedule(device)
    publish(draft)

    first = caller.poll()
    unchanged = caller.poll(if_none_match=first["ETag"])
    publish(make_schedule(device, modes="d", version=2, schedule_id=draft.schedule_id))
    newer = caller.poll(if_none_match=first["ETag"])

    assert (first.status_code, unchanged.status_code, newer.status_code) == (200, 304, 200)
    assert unchanged.content == b""
    assert wire.parse(first.content, wire.Schedule).entries == draft.entries
    assert wire.parse(newer.content, wire.Schedule).version == 2


def test_a_poll_of_an_unchanged_schedule_asks_no_table(
    caller, device, publish, django_assert_num_queries
):
    publish(make_schedule(device))
    etag = caller.poll()["ETag"]

    with django_assert_num_queries(0):
        assert caller.poll(if_none_match=etag).status_code == 304
        assert caller.poll().status_code == 200


def test_without_redis_the_tables_answer(caller, device, publish, settings, request):
    publish(make_schedule(device))
    with_redis = caller.poll()

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    _client.cache_clear()
    request.addfinalizer(_client.cache_clear)
    without = caller.poll()

    assert without.content == with_redis.content
    assert without["ETag"] == with_redis["ETag"]


def test_a_stale_document_never_overwrites_a_newer_one(device, publish):
    from devices.services.snapshots import fill_document, read_document

    revision = publish(make_schedule(device)).revisions[device.pk]
    fill_document(device.pk, revision - 1, b"old")

    assert read_document(device.pk, revision - 1) is None
    assert _client().ttl(f"{settings.REDIS_PREFIX}:device:{device.pk}") > 0


def test_a_stranger_is_401_and_another_device_403(client, caller, device):
    other = make_device("BAT-2")
    foreign = Caller(client, device, token_of(other))
    stranger = Caller(client, device, "x" * 43)

    assert (stranger.poll().status_code, foreign.poll().status_code) == (401, 403)
    assert stranger.poll()["WWW-Authenticate"].startswith("Bearer")
    assert client.get(caller.root + "/schedule").status_code == 401
    assert foreign.post("telemetry", make_batch(device)).status_code == 403


def test_client_certificate_headers_give_nobody_an_identity(client, caller):
    answer = client.get(
        caller.root + "/schedule",
        headers={"x-ssl-client-verify": "SUCCESS", "x-ssl-client-s-dn": "CN=dev-1"},
    )

    assert answer.status_code == 401


def test_a_message_in_another_devices_name_is_403(caller):
    other = make_device("BAT-2")

    assert caller.post("telemetry", make_batch(other)).status_code == 403
    assert caller.post("acks", [make_update(make_schedule(other))]).status_code == 403


def test_a_revoked_and_a_replaced_token_open_nothing(
    client, caller, device, django_capture_on_commit_callbacks
):
    assert caller.poll().status_code == 204
    with django_capture_on_commit_callbacks(execute=True):
        token = issue_credentials(actor=system(), devices=[device], issued_at=DAY_START)[device]
    renewed = Caller(client, device, token)

    assert (caller.poll().status_code, renewed.poll().status_code) == (401, 204)
    with django_capture_on_commit_callbacks(execute=True):
        assert revoke_credentials(actor=system(), device=device, revoked_at=DAY_START) == 1
    assert renewed.poll().status_code == 401


def test_single_acknowledgements_are_answered_by_status(caller, device, publish, freeze):
    draft = make_schedule(device)
    publish(draft)
    started = make_update(draft)

    assert caller.post("acks", started).status_code == 201
    assert caller.post("acks", started).status_code == 200
    backwards = caller.post(
        "acks", make_update(draft, sequence=2, status=wire.InstructionStatus.ACCEPTED)
    )
    unknown = caller.post("acks", make_update(draft, command_id=draft.schedule_id))

    assert (backwards.status_code, backwards.json()["code"]) == (409, "status_out_of_order")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_command")
    assert backwards["Content-Type"].startswith("application/problem+json")
    assert Acknowledgement.objects.filter(device=device).count() == 1


def test_arrays_are_answered_with_receipts(caller, device, publish, freeze):
    draft = make_schedule(device)
    publish(draft)

    answer = caller.post("acks", [make_update(draft), make_update(draft, 1)])
    telemetry = caller.post("telemetry", [make_batch(device), make_batch(device)])

    outcomes = [r["outcome"] for r in answer.json()["results"] + telemetry.json()["results"]]
    assert outcomes == ["RECORDED", "RECORDED", "RECORDED", "DUPLICATE"]


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"device_id":1e400}',
        b'{"device_id":' + b"9" * 10_000 + b"}",
        b'{"message_type":"ReceptionStatus","reason":"\\ud800"}',
        b'{"message_type":"ReceptionStatus","reason":"\\u0000"}',
        b"",
        b"\x00",
    ],
)
@pytest.mark.parametrize("what", ["acks", "telemetry"])
def test_hostile_json_is_400(caller, what, hostile):
    answer = caller.post(what, hostile)

    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_failed"


def test_a_duplicate_key_is_400_with_its_name(caller, device):
    raw = wire.render(make_batch(device)).replace(b'"state"', b'"state":"BOOT","state"')

    answer = caller.post("telemetry", raw)

    assert (answer.status_code, "state" in answer.json()["detail"]) == (400, True)


def test_a_body_that_is_too_large_is_413(caller):
    assert caller.post("telemetry", b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_wrong_method_is_405(client, caller):
    assert client.delete(caller.root + "/schedule", headers=caller.headers).status_code == 405


@pytest.fixture
def operator(client):
    from django.contrib.auth.models import Group

    user = User.objects.create_user("operator@voltara.example", "x" * 20)
    user.groups.add(Group.objects.get(name=Role.DEVICE_OPERATOR))
    Membership.objects.create(user=user, organization=make_organization())
    client.force_login(user)
    return user


def bulk(client, body):
    return client.post("/api/v1/devices/schedules/bulk", body, content_type="application/json")


def test_an_operator_publishes_in_bulk(client, operator):
    devices = [make_device(f"BAT-{n}") for n in range(3)]
    body = wire.render([make_schedule(device) for device in devices])

    answers = [bulk(client, body).json() for _ in range(2)]

    assert answers == [
        {"published": 3, "unchanged": 0, "replaced": 0},
        {"published": 0, "unchanged": 3, "replaced": 0},
    ]


def test_bulk_refuses_foreign_devices_by_404_and_publishes_none(client, operator):
    own = make_device()
    foreign = make_device("F", site=make_site(make_organization("Somebody else")))

    answer = bulk(client, wire.render([make_schedule(own), make_schedule(foreign)]))

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_devices")
    assert str(own.pk) not in json.dumps(answer.json())


def test_bulk_names_the_place_of_an_error(client, operator):
    body = wire.render([make_schedule(make_device(), rate_kw=4)])

    answer = bulk(client, body.replace(b'"rate_kw":4', b'"rate_kw":4000', 1))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/0/entries/0/rate_kw"


def test_bulk_is_401_for_strangers_and_403_without_the_role(client, operator):
    client.logout()
    assert bulk(client, b"[]").status_code == 401
    operator.groups.clear()
    client.force_login(operator)

    assert bulk(client, b"[]").status_code == 403


def test_the_device_routes_are_in_the_openapi_document(client):
    document = client.get("/api/schema/?format=json").json()

    paths = document["paths"]
    assert "get" in paths["/api/v1/devices/{device_id}/schedule"]
    for route in ("{device_id}/acks", "{device_id}/telemetry", "schedules/bulk"):
        assert "post" in paths[f"/api/v1/devices/{route}"]
    assert document["components"]["schemas"]["ScheduleEntry"]["properties"]["rate_kw"]
