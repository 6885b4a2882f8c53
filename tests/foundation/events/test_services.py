"""Writing events: in a transaction only, with secrets masked, waking followers at commit."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.events.models import Event
from energyopti.foundation.events.secrets import MASK, is_secret, mask_secrets
from energyopti.foundation.events.services import NotInTransaction, record_event

from .conftest import Somebody


def record(actor: Somebody, **fields: Any) -> Event:
    return record_event(
        type="user.changed",
        actor=actor,
        aggregate_type="user",
        aggregate_id=7,
        organization_id=None,
        **fields,
    )


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused(actor: Somebody) -> None:
    with pytest.raises(NotInTransaction, match=r"record_event\('user.changed'\)"):
        record(actor)

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_its_transaction(actor: Somebody) -> None:
    with pytest.raises(RuntimeError, match="later"), transaction.atomic():
        record(actor)
        raise RuntimeError("later")

    assert not Event.objects.exists()


@pytest.mark.django_db
def test_keeps_who_what_and_the_change_with_secrets_masked(actor: Somebody) -> None:
    event = record(
        actor,
        payload={"company": "Pan Energy", "api_key": "k", "list": [{"token": "t", "size": 2}]},
        changes={"name": ("a", "b"), "password": ("old", "new")},
    )

    event.refresh_from_db()
    assert (event.actor_id, event.request_id, event.key) == ("user:test", "request-1", "user:7")
    assert event.payload == {
        "company": "Pan Energy",
        "api_key": MASK,
        "list": [{"token": MASK, "size": 2}],
    }
    assert event.changes == {
        "name": {"before": "a", "after": "b"},
        "password": {"before": MASK, "after": MASK},
    }
    assert event.data()["aggregate"] == {"type": "user", "id": "7"}


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "userPassword", "PASSWORD2", "api_key", "apiKey", "APIKEY"),
        *("client_secret", "clientSecret", "secrets", "access_token", "tokens", "Authorization"),
        *("private_key_pem", "pan", "card_pan", "cardPAN", "cvv", "recovery_codes", "otp"),
    ],
)
def test_secret_names(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("company", "panel", "span", "japan_holiday", "secretary", "key", "aggregate_key"),
        *("idempotency_key", "spinning_reserve", "pinned", "optimum", "author", "monkey_id", "x"),
    ],
)
def test_names_that_only_contain_a_secret_word_are_kept(name: str) -> None:
    assert not is_secret(name)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_masking_twice_is_masking_once(value: Any) -> None:
    assert mask_secrets(mask_secrets(value)) == mask_secrets(value)
