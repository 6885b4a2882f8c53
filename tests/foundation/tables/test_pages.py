"""A list page through the client, on the example list of the gallery."""

import json
import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from energyopti.accounts.roles import Role
from energyopti.foundation.registry import Registry
from energyopti.foundation.tables.models import ColumnChoice, SavedView
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db

URL = "/gallery/table/"


@pytest.fixture
def organization():
    return make_organization("Nordwind")


@pytest.fixture
def client(organization) -> Client:
    client = Client()
    client.force_login(
        make_user(Role.TRADER, organization=organization),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def names(response) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*><a[^>]*>([^<]+)</a>', response.content.decode())


def text(response) -> str:
    return response.content.decode()


def test_stranger_is_sent_to_sign_in() -> None:
    response = Client().get(URL + "?sort=name")

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=/gallery/table/%3Fsort%3Dname")


def test_pages_follow_one_another_without_gap(client: Client) -> None:
    expected = list(
        Permission.objects.order_by("codename", "pk").values_list("codename", flat=True)
    )
    met, link = [], f"{URL}?sort=codename"
    while link:
        page = text(client.get(link))
        met += re.findall(r'data-label="Codename">([^<]+)</td>', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        link = following.group(1).replace("&amp;", "&") if following else ""

    assert met == expected


def test_filters_and_chips(client: Client) -> None:
    response = client.get(URL, {"codename": "view_", "length_min": "20"})

    found = re.findall(r'data-label="Codename">([^<]+)</td>', text(response))
    assert found and all(name.startswith("view_") and len(name) >= 20 for name in found)
    assert "Codename begins with: <strong>view_</strong>" in text(response)
    assert "Length: <strong>from 20" in text(response)


def test_mistyped_filter_shows_no_rows_and_says_why(client: Client) -> None:
    response = client.get(URL, {"length_min": "many"})

    assert names(response) == []
    assert "Enter a number." in text(response)
    assert "A filter could not be read." in text(response)


def test_htmx_gets_the_rows_alone(client: Client) -> None:
    response = client.get(
        URL, {"name": "organization"}, headers={"HX-Request": "true", "HX-Target": "rows"}
    )

    assert "<html" not in text(response)
    assert text(response).lstrip().startswith('<div id="rows">')
    assert "HX-Request" in response["Vary"]


def test_query_count_does_not_grow_with_rows(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each scope that an app registers costs a query of its own.
    monkeypatch.setattr("energyopti.foundation.scope.SCOPES", Registry("no scopes"))
    client.get(URL)  # the first page of a session reads preferences
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        client.get(URL, {"codename": "view_user"})
    with CaptureQueriesContext(connection) as many:
        client.get(URL, {"codename": ""})

    assert len(many) == len(few) <= 17, [query["sql"][:60] for query in many]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"after": "nonsense"}, 400),
        ({"export": "docx"}, 400),
        ({"export": "csv", "length_min": "many"}, 400),
    ],
)
def test_unreadable_address_is_refused(client: Client, query: dict[str, str], named: int) -> None:
    assert client.get(URL, query).status_code == named


def test_columns_are_chosen_moved_and_reset(client: Client) -> None:
    posted = {
        "action": "columns",
        "order": ["codename", "name", "area", "length", "content_type"],
        "column": ["codename", "name"],
    }
    client.post(URL, posted)
    assert ColumnChoice.objects.get().columns == ["codename", "name"]
    page = text(client.get(URL))
    head = page.split("<thead>")[1].split("</thead>")[0]
    assert head.index("Codename") < head.index("Name<")
    assert "Length" not in head

    client.post(URL, {**posted, "move": "up:name"})
    assert ColumnChoice.objects.get().columns == ["name", "codename"]

    client.post(URL, {"action": "reset-columns"})
    assert not ColumnChoice.objects.exists()


