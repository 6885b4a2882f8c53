"""Two who add the same code at once: one adds it, the other is told, and nothing breaks."""

import json
import threading

import pytest
from django.db import connection
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from trading.models import Counterparty
from trading.services import changes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("names", "statuses"), [
    (("Acme SE", "Acme SE"), [200, 201]), (("Acme SE", "Acme Ltd"), [201, 409]),
])  # fmt: skip
def test_the_same_new_code_at_once(monkeypatch, names, statuses) -> None:
    organization = make_organization()
    user = make_user(Role.RISK_OFFICER, organization=organization)
    assert Actor.for_user(user).may("trading.add_counterparty")
    looked, answers = threading.Barrier(2), []
    check = changes.check_texts

    def both_have_looked(terms) -> None:
        check(terms)
        looked.wait(60)  # neither has written, so neither sees the other's row

    monkeypatch.setattr(changes, "check_texts", both_have_looked)

    def post(name: str) -> None:
        client = Client()
        client.force_login(user)
        try:
            answers.append(
                client.post(
                    "/api/v1/trading/counterparties", json.dumps({"code": "ACME", "name": name}),
                    content_type="application/json",
                )
            )  # fmt: skip
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    assert sorted(answer.status_code for answer in answers) == statuses, [
        answer.content for answer in answers
    ]
    assert Counterparty.objects.count() == 1
