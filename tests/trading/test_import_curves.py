"""Files of quotes: what they add and correct, and each line that breaks a rule."""

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_actor
from tests.factories.curves import SYSTEM, four_eyes, three_markets
from trading.models import CurveVersion, Quote
from trading.services.quote_files import (
    COLUMNS,
    QuotesMoved,
    digest_of,
    import_quotes,
    preview_quotes,
)
from trading.services.reference_files.findings import ReferenceRefused, RowState

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
HEADER = ",".join(COLUMNS)
AT = "2026-11-20T17:00:00+00:00"
GOOD = f"""{HEADER}
DE,Cal27,BASE,88.50,88.40,88.60,{AT},SETTLEMENT,exchange
DE,Q1-27,,98.20,,,{AT},SETTLEMENT,exchange
DE,Cal27,PEAK,99.80,,,{AT},SETTLEMENT,exchange
PJM,Jan27,5X16,-4.25,,,2026-11-20T12:00:00-05:00,INDICATIVE,broker
PJM,Jan27,ATC,44,,,{AT},SETTLEMENT,exchange
"""


@pytest.fixture
def markets():
    return three_markets()


def load(text, **options):
    return import_quotes(
        actor=SYSTEM, name="q.csv", content=text.encode(), received_at=NOW, **options
    )


def test_a_file_is_booked_once_and_a_changed_price_is_a_correction(markets):
    first = load(GOOD)
    again = load(GOOD)
    corrected = load(GOOD.replace("88.50", "88.55"))

    assert (first.count(RowState.ADDED), again.count(RowState.UNCHANGED)) == (5, 5)
    (change,) = [c for c in corrected.changes if c.state is RowState.CHANGED]
    assert change.line == 2
    assert [(f.field, f.before, f.after) for f in change.fields] == [("value", "88.5", "88.55")]
    rows = Quote.objects.filter(market=markets["DE"], contract="Cal27", load_type="BASE")
    assert [row.value for row in rows.order_by("recorded_at")] == [
        Decimal("88.5"), Decimal("88.55"),
    ]  # fmt: skip
    assert rows.first().bid == Decimal("88.4") and rows.first().actor_id == "system:test"
    # Around the clock is base, whatever the market calls it.
    assert Quote.objects.get(market=markets["PJM"], value=44).load_type == "BASE"
    assert Quote.objects.count() == 6


def test_a_preview_writes_nothing_and_an_import_of_something_else_is_stopped(markets):
    shown = preview_quotes(actor=SYSTEM, name="q.csv", content=GOOD.encode(), received_at=NOW)

    assert shown.count(RowState.ADDED) == 5 and not Quote.objects.exists()
    load(GOOD.replace("88.50", "88.45"))
    with pytest.raises(QuotesMoved):
        load(GOOD, expected_digest=digest_of(shown))
    assert Quote.objects.count() == 5


@pytest.mark.parametrize(
    ("before", "after", "line", "field"),
    [
        ("DE,Cal27,BASE", "XX,Cal27,BASE", 2, "market"),
        ("DE,Cal27,BASE", "DE,Cat27,BASE", 2, "contract"),
        ("DE,Cal27,BASE", "DE,Cal26,BASE", None, None),
        ("DE,Cal27,BASE", "DE,Cal25,BASE", 2, "contract"),
        ("DE,Cal27,PEAK", "DE,Cal27,5X16", 4, "load"),
        ("98.20", "NaN", 3, "value"),
        ("98.20", "98,20", 3, "row"),
        ("98.20", "=1+1", 3, "value"),
        ("98.20", "1e30", 3, "value"),
        ("98.20", "98.1234567", 3, "value"),
        ("88.40", "88.51", 2, "bid"),
        ("88.60", "88.49", 2, "ask"),
        ("2026-11-20T12:00:00-05:00", "2026-11-20T12:00:00", 5, "valid_from"),
        ("2026-11-20T12:00:00-05:00", "2026-12-20T12:00:00+00:00", 5, "valid_from"),
        ("INDICATIVE", "GUESS", 5, "quality"),
        ("INDICATIVE,broker", "INDICATIVE,=cmd", 5, "source"),
        ("DE,Q1-27,", "DE,Cal27,", 3, "contract"),
        (",quality,", ",", 1, "quality"),
    ],
)
def test_each_line_that_breaks_a_rule_is_named_and_nothing_is_booked(
    markets, before, after, line, field
):
    assert before in GOOD
    text = GOOD.replace(before, after, 1)
    if line is None:
        # Delivery of the year has begun but is not over.
        assert load(text).count(RowState.ADDED) == 5
        return

    with pytest.raises(ReferenceRefused) as refused:
        load(text)

    assert [(r.line, r.field) for r in refused.value.diff.refusals] == [(line, field)]
    assert not Quote.objects.exists()


def test_bytes_that_are_no_text_are_refused(markets):
    with pytest.raises(ReferenceRefused, match="encoding"):
        import_quotes(actor=SYSTEM, name="q.csv", content=GOOD.encode("utf-16"), received_at=NOW)


def test_who_may_not_import_may_not_look_either(markets):
    with pytest.raises(PermissionMissing):
        preview_quotes(
            actor=make_actor(Role.ESG_OFFICER), name="q.csv", content=GOOD.encode(),
            received_at=NOW,
        )  # fmt: skip


def test_the_command_imports_builds_and_names_conflicts(markets, tmp_path, monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    four_eyes(markets["DE"])
    path = tmp_path / "quotes.csv"
    more = [("Q2-27", 76.1), ("Q3-27", 80.4), ("Q4-27", 101.3)]
    lines = "".join(f"DE,{c},BASE,{p},,,{AT},SETTLEMENT,exchange\n" for c, p in more)
    path.write_text(GOOD + lines)
    out, err = StringIO(), StringIO()

    call_command("import_curves", path, "--dry-run", stdout=out)
    assert not Quote.objects.exists() and "8 added" in out.getvalue()
    call_command("import_curves", path, stdout=out, stderr=err)

    version = CurveVersion.objects.get()
    assert version.status == "DRAFT" and version.snapshot.as_of.isoformat() == AT
    assert "DE MARK v1: draft" in out.getvalue() and "1 conflicts" in out.getvalue()
    assert "earns" in out.getvalue()
    assert "PJM: no curve is defined" in err.getvalue()
    path.write_text(GOOD.replace("DE,Cal27,PEAK", "DE,Cal27,NIGHT"))
    with pytest.raises(CommandError, match="1 refused") as refused:
        call_command("import_curves", path, stdout=out)
    assert refused.value.returncode == 1
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_curves", tmp_path / "none.csv")
