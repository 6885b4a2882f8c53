"""Files and posts of interest rates, exchange-rate forwards and volatilities."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.curves import SYSTEM
from tests.factories.trades import make_market
from trading.models import FxForwardQuote, InterestQuote, VolQuote
from trading.queries.rates import discount_curve, fx_curve, vol_surface
from trading.services.quote_files import QuotesMoved
from trading.services.rate_files import RATE_KINDS, import_rates, preview_rates
from trading.services.reference_files.findings import ReferenceRefused, RowState

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
AT = "2026-11-20T17:00:00+00:00"
FILES = {
    "interest": f"""currency,compounding,matures_on,rate,valid_from,source
EUR,CONTINUOUS,2027-11-20,0.025,{AT},bank
EUR,CONTINUOUS,2028-11-20,-0.005,{AT},bank
USD,ANNUAL,2027-11-20,0.04,{AT},bank
""",
    "fx": f"""base,quote,settles_on,rate,valid_from,source
EUR,USD,2026-11-24,1.1,{AT},bank
EUR,USD,2027-11-24,1.112,{AT},bank
""",
    "vol": f"""market,kind,contract,expires_on,moneyness,vol,valid_from,source
TEST,LOGNORMAL,Cal28,2027-12-15,0.8,0.45,{AT},broker
TEST,LOGNORMAL,Cal28,2027-12-15,1,0.40,{AT},broker
""",
}


@pytest.fixture(autouse=True)
def market():
    return make_market("TEST")


def load(kind, text=None, **options):
    content = (text or FILES[kind]).encode()
    return import_rates(
        actor=SYSTEM, kind=kind, name="r.csv", content=content, received_at=NOW, **options
    )


def signed_in(*roles):
    client = Client()
    client.force_login(
        make_user(*roles, organization=make_organization()),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


@pytest.mark.parametrize(
    ("kind", "old", "new", "model"),
    [
        ("interest", "0.025", "0.026", InterestQuote),
        ("fx", "1.112", "1.115", FxForwardQuote),
        ("vol", "0.45", "0.46", VolQuote),
    ],
)
def test_a_file_is_booked_once_and_a_changed_value_is_a_correction(kind, old, new, model):
    count = FILES[kind].count("\n") - 1
    shown = preview_rates(
        actor=SYSTEM, kind=kind, name="r.csv", content=FILES[kind].encode(), received_at=NOW
    )
    assert not model.objects.exists()
    first, again = load(kind), load(kind)
    corrected = load(kind, FILES[kind].replace(old, new))

    assert shown == first and first.count(RowState.ADDED) == count
    assert again.count(RowState.UNCHANGED) == count
    (change,) = [c for c in corrected.changes if c.state is RowState.CHANGED]
    assert [(f.before, f.after) for f in change.fields] == [(old, new)]
    assert model.objects.count() == count + 1


def test_what_was_booked_makes_curves(market):
    for kind in RATE_KINDS:
        load(kind)

    assert discount_curve("USD", as_of=NOW).factor(date(2027, 11, 20)) == pytest.approx(1 / 1.04)
    assert fx_curve("EUR", "USD", as_of=NOW).spot == pytest.approx(1.1)
    surface = vol_surface(market, "LOGNORMAL", as_of=NOW)
    assert surface.vol("Cal28", date(2027, 12, 15), 0.8) == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("kind", "old", "new", "line", "field", "word"),
    [
        ("interest", "EUR,CONTINUOUS,2027", "XXQ,CONTINUOUS,2027", 2, "currency", "XXQ"),
        ("interest", "ANNUAL", "WEEKLY", 4, "compounding", "WEEKLY"),
        ("interest", "2028-11-20", "2026-11-20", 3, "matures_on", "later than"),
        ("interest", "2028-11-20", "2027-11-20", 3, "matures_on", "Line 2"),
        ("interest", "0.04", "-1.5", 4, "rate", "nothing to discount"),
        ("interest", "0.04", "0.12345678901", 4, "rate", "10 decimal places"),
        ("interest", "0.04", "four", 4, "rate", "decimal number"),
        ("interest", f"0.04,{AT}", "0.04,2027-01-01T00:00:00+00:00", 4, "valid_from", "to come"),
        ("fx", "1.112", "0", 3, "rate", ""),
        ("fx", "EUR,USD,2027", "EUR,EUR,2027", 3, "quote", "base"),
        ("fx", "2026-11-24", "2026-11-19", 2, "settles_on", "before"),
        ("vol", "0.40", "0", 3, "vol", "above zero"),
        ("vol", "TEST,LOGNORMAL,Cal28,2027-12-15,1,", "NONE,LOGNORMAL,Cal28,2027-12-15,1,",
         3, "market", "NONE"),
        ("vol", "Cal28,2027-12-15,1,", "Foo28,2027-12-15,1,", 3, "contract", "Foo28"),
        ("vol", "2027-12-15,1,", "2026-11-01,1,", 3, "expires_on", "not after"),
        ("vol", ",1,0.40", ",-1,0.40", 3, "moneyness", "above zero"),
    ],
)  # fmt: skip
def test_a_line_that_breaks_a_rule_is_named_and_nothing_is_booked(
    kind, old, new, line, field, word
):
    assert old in FILES[kind]
    with pytest.raises(ReferenceRefused) as refused:
        load(kind, FILES[kind].replace(old, new, 1))

    found = [(r.line, r.field, r.rule) for r in refused.value.diff.refusals]
    assert any((at, name) == (line, field) and word in rule for at, name, rule in found), found
    assert not RATE_KINDS[kind].model._default_manager.exists()


def test_what_moved_since_it_was_looked_at_is_not_booked_and_a_trader_may_not():
    with pytest.raises(QuotesMoved):
        load("fx", expected_digest="other")
    with pytest.raises(PermissionMissing):
        import_rates(
            actor=make_actor(Role.TRADER), kind="fx", name="r.csv",
            content=FILES["fx"].encode(), received_at=NOW,
        )  # fmt: skip
    assert not FxForwardQuote.objects.exists()


def test_the_command_takes_a_kind_and_tries_it_dry(tmp_path, monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    path, out = tmp_path / "vol.csv", StringIO()
    path.write_text(FILES["vol"])

    call_command("import_curves", path, "--kind", "vol", "--dry-run", stdout=out)
    assert "nothing was imported: 2 added" in out.getvalue() and not VolQuote.objects.exists()
    call_command("import_curves", path, "--kind", "vol", stdout=out)
    assert VolQuote.objects.count() == 2
    with pytest.raises(CommandError, match="refused"):
        call_command("import_curves", path, "--kind", "fx", stdout=out)


def test_a_file_is_uploaded_looked_at_and_imported(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    officer, trader = signed_in(Role.RISK_OFFICER), signed_in(Role.TRADER)

    def upload(client, kind):
        file = SimpleUploadedFile("r.csv", FILES[kind].encode())
        return client.post("/curves/import-quotes/", {"kind": kind, "file": file})

    shown = upload(officer, "interest")
    form = {name: shown.context[name] for name in ("name", "kind", "content", "digest")}
    done = officer.post("/curves/import-quotes/", form)

    assert shown.status_code == 200 and "3 added" in shown.content.decode()
    assert (done.status_code, done["Location"]) == (302, "/curves/rates/")
    assert InterestQuote.objects.count() == 3
    assert upload(trader, "interest").status_code == 422
    assert trader.post("/curves/import-quotes/", form).status_code == 400
    assert signed_in().get("/curves/import-quotes/").status_code == 403


POSTS = {
    "interest-rates": {
        "currency": "EUR", "compounding": "CONTINUOUS", "valid_from": AT, "source": "bank",
        "quotes": [{"matures_on": "2027-11-20", "rate": "0.025"}],
    },
    "fx-forwards": {
        "base": "EUR", "quote": "USD", "valid_from": AT, "source": "bank",
        "quotes": [{"settles_on": "2026-11-24", "rate": "1.1"}],
    },
    "volatilities": {
        "market": "TEST", "kind": "LOGNORMAL", "valid_from": AT, "source": "broker",
        "quotes": [
            {"contract": "Cal28", "expires_on": "2027-12-15", "moneyness": "1", "vol": "0.4"}
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("interest-rates", {"currency": "XXQ"}),
        ("fx-forwards", {"quote": "EUR"}),
        (
            "volatilities",
            {
                "quotes": [
                    {"contract": "Cal28", "expires_on": "2027-12-15", "moneyness": "1", "vol": "0"}
                ]
            },
        ),
    ],
)
def test_posts_are_booked_once_and_refused_by_rule(path, changes):
    officer, trader = signed_in(Role.RISK_OFFICER), signed_in(Role.TRADER)

    def post(client, body):
        return client.post(
            f"/api/v1/trading/{path}", json.dumps(body), content_type="application/json"
        )

    first, again = post(officer, POSTS[path]), post(officer, POSTS[path])
    refused = post(officer, {**POSTS[path], **changes})

    assert first.json() == {"read": 1, "booked": 1} and again.json() == {"read": 1, "booked": 0}
    assert refused.status_code == 400, refused.content
    assert refused.json()["code"] == "rates_refused"
    assert post(trader, POSTS[path]).status_code == 403


def test_decimals_arrive_as_written():
    load("interest")
    assert InterestQuote.objects.get(matures_on="2028-11-20").rate == Decimal("-0.005")
