"""The admin shows the log and replays parked keys; it edits nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.messages.storage.fallback import FallbackStorage
from django.test import RequestFactory

from energyopti.foundation.events.admin import EventAdmin, FollowerCursorAdmin, ParkedEventAdmin
from energyopti.foundation.events.followers import Follower
from energyopti.foundation.events.models import Event, FollowerCursor, ParkedEvent
from energyopti.foundation.events.relay import advance, ensure_cursor

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(event: Event) -> None:
    raise ValueError("no")


@pytest.fixture
def parked(write: Callable[..., Event]) -> ParkedEvent:
    write("a")
    write("a")
    follower = Follower("reader", refuse, attempts=1)
    ensure_cursor(follower)
    advance(follower)
    write("b")
    return ParkedEvent.objects.exclude(state="WAITING").get()


@pytest.fixture
def request_of() -> Callable[..., Any]:
    def make(*permissions: str) -> Any:
        user = get_user_model().objects.create_user(f"{len(permissions)}@example.org", "x" * 12)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        request = RequestFactory().get("/admin/")
        request.user = user
        request.session = {}
        request._messages = FallbackStorage(request)
        return request

    return make


def site_admin(kind: type, model: type) -> Any:
    from django.contrib import admin

    return kind(model, admin.site)


def test_replays_the_keys_of_the_chosen_rows(
    parked: ParkedEvent, request_of: Callable[..., Any]
) -> None:
    request = request_of("replay_parkedevent")
    page = site_admin(ParkedEventAdmin, ParkedEvent)

    page.replay_keys(request, ParkedEvent.objects.all())
    ParkedEvent.objects.all().delete()
    page.replay_keys(request, ParkedEvent.objects.all())

    assert [str(message) for message in request._messages] == ["reader tries a again, in order."]
    event = Event.objects.get(type="follower.replay_requested")
    assert event.actor_id == f"user:{request.user.pk}"


def test_says_when_a_key_was_applied_meanwhile(
    parked: ParkedEvent, request_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_of("replay_parkedevent")
    chosen = ParkedEvent.objects.filter(pk=parked.pk)
    monkeypatch.setattr(chosen, "values_list", lambda *_: [("reader", "gone")])

    site_admin(ParkedEventAdmin, ParkedEvent).replay_keys(request, chosen)

    assert ["no event is parked" in str(message) for message in request._messages] == [True]


def test_replay_needs_its_permission(request_of: Callable[..., Any]) -> None:
    page = site_admin(ParkedEventAdmin, ParkedEvent)

    assert not page.has_replay_permission(request_of("view_parkedevent", "x"))
    assert page.has_replay_permission(request_of("replay_parkedevent"))


def test_nothing_is_edited(request_of: Callable[..., Any]) -> None:
    request = request_of("add_event", "change_event", "delete_event")
    page = site_admin(EventAdmin, Event)

    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)


def test_shows_how_far_followers_are(parked: ParkedEvent, request_of: Callable[..., Any]) -> None:
    page = site_admin(FollowerCursorAdmin, FollowerCursor)
    (cursor,) = page.get_queryset(request_of())

    assert page.events_behind(cursor) == "1"
    assert page.oldest(cursor) == Event.objects.get(key="b").recorded_at


@pytest.mark.parametrize(
    ("kind", "model", "shown"),
    [
        (EventAdmin, Event, "thing.changed"),
        (FollowerCursorAdmin, FollowerCursor, "reader"),
        (ParkedEventAdmin, ParkedEvent, "ValueError: no"),
    ],
)
def test_the_lists_open_and_show_their_rows(
    parked: ParkedEvent, request_of: Callable[..., Any], kind: type, model: type, shown: str
) -> None:
    request = request_of("view_event", "view_followercursor", "view_parkedevent")

    answer = site_admin(kind, model).changelist_view(request).render()

    assert answer.status_code == 200
    assert shown in answer.content.decode()
