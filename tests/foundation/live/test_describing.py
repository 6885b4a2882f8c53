"""The AsyncAPI document says what the sockets of the project carry."""

import json

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from energyopti.accounts.actors import Actor
from energyopti.foundation.live.describing import asyncapi
from energyopti.urls import websocket_urlpatterns
from risk.queries.book_state import book_state
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from trading.queries.live_rows import book_states

pytestmark = pytest.mark.django_db


def frame_of(name: str) -> Draft202012Validator:
    schema = asyncapi()["channels"][name]["messages"]["frame"]["payload"]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_every_socket_has_a_channel_with_its_address():
    document = asyncapi()

    assert {channel["address"] for channel in document["channels"].values()} == {
        "/ws/risk/{book_id}/", "/ws/trades/",
    }  # fmt: skip
    assert len(document["channels"]) == len(websocket_urlpatterns)
    assert document["channels"]["book_risk"]["parameters"]["book_id"]["description"] == "a uuid"
    for operation in document["operations"].values():
        for link in (operation["channel"], *operation["messages"]):
            found = document
            for step in link["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            assert found


def test_frames_are_as_described():
    desk = make_desk()
    risk, trades = frame_of("book_risk"), frame_of("blotter")
    envelope = {"sequence": 1, "topic": "book:x"}
    empty = envelope | book_state(desk.book.pk)
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal()

    risk.validate(empty)
    risk.validate(envelope | book_state(desk.book.pk))
    trades.validate(json.loads(json.dumps(envelope | book_states([desk.book.pk])[0], default=str)))
    described = asyncapi()["channels"]["book_risk"]["messages"]["frame"]["payload"]["properties"]
    assert set(book_state(desk.book.pk)) | set(envelope) == set(described)


def test_the_document_is_open_to_everybody():
    answer = Client().get("/api/asyncapi/")

    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(asyncapi()))
