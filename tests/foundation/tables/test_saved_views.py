"""Saved views and columns: whose they are, who sees them, and what is refused."""

import uuid

import pytest

from energyopti.accounts.roles import Role
from energyopti.foundation.tables.models import ColumnChoice, SavedView
from energyopti.foundation.tables.queries.saved_views import (
    chosen_columns,
    view_by_id,
    views_for,
)
from energyopti.foundation.tables.services.saved_views import (
    ViewRefused,
    choose_columns,
    delete_view,
    forget_columns,
    repair_view,
    save_view,
)
from tests.factories.accounts import make_actor, make_organization

pytestmark = pytest.mark.django_db


def save(actor, name: str = "Mine", **more) -> SavedView:
    fields = {"query": "market=DE", "columns": ["price"], **more}
    return save_view(actor=actor, table="t", name=name, **fields)


def test_private_view_is_seen_by_its_owner_only() -> None:
    organization = make_organization()
    owner = make_actor(Role.TRADER, organization=organization)
    colleague = make_actor(Role.TRADER, organization=organization)

    view = save(owner)

    assert views_for(owner, table="t") == [view]
    assert views_for(colleague, table="t") == []
    assert views_for(owner, table="other") == []


def test_shared_view_is_seen_within_the_organization_only() -> None:
    organization = make_organization()
    owner = make_actor(Role.TRADER, organization=organization)
    colleague = make_actor(Role.TRADER, organization=organization)
    stranger = make_actor(Role.TRADER, organization=make_organization())

    view = save(owner, shared_with=organization.pk)

    assert views_for(colleague, table="t") == [view]
    assert views_for(stranger, table="t") == []


def test_view_cannot_be_shared_with_a_foreign_organization() -> None:
    owner = make_actor(Role.TRADER, organization=make_organization())

    with pytest.raises(ViewRefused, match="shared_with"):
        save(owner, shared_with=make_organization().pk)

    assert not SavedView.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_name_must_say_something(name: str) -> None:
    with pytest.raises(ViewRefused, match="name"):
        save(make_actor(), name)


def test_same_name_replaces_ones_own_view_and_nobody_elses() -> None:
    first, second = make_actor(), make_actor()
    save(first, columns=["a"])
    save(second, columns=["b"])

    save(first, columns=["c"])

    columns = {view.owner_id: view.columns for view in SavedView.objects.all()}
    assert columns == {first.id: ["c"], second.id: ["b"]}


def test_new_default_takes_the_place_of_the_old_one() -> None:
    actor = make_actor()
    save(actor, "Old", as_default=True)

    save(actor, "New", as_default=True)

    assert [v.name for v in SavedView.objects.filter(is_default=True)] == ["New"]


def test_only_the_owner_deletes_and_repairs() -> None:
    organization = make_organization()
    owner = make_actor(organization=organization)
    colleague = make_actor(organization=organization)
    view = save(owner, shared_with=organization.pk)

    with pytest.raises(ViewRefused):
        delete_view(actor=colleague, table="t", view_id=view.pk)
    with pytest.raises(ViewRefused):
        repair_view(actor=colleague, table="t", view_id=view.pk, query="", columns=[])
    repair_view(actor=owner, table="t", view_id=view.pk, query="a=1", columns=["x"])
    view.refresh_from_db()
    assert (view.query, view.columns) == ("a=1", ["x"])

    delete_view(actor=owner, table="t", view_id=view.pk)
    assert not SavedView.objects.exists()


def test_view_by_id_finds_only_what_may_be_opened() -> None:
    view = SavedView(id=uuid.uuid4(), table="t", name="v", owner_id="user:1")

    assert view_by_id([view], str(view.id)) is view
    assert view_by_id([view], str(uuid.uuid4())) is None
    assert view_by_id([view], "no id") is None


def test_columns_are_kept_in_order_and_forgotten() -> None:
    actor = make_actor()
    assert chosen_columns(actor, table="t") is None

    choose_columns(actor=actor, table="t", columns=["b", "a"], known=["a", "b", "c"])
    assert chosen_columns(actor, table="t") == ["b", "a"]

    forget_columns(actor=actor, table="t")
    assert chosen_columns(actor, table="t") is None


@pytest.mark.parametrize("columns", [[], ["ghost"], ["a", "a"]])
def test_impossible_columns_are_refused(columns: list[str]) -> None:
    with pytest.raises(ViewRefused, match="columns"):
        choose_columns(actor=make_actor(), table="t", columns=columns, known=["a", "b"])

    assert not ColumnChoice.objects.exists()
