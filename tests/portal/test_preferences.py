"""Theme, colors and keys follow the person; a stranger gets the defaults."""

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.portal.models import PagePreference
from energyopti.portal.services.preferences import PreferenceUnknown, choose_preferences


def test_default_follows_the_system(client: Client) -> None:
    page = client.get("/").content.decode()

    assert 'data-theme="system" data-palette="standard"' in page
    assert "data-single-keys" in page


def test_choices_are_kept_with_the_account_across_sessions(client: Client, trader) -> None:
    response = client.post("/settings/page/", {"theme": "dark", "palette": "blue-orange"})
    assert response["Location"] == "/settings/page/"
    assert 'data-theme="dark" data-palette="blue-orange"' in client.get("/").content.decode()

    another = Client()
    another.force_login(trader, backend="django.contrib.auth.backends.ModelBackend")
    page = another.get("/").content.decode()
    assert 'data-theme="dark" data-palette="blue-orange"' in page
    assert "data-single-keys" not in page


def test_switch_returns_to_its_page_and_never_elsewhere(client: Client) -> None:
    there = client.post("/settings/theme/", {"theme": "dark", "next": "/search/?q=a"})
    away = client.post("/settings/theme/", {"theme": "dark", "next": "https://evil.example/"})

    assert there["Location"] == "/search/?q=a"
    assert away["Location"] == "/"


def test_switch_by_script_answers_without_a_page(client: Client) -> None:
    response = client.post(
        "/settings/theme/", {"theme": "light"}, headers={"X-Requested-With": "fetch"}
    )

    assert response.status_code == 204
    assert PagePreference.objects.get().theme == "light"


@pytest.mark.parametrize("path", ["/settings/theme/", "/settings/page/"])
def test_unknown_choice_is_refused_by_field(client: Client, path: str) -> None:
    response = client.post(path, {"theme": "pink", "palette": "standard"})

    assert response.status_code == 400
    assert b"theme" in response.content
    assert not PagePreference.objects.exists()


def test_unknown_palette_and_a_machine_are_refused(trader) -> None:
    with pytest.raises(PreferenceUnknown, match="palette"):
        choose_preferences(
            actor=Actor.for_user(trader), theme="dark", palette="x", single_keys=True
        )
    with pytest.raises(PreferenceUnknown, match="person"):
        choose_preferences(
            actor=Actor.system("beat"), theme="dark", palette="standard", single_keys=True
        )


def test_times_are_written_in_the_persons_zone(client: Client, trader) -> None:
    trader.time_zone = "Asia/Kolkata"
    trader.save()

    page = client.get("/gallery/").content.decode()

    assert "28 Mar 2027 04:30 IST" in page
    assert 'data-zone="Asia/Kolkata"' in page