@pytest.mark.parametrize(
    "posted",
    [
        {"action": "columns", "order": ["name"], "column": []},
        {"action": "columns", "order": ["name"], "column": ["name"], "move": "left:name"},
        {"action": "columns", "order": ["name"], "column": ["name"], "move": "up:ghost"},
        {"action": "save-view", "name": " "},
        {"action": "save-view", "name": "v", "visibility": "shared", "shared_with": "x"},
        {"action": "delete-view", "view": "x"},
        {"action": "repair-view"},
    ],
)
def test_refused_choice_changes_nothing_and_says_why(client: Client, posted) -> None:
    response = client.post(URL, posted, follow=True)

    assert 'class="toast bad"' in text(response)
    assert not ColumnChoice.objects.exists()
    assert not SavedView.objects.exists()


def test_unknown_action_is_400(client: Client) -> None:
    assert client.post(URL, {"action": "explode"}).status_code == 400
    assert client.post(URL, {"action": "bulk:explode"}).status_code == 400


def test_view_is_saved_opened_by_default_and_deleted(client: Client, organization) -> None:
    response = client.post(
        f"{URL}?codename=view_&sort=-codename&after=x",
        {
            "action": "save-view",
            "name": "Views",
            "visibility": "shared",
            "shared_with": str(organization.pk),
            "as_default": "on",
        },
    )
    view = SavedView.objects.get()
    assert view.query == "codename=view_&sort=-codename"
    assert view.organization_id == organization.pk
    assert f"view={view.pk}" in response["Location"]

    opened = client.get(URL)
    assert opened["Location"] == f"{URL}?codename=view_&sort=-codename&view={view.pk}"
    assert "Views" in text(client.get(opened["Location"]))

    client.post(URL, {"action": "delete-view", "view": str(view.pk)})
    assert not SavedView.objects.exists()


def test_broken_view_says_what_is_missing_and_is_repaired(client: Client, organization) -> None:
    client.post(f"{URL}?codename=view_", {"action": "save-view", "name": "Old"})
    view = SavedView.objects.get()
    view.query, view.columns = "codename=view_&ghost=1&sort=-gone,name", ["name", "lost"]
    view.save()
    link = f"{URL}?{view.query}&view={view.pk}"

    page = text(client.get(link))
    for problem in ("no filter “ghost”", "no sort by “gone”", "no column “lost”"):
        assert problem in page

    response = client.post(link, {"action": "repair-view"})
    view.refresh_from_db()
    assert (view.query, view.columns) == ("codename=view_&sort=name", ["name"])
    assert "This view is broken" not in text(client.get(response["Location"]))


def test_bulk_asks_back_with_the_number_before_it_acts(client: Client) -> None:
    ids = [str(pk) for pk in Permission.objects.order_by("pk").values_list("pk", flat=True)[:3]]

    asked = client.post(URL, {"action": "bulk:check", "select": ids})
    assert "Check 3 rows?" in text(asked)

    done = client.post(
        URL, {"action": "bulk:check", "select": ids, "confirmed": "yes"}, follow=True
    )
    assert "3 permissions looked at" in text(done)


def test_bulk_without_rows_and_with_foreign_values(client: Client) -> None:
    empty = client.post(URL, {"action": "bulk:check"}, follow=True)
    assert "Select at least one row first." in text(empty)
    assert client.post(URL, {"action": "bulk:check", "select": ["x"]}).status_code == 400


def test_export_holds_the_filtered_rows_and_shown_columns(client: Client) -> None:
    client.post(
        URL,
        {"action": "columns", "order": ["codename", "length"], "column": ["codename", "length"]},
    )

    response = client.get(URL, {"export": "json", "codename": "view_user", "sort": "codename"})

    body = json.loads(b"".join(response.streaming_content))
    expected = list(
        Permission.objects.filter(codename__startswith="view_user")
        .order_by("codename", "pk")
        .values_list("codename", flat=True)
    )
    assert [row["codename"] for row in body["rows"]] == expected
    assert [column["key"] for column in body["columns"]] == ["codename", "length"]
    assert body["filters"] == {"Codename begins with": "view_user"}


@pytest.mark.parametrize("format_name", ["csv", "xlsx"])
def test_export_formats_answer_with_a_file(client: Client, format_name: str) -> None:
    response = client.get(URL, {"export": format_name, "codename": "view_user"})

    assert response.status_code == 200
    assert f'filename="portal-example.{format_name}"' in response["Content-Disposition"]
    assert len(b"".join(response.streaming_content)) > 100
