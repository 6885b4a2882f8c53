"""Pages by cursor: complete, in order, unmoved by rows that come and go."""

import itertools

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from energyopti.foundation.api.pagination import CursorPage

from .test_problems import problem_of

LIST = "/api/v1/sample/rows/"


def make(*every, period="seconds"):
    return [IntervalSchedule.objects.create(every=number, period=period) for number in every]


def walk(client, address, link="next"):
    """Yield the results of each page, following the link."""
    while address:
        page = client.get(address)
        assert page.status_code == 200, page.content
        yield page.json()
        address = page.json()[link]


def test_pages_hold_every_row_once_in_order(client):
    rows = make(5, 3, 3, 9, 1, 3, 7)
    expected = [row.id for row in sorted(rows, key=lambda row: (-row.every, row.id))]

    pages = list(walk(client, f"{LIST}?page_size=2"))

    assert [row["id"] for page in pages for row in page["results"]] == expected
    assert [len(page["results"]) for page in pages] == [2, 2, 2, 1]
    assert pages[0]["previous"] is None and pages[-1]["next"] is None


def test_the_way_back_shows_the_same_pages(client):
    make(*range(1, 8))
    forward = list(walk(client, f"{LIST}?page_size=3"))

    back = list(walk(client, forward[-1]["previous"], "previous"))

    assert [page["results"] for page in back] == [page["results"] for page in forward[-2::-1]]


def test_rows_that_come_and_go_move_no_page(client):
    rows = make(50, 40, 30, 20, 10)
    first = client.get(f"{LIST}?page_size=2").json()
    make(60, 45, 25)
    rows[0].delete()
    rows[1].delete()

    second = client.get(first["next"]).json()

    assert [row["every"] for row in second["results"]] == [30, 25]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(every=st.lists(st.integers(1, 4), max_size=12), size=st.integers(1, 5))
def test_any_rows_with_any_page_size_are_listed_once(client, every, size):
    IntervalSchedule.objects.all().delete()
    make(*every)

    pages = list(walk(client, f"{LIST}?page_size={size}"))

    listed = list(itertools.chain(*(page["results"] for page in pages)))
    assert len({row["id"] for row in listed}) == len(every)
    assert [row["every"] for row in listed] == sorted(every, reverse=True)


@pytest.mark.parametrize("size", ["0", "501", "-1", "1000000000", "x", "", "1e2", "٣", "1" * 5000])
def test_a_page_size_out_of_bounds_is_refused(client, size):
    problem = problem_of(client.get(LIST, {"page_size": size}), 400)

    assert problem["errors"][0]["parameter"] == "page_size"


def test_a_cursor_is_for_its_list_and_filters_only(client):
    make(1, 2, 3)
    following = client.get(f"{LIST}?page_size=1&period=seconds").json()["next"]

    other = client.get(following.replace("period=seconds", "period=minutes"))

    assert problem_of(other, 400)["code"] == "cursor_invalid"
    assert client.get(following.replace("page_size=1", "page_size=2")).status_code == 200


@pytest.mark.parametrize("cursor", ["", "x", "W10:1vAbc:xyz", "a" * 4000, "\x00"])
def test_a_cursor_of_ones_own_making_is_refused(client, cursor):
    assert problem_of(client.get(LIST, {"cursor": cursor}), 400)["code"] == "cursor_invalid"


def test_a_changed_cursor_is_refused(client):
    make(1, 2)
    cursor = client.get(f"{LIST}?page_size=1").json()["next"].split("cursor=")[1].split("&")[0]

    response = client.get(f"{LIST}?page_size=1&cursor=A{cursor}")

    assert problem_of(response, 400)["code"] == "cursor_invalid"


def test_an_unknown_filter_is_refused_not_ignored(client):
    problem = problem_of(client.get(f"{LIST}?perod=seconds"), 400)

    assert problem["errors"][0] == {
        "code": "unknown_field",
        "detail": "There is no field “perod” here; fields are: period.",
        "parameter": "perod",
    }


def test_a_page_costs_one_query(client):
    make(*range(1, 20))

    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)

    assert sum("django_celery_beat_intervalschedule" in query["sql"] for query in queries) == 1


@pytest.mark.parametrize("ordering", [("every",), (), ("id", "every")])
def test_an_order_that_ties_is_a_mistake_of_ours(ordering):
    with pytest.raises(ImproperlyConfigured, match="last field must be unique"):
        page_by(IntervalSchedule, ordering)


def test_an_order_by_what_may_be_null_is_a_mistake_of_ours():
    from django_celery_beat.models import PeriodicTask

    with pytest.raises(ImproperlyConfigured, match="expires"):
        page_by(PeriodicTask, ("expires", "id"))


def page_by(model, ordering):
    view = type("View", (), {"ordering": ordering})()
    request = Request(APIRequestFactory().get("/"))
    return CursorPage().paginate_queryset(model.objects.all(), request, view)


def test_rows_come_newest_first_where_no_order_is_named(db):
    request = Request(APIRequestFactory().get("/"))
    made = [CrontabSchedule.objects.create(minute=str(minute)) for minute in range(3)]

    rows = CursorPage().paginate_queryset(CrontabSchedule.objects.all(), request)

    assert rows[:3] == made[::-1]
